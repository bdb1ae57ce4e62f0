"""Request ids, for the response headers, the log and the list of requests."""

import re
import uuid

from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from server.api.exchange.responses import dialect_of, get_header, state_of, with_headers

# A client's own id must not break a header, a log line or a query.
_VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
"""https://www.w3.org/TR/trace-context/#traceparent-header."""


class RequestIds:
    """Assigns the request's id and sends it back; a valid `x-request-id` is kept.

    Each dialect names the response headers that its clients read. The log's lines also have the trace of a client's
    `traceparent`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = get_header(scope, b"x-request-id") or ""
        request_id = wanted if _VALID.fullmatch(wanted) else f"req_{uuid.uuid4().hex}"
        state_of(scope)["request_id"] = request_id
        headers = dict.fromkeys(dialect_of(scope).request_id_headers, request_id)
        traced = _TRACEPARENT.fullmatch(get_header(scope, b"traceparent") or "")
        with bound_contextvars(request_id=request_id, **({"trace_id": traced[1]} if traced else {})):
            await self._app(scope, receive, with_headers(send, headers))
