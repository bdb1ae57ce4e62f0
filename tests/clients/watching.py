"""Every answer that a client gets is held to what its dialect promises, whatever the test looks at."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson
from anthropic.types import ErrorResponse, Message, MessageTokensCount, RawMessageStreamEvent
from pydantic import TypeAdapter

from tests.openai_schema import validate, validate_response_event

_MESSAGE = TypeAdapter[Any](Message)
_COUNT = TypeAdapter[Any](MessageTokensCount)
_EVENT = TypeAdapter[Any](RawMessageStreamEvent)
_ERROR = TypeAdapter[Any](ErrorResponse)


@dataclass
class Watch:
    """Number of answers and events checked against a schema, and the violations."""

    checked: int = 0
    faults: list[str] = field(default_factory=list)

    def judge(self, path: str, status: int, content_type: str, body: bytes) -> None:
        """Look at a whole answer, or at as much of a stream as has come."""
        check = _CHECKS.get(path)
        if check is None:
            return
        try:
            if content_type.startswith("text/event-stream"):
                self._events(check, body)
            else:
                check(orjson.loads(body), status, None)
                self.checked += 1
        except Exception as error:
            self.faults.append(f"{path} {status}: {error}\n{body[:2000]!r}")

    def _events(self, check: Callable[[Any, int, str | None], None], body: bytes) -> None:
        *events, rest = body.decode().split("\n\n")
        assert not rest, f"the stream ends within an event: {rest[:200]!r}"
        for event in events:
            if not event.startswith(":"):
                fields = dict(re.findall(r"^(\w+): (.*)$", event, re.MULTILINE))
                data = fields["data"]
                check(data if data == "[DONE]" else orjson.loads(data), 0, fields.get("event"))
                self.checked += 1


def _chat(value: Any, status: int, event: str | None) -> None:
    assert event is None, f"OpenAI's events have no name, but here is {event}"
    if value == "[DONE]":
        return
    if status >= 400 or (status == 0 and "error" in value):
        validate("ErrorResponse", value)
    else:
        validate("CreateChatCompletionStreamResponse" if status == 0 else "CreateChatCompletionResponse", value)


def _messages(value: Any, status: int, event: str | None) -> None:
    if status >= 400 or event == "error":
        _ERROR.validate_python(value)
        assert value["type"] == "error"
    elif status == 0:
        assert value["type"] == event
        if event != "ping":
            _EVENT.validate_python(value)
    else:
        _MESSAGE.validate_python(value)


def _count(value: Any, status: int, event: str | None) -> None:
    (_ERROR if status >= 400 else _COUNT).validate_python(value)


def _responses(value: Any, status: int, event: str | None) -> None:
    if status >= 400:
        validate("ErrorResponse", value)
    elif status:
        validate("Response", value)
    else:
        assert value["type"] == event
        if event != "keepalive":
            validate_response_event(value)


_CHECKS: dict[str, Callable[[Any, int, str | None], None]] = {
    "/v1/chat/completions": _chat,
    "/v1/messages": _messages,
    "/v1/messages/count_tokens": _count,
    "/v1/responses": _responses,
}


class WatchedTransport(httpx2.AsyncHTTPTransport):
    """An SDK's way to the server, which `watch` looks along."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        kind = response.headers.get("content-type", "")
        path, status = request.url.path, response.status_code
        response.stream = _Tee(response.stream, lambda body: self._watch.judge(path, status, kind, body))
        return response


class _Tee(httpx2.AsyncByteStream):
    """Pass the bytes on; `done` receives those seen once reading stops."""

    def __init__(self, inner: httpx2.AsyncByteStream, done: Callable[[bytes], None]) -> None:
        self._inner = inner
        self._done = done
        self._parts: list[bytes] = []
        self._whole = False
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._inner:
            self._parts.append(part)
            yield part
        self._whole = True

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            body = b"".join(self._parts)
            # A client that leaves may do so within an event.
            self._done(body if self._whole else body[: body.rfind(b"\n\n") + 2])
        await self._inner.aclose()
