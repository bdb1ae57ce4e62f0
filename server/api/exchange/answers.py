"""How an answer or an error is written in the manner that the client expects."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.core import exact_json
from server.core.errors import ErrorResponse, TrayError, anthropic_response, openai_response
from server.core.redaction import redact_text

_ANTHROPIC_PATH = re.compile(r"/v1/messages(?:/|$)")
"""Anywhere in the path: below a wrong base URL it is still Anthropic's client that asks."""

MAX_PATH = 200
"""Characters of a path that are shown and kept."""


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`body` as a JSON answer."""
    return Response(exact_json.dumps(body), status, dict(headers or {}), media_type="application/json")


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of that (lower-case) name."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def shown_path(scope: Scope) -> str:
    """The path for messages, logs and records: one line, not too long, and without a key that was put into it."""
    path = redact_text(scope["path"][:MAX_PATH])
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in path)


def is_anthropic(scope: Scope) -> bool:
    """Whether the client speaks Anthropic's dialect: by the path, or by the header that all its clients send."""
    return bool(_ANTHROPIC_PATH.search(scope["path"])) or header(scope, b"anthropic-version") is not None


def request_id(scope: Scope) -> str:
    """The request's id, as it stands in `x-request-id`."""
    found: str = scope.get("state", {}).get("request_id", "")
    return found


def error_response(error: TrayError, scope: Scope) -> ErrorResponse:
    """The error in the client's own dialect. `error` of the request's state is it from now on."""
    state_of(scope)["error"] = error
    if is_anthropic(scope):
        return anthropic_response(error, request_id(scope) or None)
    return openai_response(error)


async def send_error(error: TrayError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the error. Body bytes that are still on their way are left to the HTTP server, which drops them."""
    answer = error_response(error, scope)
    await json_response(answer.body, answer.status, answer.headers)(scope, receive, send)


def state_of(scope: Scope) -> MutableMapping[str, Any]:
    """The request's own state, shared by the layers (`request.state` in an endpoint)."""
    state: MutableMapping[str, Any] = scope.setdefault("state", {})
    return state
