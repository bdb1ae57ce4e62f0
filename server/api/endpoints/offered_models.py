"""The models that the lists of Ollama's and LM Studio's APIs offer, with their limits.

Programs show the whole list to their users, so it holds the names of Claude's models and the user's aliases, and none
of other providers' names. Requests may use those too.
"""

from typing import TYPE_CHECKING

from server.api.exchange.preparation import make_context
from server.core.errors import ModelNotFound
from server.models.aliases import ModelNames, resolve_model
from server.models.families import SHORT_NAMES
from server.models.info import find_info
from server.models.offered import OfferedModel
from server.models.windows import window_of

if TYPE_CHECKING:
    from server.api.services import Services


def list_offered(services: "Services") -> list[OfferedModel]:
    """Short names, which stay valid, then the user's aliases, then full ids."""
    models = services.backend.models()
    short = [model.name for model in models if model.name] or sorted(SHORT_NAMES)
    names = [*short, *services.settings.aliases, *(model.id for model in models if model.id)]
    context = make_context(services)
    found = (_try_describe(services, name, context) for name in dict.fromkeys(names))
    return [model for model in found if model is not None]


def find_offered(services: "Services", name: str) -> OfferedModel:
    """A model, by any name that requests may use. Raises ModelNotFound."""
    return _describe(services, name, make_context(services))


def _try_describe(services: "Services", name: str, names: ModelNames) -> OfferedModel | None:
    """None for an alias that leads to no model."""
    try:
        return _describe(services, name, names)
    except ModelNotFound:
        return None


def _describe(services: "Services", name: str, names: ModelNames) -> OfferedModel:
    named, offered = resolve_model(name, names), services.backend.models()
    info = find_info(named.model, offered)
    full_id = info.id if info is not None and info.id else named.model
    display_name = (info.display_name if info is not None else "") or full_id
    return OfferedModel(name, full_id, display_name, window_of(named, offered))
