"""What every dialect's endpoint does with a body and its request before the backend is asked."""

import uuid
from typing import TYPE_CHECKING, Any

from starlette.types import Scope

from server.api.exchange.responses import get_header
from server.backends.base import Backend
from server.core.messages import MessagesRequest
from server.dialects.base import Context
from server.dialects.dialect import Dialect
from server.models import Fitted, capabilities_of, fit
from server.models.info import ModelInfo

if TYPE_CHECKING:
    from server.api.services import Services


def with_session_header(body: dict[str, Any], scope: Scope) -> dict[str, Any]:
    """The body with the session id of `X-Session-Id`, which goes before the body's own.

    An id that is sent as `X-Session-Affinity` too says which requests have much in common, and not that one goes on
    where another ended: opencode gives it to a conversation and to the request for its title
    (https://github.com/anomalyco/opencode/issues/39912). Such a client sends the whole history.
    """
    session_id = get_header(scope, b"x-session-id")
    if session_id is None or session_id == get_header(scope, b"x-session-affinity"):
        return body
    return {**body, "session_id": session_id}


async def with_fetched_images(services: "Services", body: Any, dialect: Dialect) -> Any:
    """The body with its images fetched, if that is on; else the dialect refuses them. Raises InvalidRequest."""
    addresses = dialect.remote_images(body) if services.images is not None else []
    if services.images is None or not addresses:
        return body
    return dialect.with_images(body, await services.images.fetch_images(addresses))


def fit_request(services: "Services", request: MessagesRequest) -> Fitted:
    """The request as its model takes it."""
    return fit(request, capabilities_of(request.model, find_model_info(services.backend, request.model)))


def make_context(services: "Services") -> Context:
    """What a dialect has to know, as things stand now."""
    models = services.backend.models()
    return Context(
        aliases=services.settings.aliases,
        models=tuple(dict.fromkeys(name for model in models for name in (model.id, model.name) if name)),
        default_model=services.settings.default_model,
        response_id=uuid.uuid4().hex,
        created=int(services.clock()),
    )


def find_model_info(backend: Backend, model: str) -> ModelInfo | None:
    """What the backend says of a model, by its id or short name, whatever the size of its context (`sonnet[1m]`)."""
    models = backend.models()
    names = (model, model.removesuffix("[1m]"))
    found = next((info for name in names for info in models if name in (info.id, info.name)), None)
    if found is None and model == "default":
        found = next((info for info in models if info.is_default), None)
    return found
