"""Responses and errors in the client's dialect."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from server.core import exact_json
from server.core.errors import DragomanError
from server.core.redaction import redact_text
from server.dialects import registry
from server.dialects.base import Header
from server.dialects.dialect import Dialect, ErrorResponse
from server.secrets.client_keys import ClientKey

MAX_PATH_CHARACTERS = 200
"""Longer paths are cut in messages, logs and records."""


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response with `body` as JSON."""
    return Response(exact_json.dumps(body), status, dict(headers or {}), media_type="application/json")


def get_header(scope: Scope, name: bytes) -> str | None:
    """The first header with the lower-case `name`, or None."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def display_path(scope: Scope) -> str:
    """The path for messages and records: one line, cut, keys redacted."""
    path = redact_text(scope["path"][:MAX_PATH_CHARACTERS])
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in path)


def header_lookup(scope: Scope) -> Header:
    """A function that finds the request's headers by name."""
    return lambda name: get_header(scope, name.encode())


def dialect_of(scope: Scope) -> Dialect:
    """The client's dialect."""
    return registry.dialect_of(scope["path"], header_lookup(scope))


def request_id_of(scope: Scope) -> str:
    """The request's id, as sent in `x-request-id`; empty before `RequestIds`."""
    found: str = scope.get("state", {}).get("request_id", "")
    return found


def error_response(error: DragomanError, scope: Scope) -> ErrorResponse:
    """The error in the client's dialect; also stored in the state, for `Refusals`."""
    state_of(scope)["error"] = error
    return dialect_of(scope).error_response(error, request_id_of(scope) or None, header_lookup(scope))


def json_error(error: DragomanError, scope: Scope) -> Response:
    """The error as a response in the client's dialect."""
    answer = error_response(error, scope)
    backend = state_of(scope).get("backend")
    named = {"x-backend": backend} if backend is not None else {}
    return json_response(answer.body, answer.status, {**answer.headers, **named})


async def send_error(error: DragomanError, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the error. The HTTP server drops body bytes that still arrive."""
    await json_error(error, scope)(scope, receive, send)


def with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    """`send` for a response that gets more headers."""
    added = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *added]
        await send(message)

    return send_with_headers


def key_of(scope: Scope) -> ClientKey | None:
    """The client key that the request was made with; None for the server's own key, and without a key."""
    key: ClientKey | None = state_of(scope).get("named_key")
    return key


def state_of(scope: Scope) -> MutableMapping[str, Any]:
    """The state shared by the layers of one request (`request.state` in an endpoint)."""
    state: MutableMapping[str, Any] = scope.setdefault("state", {})
    return state
