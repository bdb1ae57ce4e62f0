"""Mutated requests: none gets a 5xx, and none causes a traceback in the log.

Written to a real socket, since clients' libraries would not send most of them.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import strategies as st

from server.api.exchange.images import ImageFetcher
from server.core.messages import MessagesRequest, StreamEvent
from server.hosting.connections import ConnectionLimits
from tests.api.conftest import KEY, Served, start_server
from tests.scripted_backend import ScriptedBackend, answer

EXAMPLES = 200

IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
CHAT: dict[str, Any] = {
    "model": "opus",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "A cat"},
        {"role": "user", "content": "Hello"},
    ],
    "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}],
    "tool_choice": "auto",
    "max_tokens": 9,
    "temperature": 1,
    "stop": ["x"],
    "n": 1,
    "stream": False,
    "response_format": {"type": "text"},
    "session_id": "s",
}
MESSAGES: dict[str, Any] = {
    "model": "opus",
    "max_tokens": 2000,
    "system": [{"type": "text", "text": "Be brief."}],
    "messages": [
        {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "http://a.example/x.png"}}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "A cat"}]},
    ],
    "tools": [{"name": "look", "description": "Looks", "input_schema": {"type": "object"}}],
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "stop_sequences": ["x"],
    "metadata": {"user_id": "me"},
    "stream": True,
}
RESPONSES: dict[str, Any] = {
    "model": "opus",
    "instructions": "Be brief.",
    "input": [
        {"type": "additional_tools", "role": "developer", "tools": [{"type": "custom", "name": "exec"}]},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Hello"},
                {"type": "input_image", "image_url": "http://a.example/x.png"},
                {"type": "input_file", "file_url": "http://a.example/x.pdf"},
            ],
        },
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
        {"type": "function_call", "call_id": "call_1", "name": "look", "namespace": "eyes", "arguments": '{"a": 1}'},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "exec", "input": "x"},
        {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "A cat"}]},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "x"},
        {"type": "compaction", "encrypted_content": "dgm1.e30.x"},
        {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
        {"type": "compaction_trigger"},
    ],
    "tools": [
        {"type": "namespace", "name": "eyes", "description": "", "tools": [{"type": "function", "name": "look"}]},
        {"type": "tool_search", "execution": "client", "parameters": {"type": "object", "properties": {}}},
        {"type": "web_search"},
    ],
    "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "look"}]},
    "text": {"format": {"type": "text"}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "metadata": {"a": "b"},
    "stream": True,
}
BODIES = {
    "/v1/chat/completions": CHAT,
    "/v1/messages": MESSAGES,
    "/v1/messages/count_tokens": MESSAGES,
    "/v1/responses": RESPONSES,
}
ADDRESSES = ("url", "image_url", "file_url")
IMAGE_AT = ("messages", 0, "content", 0, "source", "url")
ODD_VALUES = [
    None, True, 0, -1, 2**53 + 1, 2**63, 2**64, 10**400, 1e308, float("nan"), float("inf"), "", " ", "\0", "\ud800",
    "\U0001f600", "x" * 5000, "9" * 5000, [], {}, [[]], [None], {"": ""}, {"type": None},
    {"type": "text", "text": "\udfff"},
    "a/b", "..", "%00",
]  # fmt: skip
ODD_ADDRESSES = [
    "http://[::1", f"http://{'a' * 64}.example/x.png", "http://a:b/x.png", "http://a:99999/", "http://\u00fc/x", "http://\0/",
    "http://\ud800/", "http://a..b/", "data:image/png;base64,@@@", "data:image/png;base64,AAA", "data:,",
    "data:image/png;base64,\u00fc", "//", "http:",
]  # fmt: skip
ODD_TEXTS = [
    "", " ", "\xff", "\x80\x81", "a\tb", "%00", "%ff%fe", "\xb2", "1" * 30, "-1", "1e999", "nan", "inf", "0x10",
    "_", ";", ",",
    '"', "\\", "x" * 3000, "[", "[::1", "[::1]:x", "localhost:", "localhost:80:80", ":", "@", "http://[", "null",
    "..", "=",
]  # fmt: skip
PATHS = [*BODIES, "/v1/models", "/v1/models/opus", "/"]
PATHS += [
    "/health",
    "/api/requests",
    "/api/sessions",
    "/api/requests/x",
    "/api/sessions/s",
    "/chat/completions",
    "//v1//",
]
PARAMETERS = [
    "limit",
    "cursor",
    "search",
    "session_id",
    "status",
    "since",
    "until",
    "all",
    "after_id",
    "before_id",
    "key",
]
PARAMETER_VALUES = ["99999999999999999999", "9" * 5000, "%00", "%22", "WyJhIl0", "WzFlNDAwLCAiYSJd", "W251bGwsICJhIl0"]
PARAMETER_VALUES += ["WzEsIlx1ZDgwMCJd", "WzE4NDQ2NzQ0MDczNzA5NTUxNjE2LCJhIl0", "*", "%F0%9F%98%80", "%ED%A0%80", "AND"]
HEADERS = [
    "host",
    "authorization",
    "x-api-key",
    "api-key",
    "origin",
    "x-request-id",
    "x-session-id",
    "x-session-affinity",
]
HEADERS += ["anthropic-version", "anthropic-beta", "content-type", "content-encoding", "content-length", "user-agent"]
HEADERS += ["transfer-encoding", "expect", "connection", "upgrade", "accept", "cookie", "access-control-request-method"]

Draw = st.DrawFn


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values in a body."""
    yield at
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*at, key))


