"""How an answer or an error is written in the manner that the client expects."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.core import exact_json
from server.core.errors import TrayError
from server.core.redaction import redact_text
from server.dialects import registry
from server.dialects.dialect import Dialect, ErrorResponse, Header

MAX_PATH_CHARACTERS = 200
"""Characters of a path that are shown and kept."""


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`body` as a JSON answer."""
    return Response(exact_json.dumps(body), status, dict(headers or {}), media_type="application/json")


def get_header(scope: Scope, name: bytes) -> str | None:
    """The first header of that (lower-case) name."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def display_path(scope: Scope) -> str:
    """The path for messages, logs and records: one line, not too long, and without a key that was put into it."""
    path = redact_text(scope["path"][:MAX_PATH_CHARACTERS])
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in path)


def header_lookup(scope: Scope) -> Header:
    """The request's headers, to be looked up by name."""
    return lambda name: get_header(scope, name.encode())


def dialect_of(scope: Scope) -> Dialect:
    """The dialect that the client speaks."""
    return registry.dialect_of(scope["path"], header_lookup(scope))


def request_id_of(scope: Scope) -> str:
    """The request's id, as it stands in `x-request-id`."""
    found: str = scope.get("state", {}).get("request_id", "")
    return found


def error_response(error: TrayError, scope: Scope) -> ErrorResponse:
    """The error in the client's own dialect. `error` of the request's state is it from now on."""
    state_of(scope)["error"] = error
    return dialect_of(scope).error_response(error, request_id_of(scope) or None)


async def send_error(error: TrayError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the error. Body bytes that are still on their way are left to the HTTP server, which drops them."""
    answer = error_response(error, scope)
    await json_response(answer.body, answer.status, answer.headers)(scope, receive, send)


def state_of(scope: Scope) -> MutableMapping[str, Any]:
    """The request's own state, shared by the layers (`request.state` in an endpoint)."""
    state: MutableMapping[str, Any] = scope.setdefault("state", {})
    return state
