"""The endpoints of a dialect: its own path and token counting."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.api.exchange.background_exchange import BackgroundExchange
from server.api.exchange.exchange import Body, Exchange
from server.api.exchange.preparation import fit_to_model, make_context, with_fetched_images, with_session_header
from server.api.exchange.request_recorder import RequestRecorder
from server.api.exchange.responses import header_lookup, json_response
from server.api.exchange.session_link import link_session
from server.api.exchange.stored_context import read_stored_context
from server.api.exchange.warnings import warning_header
from server.api.middleware.bodies import parse_object, read_body
from server.core.messages import MessagesRequest
from server.dialects.dialect import Dialect, TokenCounting
from server.models.token_estimate import estimate_tokens

if TYPE_CHECKING:
    from server.api.services import Services


class ExchangeEndpoint:
    """A dialect's endpoint, as an ASGI application."""

    def __init__(self, dialect: Dialect, change_body: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> None:
        self._dialect = dialect
        self._change_body = change_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        services: Services = scope["app"].state.services
        # A body that cannot be parsed is recorded by `Refusals`, which counts equal ones: a client may send garbage
        # for hours.
        try:
            raw = await read_body(receive)
        except ClientDisconnect:
            RequestRecorder(services, scope).record_cancelled()
            raise
        value = parse_object(raw)
        if self._change_body is not None:
            value = self._change_body(value)
        hooks = self._dialect.stored_answers
        in_background = hooks is not None and hooks.wants_background(value)
        kind = BackgroundExchange if in_background else Exchange
        await kind(services, self._dialect, Body(raw, value), scope, receive, send).handle_request()


def make_dialect_router(dialect: Dialect) -> APIRouter:
    """The routes of `dialect`."""
    router = APIRouter()
    endpoint = ExchangeEndpoint(dialect)
    router.add_route(dialect.path, endpoint, methods=["POST"])  # type: ignore[arg-type]  # an ASGI application
    if (counting := dialect.token_counting) is not None:

        @router.post(counting.path)
        async def count_tokens(request: Request) -> Response:
            return await _count_tokens(request, dialect, counting)

    return router


async def _count_tokens(request: Request, dialect: Dialect, counting: TokenCounting) -> Response:
    """Count a request's input tokens, or estimate them with a warning."""
    services: Services = request.app.state.services
    body = with_session_header(parse_object(await read_body(request.receive)), request.scope)
    body = await with_fetched_images(services, body, dialect)
    context = make_context(services)
    stored = await read_stored_context(services, dialect, body, context.response_id, counted=True)
    request_to_count = counting.to_request(stored.body, context)
    link = await link_session(services, request_to_count, is_complete=stored.is_complete)
    warnings = dialect.header_warnings(header_lookup(request.scope))
    counted = await _exact_count(services, link.request)
    if counted is None:
        counted = estimate_tokens(link.request)
        warnings.append(
            "input_tokens is estimated, because Claude Code cannot count tokens without a request to the model"
        )
    text = warning_header(warnings)
    return json_response(counting.make_response(counted), headers={} if text is None else {"warning": text})


async def _exact_count(services: "Services", request: MessagesRequest) -> int | None:
    """The backend's own count; None if it cannot count."""
    count = getattr(services.backend, "count_tokens", None)
    if count is None:
        return None
    counted: int | None = await count(fit_to_model(services, request).request)
    return counted
