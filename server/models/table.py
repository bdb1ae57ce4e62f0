"""The request parameters that each model takes.

Sources: https://platform.claude.com/docs/en/models/overview and the migration guide of each model.
"""

import re
from dataclasses import dataclass, replace

from server.core.messages import EFFORTS, Effort
from server.models.info import ModelInfo
from server.models.name_parts import LARGE

_ID = re.compile(r"claude-(?P<family>[a-z]+)-(?P<major>\d{1,2})(?:-(?P<minor>\d{1,2}))?(?!\d)")
_OLD_ID = re.compile(r"claude-(?:instant-)?[123](?!\d)")
_ALWAYS_THINKING = frozenset({"fable", "mythos"})

FALLBACK_MAX_TOKENS = 32_000
"""The limit for models whose maximum is unknown. The API requires one, and all its models take this one."""

LARGE_CONTEXT = 1_000_000
"""The context window of the newest models, and of a name that ends in `[1m]`."""
_OLD_CONTEXT = 200_000
_FROM_4_5: tuple[Effort, ...] = ("low", "medium", "high")
_FROM_4_6: tuple[Effort, ...] = ("low", "medium", "high", "max")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The parameters that one model takes. `model` is its name in warnings. Defaults are the newest models' rules.

    A backend that cannot do something with any model (such as a prefill) applies `dataclasses.replace`.
    """

    model: str
    sampling: bool = False
    """temperature or top_p, and top_k, while thinking is off."""
    thinking_off: bool = False
    thinking_off_efforts: tuple[Effort, ...] = EFFORTS
    """The efforts at which thinking may be off."""
    thinking_budget: bool = False
    """Thinking takes a budget of tokens (`enabled`) instead of the model's judgement (`adaptive`)."""
    efforts: tuple[Effort, ...] = EFFORTS
    forced_tool: bool = False
    """tool_choice any and tool."""
    forced_tool_thinking: bool = False
    """tool_choice any and tool while thinking."""
    prefill: bool = False
    """A last message with the role assistant, while thinking is off."""
    output_schema: bool = True
    """output_config.format."""
    max_tokens: int | None = None
    """The largest answer, in tokens; None if unknown."""
    context_window: int = LARGE_CONTEXT
    """The largest conversation with its answer, in tokens, as Claude Code reports it with its results."""
    usual_max_tokens: int | None = None
    """Claude Code's own limit for an answer, where `max_tokens` is unknown."""

    @property
    def default_max_tokens(self) -> int:
        """The limit for requests without one, in tokens."""
        return self.max_tokens or self.usual_max_tokens or FALLBACK_MAX_TOKENS


def capabilities_of(model_id: str, info: ModelInfo | None = None) -> Capabilities:
    """Return the capabilities of a model, by id or short name.

    `info`, the CLI's report, takes precedence over the table and is the only source for newer models.
    """
    model = info.id if info is not None and info.id else model_id
    caps = _with_window(_capabilities_of_id(model), model_id, info)
    if info is None:
        return caps
    efforts = tuple(effort for effort in EFFORTS if effort in info.effort_levels)
    caps = replace(caps, efforts=efforts or caps.efforts)
    if info.supports_thinking_off is None:
        return caps
    return _with_thinking_off(caps, info.supports_thinking_off)


def _with_window(caps: Capabilities, model_id: str, info: ModelInfo | None) -> Capabilities:
    """Set the limits that were asked for (`[1m]`) or reported.

    The reported limit for answers is Claude Code's own, not the model's (32,000 for Sonnet 4.6 in CLI 2.1.330, which
    writes 128,000), so it counts only where it is more than the table's, or the table has none.
    """
    if model_id.endswith(LARGE):
        caps = replace(caps, context_window=max(caps.context_window, LARGE_CONTEXT))
    elif info is not None and info.context_window is not None:
        caps = replace(caps, context_window=info.context_window)
    if info is None or info.usual_output is None:
        return caps
    if caps.max_tokens is None:
        return replace(caps, usual_max_tokens=info.usual_output)
    return replace(caps, max_tokens=max(caps.max_tokens, info.usual_output))


def _with_thinking_off(caps: Capabilities, possible: bool) -> Capabilities:
    """Set `thinking_off`, and remove what requires thinking to be off."""
    return replace(
        caps,
        thinking_off=possible,
        sampling=caps.sampling and possible,
        prefill=caps.prefill and possible,
        forced_tool=caps.forced_tool and (possible or caps.forced_tool_thinking),
    )


def _capabilities_of_id(model: str) -> Capabilities:
    if _OLD_ID.search(model):
        return _before_4_6(model, "", (3, 0))
    match = _ID.search(model)
    if match is None:
        return Capabilities(model)
    family, version = match["family"], (int(match["major"]), int(match["minor"] or 0))
    if version >= (5, 5) or family in _ALWAYS_THINKING:
        return Capabilities(model, max_tokens=128_000 if version < (6, 0) else None)
    if version >= (4, 7):
        return _from_4_7(model, family, version)
    return _of_4_6(model) if version == (4, 6) else _before_4_6(model, family, version)


def _from_4_7(model: str, family: str, version: tuple[int, int]) -> Capabilities:
    only_up_to_high = family == "opus" and version[0] == 5
    return Capabilities(
        model,
        thinking_off=True,
        thinking_off_efforts=("low", "medium", "high") if only_up_to_high else EFFORTS,
        forced_tool=True,
        forced_tool_thinking=True,
        max_tokens=128_000,
    )


def _of_4_6(model: str) -> Capabilities:
    return Capabilities(
        model,
        sampling=True,
        thinking_off=True,
        efforts=_FROM_4_6,
        forced_tool=True,
        max_tokens=128_000,
        context_window=_OLD_CONTEXT,
    )


def _before_4_6(model: str, family: str, version: tuple[int, int]) -> Capabilities:
    is_4_5 = version == (4, 5)
    older_cap = 32_000 if family == "opus" else None
    return Capabilities(
        model,
        sampling=True,
        thinking_off=True,
        thinking_budget=True,
        efforts=_FROM_4_5 if is_4_5 and family == "opus" else (),
        forced_tool=True,
        prefill=True,
        output_schema=is_4_5,
        max_tokens=64_000 if is_4_5 else older_cap,
        context_window=_OLD_CONTEXT,
    )
