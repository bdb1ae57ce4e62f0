"""Models to offer to a client."""

from collections.abc import Iterable, Mapping

from server.core.errors import ModelNotFound
from server.models import capabilities_of
from server.models.aliases import DEFAULT, ModelNames, NamedModel, resolve_model
from server.models.families import SHORT_NAMES
from server.models.info import ModelInfo, find_info
from server.models.windows import window_of
from tray_app.clients.connection import Limits, OfferedModel

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
    named = _try_resolve(model, models, aliases)
    return Limits() if named is None else _limits(named, models)


def list_offers(offered: Iterable[ModelInfo], aliases: Mapping[str, str]) -> tuple[OfferedModel, ...]:
    """Short names and the user's aliases, with what clients need to know of them."""
    models = tuple(offered)
    short = [model.name for model in models if model.name] or sorted(SHORT_NAMES)
    names = dict.fromkeys([*short, *aliases])
    found = ((name, _try_resolve(name, models, aliases)) for name in names)
    return tuple(_make_offer(name, named, models) for name, named in found if named is not None)


def _make_offer(name: str, named: NamedModel, models: tuple[ModelInfo, ...]) -> OfferedModel:
    info = find_info(named.model, models)
    title = info.display_name if info is not None and info.name == name and info.display_name else name
    return OfferedModel(name, title, _limits(named, models), capabilities_of(named.model, info).efforts)


def _limits(named: NamedModel, models: tuple[ModelInfo, ...]) -> Limits:
    window = window_of(named, models)
    return Limits(window.context, window.output)


def _try_resolve(name: str, models: tuple[ModelInfo, ...], aliases: Mapping[str, str]) -> NamedModel | None:
    known = tuple(known for info in models for known in (info.id, info.name) if known)
    try:
        return resolve_model(name, ModelNames(aliases, known, DEFAULT))
    except ModelNotFound:
        return None
