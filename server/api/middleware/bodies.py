"""Request bodies: limits of size, time and depth, and parsing of JSON."""

import asyncio
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.exchange.responses import get_header
from server.core import exact_json
from server.core.errors import BodyTooLarge, InvalidRequest, RequestTimedOut
from server.core.messages import is_deeper

STALL_SECONDS = 60.0
MAX_DEPTH = 200
"""orjson reads 1024 levels but writes only 254: a deeper body could not be passed on."""


class BodyLimit:
    """Refuses bodies of more than `limit` bytes.

    Content-Length is checked before reading; otherwise the bytes are counted while they arrive. A body is also refused
    if no part of it arrives for `stall_seconds`. As long as it grows, it may take any time.

    The error is sent immediately. The HTTP server reads and drops the rest of the body: closing the connection would
    lose the error for a client that reads only after writing.
    """

    def __init__(self, app: ASGIApp, *, limit: int, stall_seconds: float = STALL_SECONDS) -> None:
        self._app = app
        self._limit = limit
        self._stall_seconds = stall_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = get_header(scope, b"content-length")
        if declared is not None and declared.isdecimal() and int(declared) > self._limit:
            raise too_large_error(f"{int(declared):,} bytes", self._limit)
        seen, complete = 0, False

        async def receive_counted() -> Message:
            nonlocal seen, complete
            # After the body only the disconnect follows, which has no time limit.
            message = await receive() if complete else await self._receive_next(receive)
            complete = not message.get("more_body", False)
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise too_large_error(f"more than {self._limit:,} bytes", self._limit)
            return message

        await self._app(scope, receive_counted, send)

    async def _receive_next(self, receive: Receive) -> Message:
        try:
            async with asyncio.timeout(self._stall_seconds):
                return await receive()
        except TimeoutError:
            raise RequestTimedOut(
                f"No part of the request's body arrived for {self._stall_seconds:g} seconds.", hint="Send it again."
            ) from None


def too_large_error(size: str, limit: int) -> BodyTooLarge:
    """The error for a body of that size."""
    return BodyTooLarge(
        f"The request body has {size}; the limit is {limit:,}.",
        limit=limit,
        hint="Send a smaller body, or raise the setting max_body_bytes.",
    )


async def read_body(receive: Receive) -> bytes:
    """Read the whole body. Raises ClientDisconnect."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def parse_object(raw: bytes) -> dict[str, Any]:
    """Parse the body's JSON object, ignoring Content-Type. Raises InvalidRequest."""
    if not raw.strip():
        raise InvalidRequest("The request has no body.", hint="Send a JSON object.")
    try:
        body = exact_json.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"The body is not valid JSON: {error}.", hint="Send a JSON object in UTF-8.") from None
    if not isinstance(body, dict):
        raise InvalidRequest("The body is JSON, but not an object.", hint="Send a JSON object: {...}.")
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and is_deeper(body, MAX_DEPTH):
        raise InvalidRequest(f"The body is nested deeper than {MAX_DEPTH} levels.", hint="Flatten it.")
    return body
