"""`POST /v1/messages` and `/v1/messages/count_tokens`: https://docs.anthropic.com/en/api/messages."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import Scope

from server.api.exchange.answers import header, json_response
from server.api.exchange.exchange import Dialect, ExchangeEndpoint
from server.api.exchange.reading import context_of, fitted_request, with_fetched_images, with_session_header
from server.api.exchange.session_link import link_session
from server.api.exchange.streams import ANTHROPIC_SSE
from server.api.exchange.warnings import warning_header
from server.api.middleware.bodies import parse_object, read_body
from server.core.messages import MessagesRequest
from server.dialects.left_out import left_out_warnings
from server.dialects.messages import remote_images, to_count, to_messages, with_images
from server.dialects.messages.betas import beta_warnings
from server.models.token_estimate import estimate_tokens

if TYPE_CHECKING:
    from server.api.services import Services

router = APIRouter()

VERSION = "2026-10-21"
# They differ in what they refuse, not in their answers; what the newer one refuses is passed over here.
_KNOWN_VERSIONS = frozenset({VERSION, "2023-06-01"})
_OTHER_HEADERS = ("anthropic-user-profile-id", "anthropic-workspace-id")


def header_warnings(scope: Scope) -> list[str]:
    """What the API's own headers ask for and do not get.

    The API demands `anthropic-version`; here curl may leave it out. https://platform.claude.com/docs/en/api/versioning
    """
    version = header(scope, b"anthropic-version")
    warnings = []
    if version is not None and version not in _KNOWN_VERSIONS:
        warnings.append(f"anthropic-version {version[:64]} is not known; the answer is that of {VERSION}")
    warnings += beta_warnings((header(scope, b"anthropic-beta") or "").split(","))
    return warnings + left_out_warnings(name for name in _OTHER_HEADERS if header(scope, name.encode()) is not None)


_endpoint = ExchangeEndpoint(Dialect(to_messages, ANTHROPIC_SSE, remote_images, with_images, header_warnings))
router.add_route("/v1/messages", _endpoint, methods=["POST"])  # type: ignore[arg-type]  # an ASGI application


@router.post("/v1/messages/count_tokens")
async def count_tokens(request: Request) -> Response:
    """How many input tokens a request would have: counted if the backend can, else estimated, with a warning."""
    services: Services = request.app.state.services
    body = with_session_header(parse_object(await read_body(request.receive)), request.scope)
    body = await with_fetched_images(services, body, remote_images, with_images)
    link = await link_session(services, to_count(body, context_of(services)))
    warnings = header_warnings(request.scope)
    counted = await _exact_count(services, link.request)
    if counted is None:
        counted = estimate_tokens(link.request)
        warnings.append("input_tokens is estimated, since Claude Code cannot count without asking the model")
    text = warning_header(warnings)
    return json_response({"input_tokens": counted}, headers={} if text is None else {"warning": text})


async def _exact_count(services: "Services", request: MessagesRequest) -> int | None:
    """The backend's own count; counting is an ability that not every backend has."""
    count = getattr(services.backend, "count_tokens", None)
    if count is None:
        return None
    counted: int | None = await count(fitted_request(services, request).request)
    return counted