def found(value: Any, at: tuple[Any, ...]) -> Any:
    """The value at that path."""
    for key in at:
        value = value[key]
    return value


def put(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    """A copy of `value` with another value at that path."""
    if not at:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[at[0]] = put(value[at[0]], at[1:], new)
    return copied


@st.composite
def bodies(draw: Draw, base: dict[str, Any]) -> bytes:
    """A body with up to two odd values or a few changed bytes."""
    body: Any = base
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.sampled_from([place for place in places(body) if place]))
        is_address = at[-1] in ADDRESSES and isinstance(found(body, at), str)
        body = put(body, at, draw(st.sampled_from(ODD_ADDRESSES if is_address else ODD_VALUES)))
    raw = json.dumps(body).encode()
    if draw(st.integers(0, 4)) == 0:
        start = draw(st.integers(0, len(raw)))
        raw = raw[:start] + draw(st.binary(max_size=5)) + raw[start + draw(st.integers(0, 5)) :]
    return raw


def post(path: str, body: Any) -> bytes:
    """A request with a valid head."""
    raw = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {KEY}\r\ncontent-length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


@st.composite
def requests(draw: Draw) -> bytes:
    """A mostly valid request as bytes."""
    path = draw(st.sampled_from(list(BODIES)) | st.sampled_from(PATHS))
    method = "POST" if path in BODIES else "GET"
    if draw(st.integers(0, 9)) == 0:
        method = draw(st.sampled_from(["GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "X", "get", "CONNECT"]))
    body = b""
    if method == "POST":
        body = draw(bodies(BODIES.get(path, CHAT)))
    headers = {"host": "localhost", "authorization": f"Bearer {KEY}", "content-length": str(len(body))}
    for _ in range(draw(st.integers(0, 2))):
        headers[draw(st.sampled_from(HEADERS))] = draw(
            st.sampled_from(ODD_TEXTS) | st.text(st.characters(max_codepoint=255), max_size=9)
        )
    if draw(st.integers(0, 4)) == 0:
        path += draw(st.sampled_from(["/", "//", "/..", "%2F", "%00", "%ff", "%ED%A0%80", ";", "/x" * 2000, "\x7f"]))
    if draw(st.integers(0, 2)) == 0:
        name, value = draw(st.sampled_from(PARAMETERS)), draw(st.sampled_from([*PARAMETER_VALUES, *ODD_TEXTS]))
        path += f"?{name}={value}"
    if draw(st.integers(0, 19)) == 0:
        path = draw(st.sampled_from(["http://localhost", "http://[", "*", "", "http://", "localhost:1"])) + path
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    raw = "\r\n".join(lines).encode("latin-1", "replace") + body
    if draw(st.integers(0, 19)) == 0:
        start = draw(st.integers(0, len(raw)))
        raw = raw[:start] + draw(st.binary(max_size=3)) + raw[start:]
    return raw


class Answering(ScriptedBackend):
    """A backend with the same answer for every request."""

    async def stream(self, request: MessagesRequest) -> AsyncIterator[StreamEvent]:
        for event in answer("Hi"):
            yield event


async def resolve(host: str, port: int) -> list[str]:
    host.encode("idna")
    return ["127.0.0.1"]


async def ask(server: Served, request: bytes) -> bytes:
    """The first line of the response. The server's limits end requests that the client leaves unfinished."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(request)
        first = await reader.readline()
        while first.startswith(b"HTTP/1.1 100 "):
            await reader.readline()
            first = await reader.readline()
        return first
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


class Traces(logging.Handler):
    """Collects the log's errors and tracebacks."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or record.levelno >= logging.ERROR:
            self.found.append(self.format(record))


@contextmanager
def traces() -> Iterator[list[str]]:
    handler = Traces()
    logging.getLogger().addHandler(handler)
    yield handler.found
    logging.getLogger().removeHandler(handler)


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[Served]:
    limits = ConnectionLimits(head_seconds=0.1, rest_seconds=0.1)
    async with AsyncExitStack() as stack:
        yield await start_server(
            stack,
            directory,
            backend=Answering(),
            limits=limits,
            images=ImageFetcher(resolve=resolve),
            body_stall_seconds=0.1,
            rate_limit="",
            log_bodies=True,
        )


def test_mutated_requests(tmp_path: Path) -> None:
    with asyncio.Runner() as runner, traces() as found:
        server = running(tmp_path)
        served = runner.run(server.__aenter__())

        @hypothesis.settings(max_examples=EXAMPLES)
        @hypothesis.example(post("/v1/messages", put(MESSAGES, IMAGE_AT, ODD_ADDRESSES[1])))
        @hypothesis.given(requests())
        def check(request: bytes) -> None:
            first = runner.run(ask(served, request))
            assert found == []
            assert first.split(b" ")[1:2] < [b"500"] or first.startswith(b"HTTP/1.1 501 "), first

        try:
            check()
        finally:
            runner.run(server.__aexit__(None, None, None))
