"""Model metadata that a backend reports."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from server.models.name_parts import LARGE


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model of a backend: `id` `claude-opus-5-5`, `name` `opus`, if any. Limits are in tokens; None is unknown."""

    id: str
    name: str = ""
    display_name: str = ""
    description: str = ""
    effort_levels: tuple[str, ...] = ()
    supports_thinking_off: bool | None = None
    is_default: bool = False
    context_window: int | None = None
    usual_output: int | None = None
    """The limit that Claude Code itself sets for an answer, which may be less than the model's own."""


@dataclass(frozen=True, slots=True)
class ReportedLimits:
    """The limits of one model in the CLI's result (`ModelUsage` of the Agent SDK), in tokens."""

    context_window: int | None = None
    usual_output: int | None = None


def find_info(model: str, offered: Iterable[ModelInfo]) -> ModelInfo | None:
    """Find the entry for an id, a short name or `default`, ignoring a suffix `[1m]`."""
    models = tuple(offered)
    names = (model, model.removesuffix(LARGE))
    found = next((info for name in names for info in models if name in (info.id, info.name)), None)
    if found is None and names[1] == "default":
        found = next((info for info in models if info.is_default), None)
    return found


def with_limits(info: ModelInfo, reported: Mapping[str, ReportedLimits]) -> ModelInfo:
    """The entry with the limits that were reported for its id."""
    limits = reported.get(info.id)
    if limits is None:
        return info
    return replace(info, context_window=limits.context_window, usual_output=limits.usual_output)
