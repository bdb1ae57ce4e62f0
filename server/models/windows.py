"""The limits of models, for lists of models and for the settings of clients."""

from collections.abc import Iterable
from dataclasses import dataclass

from server.core.messages import ModelChoice
from server.models.aliases import DEFAULT, NamedModel
from server.models.families import SHORT_NAMES
from server.models.info import ModelInfo, find_info
from server.models.name_parts import LARGE
from server.models.table import LARGE_CONTEXT, capabilities_of

_NEWEST_OUTPUT = 128_000


@dataclass(frozen=True, slots=True)
class Window:
    """Limits in tokens. `context` is conversation and answer together, `output` the longest answer."""

    context: int
    output: int


NEWEST = Window(LARGE_CONTEXT, _NEWEST_OUTPUT)
"""The limits of the newest models, which Claude Code 2.1.330 reports for all of the 5.5 models."""


def window_of(named: NamedModel, offered: Iterable[ModelInfo]) -> Window:
    """Return the limits that hold for a name; of a chain, those that all its models have.

    `offered` are the backend's models.
    """
    models = tuple(offered)
    windows = [_choice_window(choice, models) for choice in named.choices]
    return Window(min(window.context for window in windows), min(window.output for window in windows))


def _choice_window(choice: ModelChoice, offered: tuple[ModelInfo, ...]) -> Window:
    info = find_info(choice.model, offered)
    if info is None and choice.model.removesuffix(LARGE) in (*SHORT_NAMES, DEFAULT):
        # A short name stands for the newest model of its family, whether or not the backend has listed it yet.
        return NEWEST
    caps = capabilities_of(choice.model, info)
    return Window(caps.context_window, min(caps.default_max_tokens, caps.context_window))
