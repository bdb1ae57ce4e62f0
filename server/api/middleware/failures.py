"""Exceptions as errors in the client's dialect, without internal details."""

import logging

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.exchange.responses import dialect_of, display_path, get_header, json_error, send_error, state_of
from server.core.errors import (
    DragomanError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    RequestError,
    WebSocketRefused,
    as_dragoman_error,
)
from server.dialects import registry

log = logging.getLogger(__name__)

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Failures:
    """Turns exceptions into responses, and raises them again after the first byte."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except ClientDisconnect:
            return
        except Exception as exception:
            log_failure(exception, scope)
            if started:
                raise
            await send_error(as_dragoman_error(exception), scope, receive, send)


def log_failure(exception: BaseException, scope: Scope) -> None:
    """Log expected errors in one line, unexpected ones with a traceback.

    `RefusalLog` logs refusals outside an exchange: many of them are one line.
    """
    where = (scope["method"], display_path(scope))
    if not isinstance(exception, DragomanError):
        log.error("%s %s failed unexpectedly", *where, exc_info=exception)
    elif isinstance(exception, RequestError):
        if "observed" in state_of(scope):
            log.info("%s %s refused: %s %s", *where, exception.status, type(exception).__name__)
    else:
        log.warning("%s %s failed: %s: %s", *where, type(exception).__name__, exception)


async def on_http_exception(request: Request, exception: Exception) -> Response:
    """Respond to the router's own refusals: an unknown path or method."""
    assert isinstance(exception, HTTPException)  # noqa: S101 - it is registered for this class alone
    error = _router_error(request.scope, exception)
    log_failure(error, request.scope)
    return json_error(error, request.scope)


async def on_invalid_query(request: Request, exception: Exception) -> Response:
    """Respond to a query parameter of the wrong type."""
    assert isinstance(exception, RequestValidationError)  # noqa: S101
    first = exception.errors()[0]
    name = str(first["loc"][-1])
    error = InvalidRequest(f"The parameter '{name}' is invalid: {first['msg']}.", param=name)
    return json_error(error, request.scope)


def _router_error(scope: Scope, exception: HTTPException) -> DragomanError:
    method, path = scope["method"], display_path(scope)
    if (get_header(scope, b"upgrade") or "").lower() == "websocket":
        return WebSocketRefused(
            "This server supports no WebSockets.", hint=f"Send the request by HTTP, as POST {path}, to stream it too."
        )
    if exception.status_code == 405:
        allowed = _allowed_methods(scope)
        return MethodNotAllowed(
            f"{path} does not support {method}.", allowed=allowed, hint=f"It supports {', '.join(allowed)}."
        )
    if exception.status_code == 404:
        return NotFound(f"There is nothing at {path}.", hint=_base_url_hint(scope))
    return RequestError(str(exception.detail))


def _base_url_hint(scope: Scope) -> str:
    address = f"{scope['scheme']}://{get_header(scope, b'host') or 'HOST:PORT'}"
    dialect = dialect_of(scope)
    if not dialect.base_path:
        base = f"{address} without a path, since {dialect.provider}'s clients add {dialect.path} themselves"
    else:
        base_paths = {known.provider: known.base_path for known in registry.DIALECTS}
        first, *others = (f"{address}{path} for {provider}'s" for provider, path in base_paths.items())
        base = ", and ".join((f"{first} clients", *others))
    return f"The base URL is {base}; GET / lists what this server has."


def _allowed_methods(scope: Scope) -> tuple[str, ...]:
    # The router's own Allow header names the methods of the first route with that path only.
    routes = scope["app"].router.routes
    return tuple(
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    )
