"""Steps that every dialect's endpoint takes before the backend is called."""

import uuid
from typing import TYPE_CHECKING, Any

from starlette.types import Scope

from server.api.exchange.responses import get_header
from server.core.messages import MessagesRequest
from server.dialects.base import Context, Header, no_header
from server.dialects.dialect import Dialect
from server.models import FittedRequest, capabilities_of, fit_request
from server.models.info import find_info

if TYPE_CHECKING:
    from server.api.services import Services


def with_session_header(body: dict[str, Any], scope: Scope) -> dict[str, Any]:
    """The body with the session id of `X-Session-Id`, which takes precedence.

    An id that is also sent as `X-Session-Affinity` marks related requests, not the continuation of a conversation:
    opencode sends it with a conversation and with the request for its title
    (https://github.com/anomalyco/opencode/issues/39912). Such a client sends the whole history.
    """
    session_id = get_header(scope, b"x-session-id")
    if session_id is None or session_id == get_header(scope, b"x-session-affinity"):
        return body
    return {**body, "session_id": session_id}


async def with_fetched_images(services: "Services", body: Any, dialect: Dialect) -> Any:
    """The body with its images fetched, if enabled. Raises InvalidRequest."""
    addresses = dialect.remote_images(body) if services.images is not None else []
    if services.images is None or not addresses:
        return body
    return dialect.with_images(body, await services.images.fetch_images(addresses))


def fit_to_model(services: "Services", request: MessagesRequest) -> FittedRequest:
    """Fit the request to its model's capabilities."""
    return fit_request(request, capabilities_of(request.model, find_info(request.model, services.backend.models())))


def make_context(services: "Services", header: Header = no_header) -> Context:
    """The context for a dialect's translation, from the current settings and models."""
    models = services.backend.models()
    return Context(
        aliases=services.settings.aliases,
        models=tuple(dict.fromkeys(name for model in models for name in (model.id, model.name) if name)),
        default_model=services.settings.default_model,
        response_id=uuid.uuid4().hex,
        created=int(services.clock()),
        header=header,
        sealing_key=services.sealing_key,
    )
