"""The models that a client can be given."""

from collections.abc import Iterable, Mapping

from server.core.errors import ModelNotFound
from server.models import capabilities_of
from server.models.aliases import DEFAULT, ModelNames, resolve_model
from server.models.families import SHORT_NAMES
from server.models.info import ModelInfo
from tray_app.clients.connection import Limits

_USUAL = "sonnet"


def model_names(offered: Iterable[ModelInfo], aliases: Mapping[str, str]) -> list[str]:
    """Short names first, which stay right when models change, then the person's aliases, then full ids.

    While nothing is `offered` the names that always work take its place.
    """
    offered = list(offered)
    short = [model.name for model in offered if model.name] or sorted(SHORT_NAMES)
    return list(dict.fromkeys([*short, *aliases, *(model.id for model in offered if model.id)]))


def usual_model(offered: Iterable[ModelInfo], default_model: str) -> str:
    """The one to begin with: the settings' own, else what Claude Code takes by itself."""
    if default_model != DEFAULT:
        return default_model
    named = (model.name or model.id for model in offered if model.is_default)
    return next((name for name in named if name and name != DEFAULT), _USUAL)


def limits_of(model: str, offered: Iterable[ModelInfo], aliases: Mapping[str, str]) -> Limits:
    """What the model behind a name or an alias takes; the bounds that every model has, for a name that is unknown."""
    by_name = {name: info for info in offered for name in (info.id, info.name) if name}
    try:
        resolved = resolve_model(model, ModelNames(aliases, tuple(by_name), DEFAULT))
    except ModelNotFound:
        return Limits()
    capabilities = capabilities_of(resolved, by_name.get(resolved))
    return Limits(capabilities.context_window, capabilities.default_max_tokens)
