"""Models to offer to a client."""

from collections.abc import Iterable, Mapping

from server.core.errors import ModelNotFound
from server.models.aliases import DEFAULT, ModelNames, resolve_model
from server.models.families import SHORT_NAMES
from server.models.info import ModelInfo
from server.models.windows import window_of
from tray_app.clients.connection import Limits

_FALLBACK_MODEL = "sonnet"


def model_names(offered: Iterable[ModelInfo], aliases: Mapping[str, str]) -> list[str]:
    """List short names, which stay valid, then the user's aliases, then full ids.

    If `offered` is empty, the names that always work are listed instead.
    """
    offered = list(offered)
    short = [model.name for model in offered if model.name] or sorted(SHORT_NAMES)
    return list(dict.fromkeys([*short, *aliases, *(model.id for model in offered if model.id)]))


def initial_model(offered: Iterable[ModelInfo], default_model: str) -> str:
    """The initial model: the one in the settings, otherwise Claude Code's default."""
    if default_model != DEFAULT:
        return default_model
    named = (model.name or model.id for model in offered if model.is_default)
    return next((name for name in named if name and name != DEFAULT), _FALLBACK_MODEL)


def limits_of(model: str, offered: Iterable[ModelInfo], aliases: Mapping[str, str]) -> Limits:
    """The limits of the model behind a name; defaults for an unknown name."""
    models = tuple(offered)
    known = tuple(name for info in models for name in (info.id, info.name) if name)
    try:
        window = window_of(resolve_model(model, ModelNames(aliases, known, DEFAULT)), models)
    except ModelNotFound:
        return Limits()
    return Limits(window.context, window.output)
