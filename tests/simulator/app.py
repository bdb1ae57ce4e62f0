"""The simulator's HTTP: routes, the API key, recording, and writing the answer. An ASGI application."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import orjson

from tests.simulator.encoding import ErrorFrame, Frame, Request, Step, estimate_tokens, message, steps, stream_error
from tests.simulator.models import MODELS
from tests.simulator.recording import MESSAGES_PATH, Recorded, Recording
from tests.simulator.refusals import Refusal, refusal
from tests.simulator.replies import ERROR_TYPES, Cut, Gate, HttpError, Reply
from tests.simulator.script import Script

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

COUNT_TOKENS_PATH = "/v1/messages/count_tokens"
MODELS_PATH = "/v1/models"
TRANSPORT = "simulator.transport"
"""Where the server puts the connection's transport in the ASGI scope, so that an answer can abort it."""

MAX_BODY = 32 * 1024 * 1024
MAX_WRITE = 8 * 1024


class App:
    """The API over one script and one recording. `strict` switches the refusals of the real API on."""

    def __init__(self, script: Script, recording: Recording, strict: bool = True) -> None:
        self._script = script
        self._recording = recording
        self._strict = strict

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request."""
        raw = await _read(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        recorded = Recorded(scope["method"], scope["path"], headers, raw, _decoded(raw))
        self._recording.add(recorded)
        exchange = Exchange(recorded, self._recording, send, scope["extensions"][TRANSPORT])
        try:
            await _until_gone(self._answer(exchange), receive, exchange)
        finally:
            exchange.ended()

    async def _answer(self, exchange: "Exchange") -> None:
        recorded = exchange.recorded
        if not (recorded.headers.get("x-api-key") or recorded.headers.get("authorization", "").startswith("Bearer ")):
            await exchange.send_error(HttpError(401, message="x-api-key header is required"))
            return
        match (recorded.method, recorded.path):
            case ("POST", "/v1/messages"):
                await self._messages(exchange)
            case ("POST", "/v1/messages/count_tokens"):
                await self._count_tokens(exchange)
            case ("GET", "/v1/models"):
                await exchange.send_json(200, _model_list())
            case ("GET", path) if path.startswith(MODELS_PATH + "/"):
                await _one_model(exchange, path.removeprefix(MODELS_PATH + "/"))
            case _:
                await exchange.send_error(HttpError(404, message="Not Found"))

    async def _messages(self, exchange: "Exchange") -> None:
        refused = self._refused(exchange.recorded)
        if refused is not None:
            await exchange.send_error(HttpError(refused.status, refused.type, refused.message))
            return
        await exchange.send_reply(self._script.reply_to(exchange.recorded))

    async def _count_tokens(self, exchange: "Exchange") -> None:
        recorded = exchange.recorded
        body = {"max_tokens": 1, **recorded.body} if isinstance(recorded.body, dict) else recorded.body
        refused = self._refused(recorded, body)
        if refused is not None:
            await exchange.send_error(HttpError(refused.status, refused.type, refused.message))
            return
        await exchange.send_json(200, {"input_tokens": estimate_tokens(len(recorded.raw))})

    def _refused(self, recorded: Recorded, body: Any = None) -> Refusal | None:
        if len(recorded.raw) > MAX_BODY:
            return Refusal("Request exceeds the maximum size", 413, "request_too_large")
        body = recorded.body if body is None else body
        if not isinstance(body, dict):
            return Refusal("The request body is not valid JSON")
        return refusal(body) if self._strict else None


class Exchange:
    """One request being answered: writes the answer and keeps the record of it."""

    def __init__(
        self, recorded: Recorded, recording: Recording, send: Send, transport: asyncio.Transport
    ) -> None:
        self.recorded = recorded
        self._recording = recording
        self._send = send
        self._transport = transport
        self._request_id = f"req_{uuid.uuid4().hex[:24]}"

    async def send_reply(self, reply: Reply | HttpError) -> None:
        """Write a scripted reply, streamed where the request asks for it."""
        if isinstance(reply, HttpError):
            await asyncio.sleep(reply.delay)
            await self.send_error(reply)
            return
        await asyncio.sleep(reply.first_delay)
        request = Request(self.recorded.body, len(self.recorded.raw))
        if self.recorded.body.get("stream"):
            await self._stream(steps(reply, request), reply.headers)
        else:
            await self._whole(reply, request)

    async def send_error(self, error: HttpError) -> None:
        """Write an error answer."""
        await self.send_json(error.status, error.body(self._request_id), error.all_headers())

    async def send_json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        """Write a JSON answer."""
        data = orjson.dumps(body)
        length = {"content-length": str(len(data))}
        await self._start(status, {"content-type": "application/json", **length, **(headers or {})})
        await self._send({"type": "http.response.body", "body": data})

    def ended(self, **changes: Any) -> None:
        """The exchange is over."""
        loop_time = asyncio.get_running_loop().time()
        if self.recorded.ended is None:
            self._recording.update(self.recorded, ended=loop_time, **changes)

    async def _whole(self, reply: Reply, request: Request) -> None:
        todo = steps(reply, request)
        await asyncio.sleep(sum(step.delay for step in todo if isinstance(step, Frame)))
        for step in todo:
            if isinstance(step, Gate):
                await step.pass_through()
            elif isinstance(step, Cut):
                self._transport.abort()
                return
        error = stream_error(reply)
        if error is not None:
            status = next((code for code, type_ in ERROR_TYPES.items() if type_ == error.type), 500)
            await self.send_error(HttpError(status, error.type, error.message))
            return
        await self.send_json(200, message(reply, request), reply.headers)

    async def _stream(self, todo: list[Step], headers: Mapping[str, str]) -> None:
        """Write the steps, each frame at its time; frames that are due together share a write."""
        loop = asyncio.get_running_loop()
        pending = Pending(self, headers)
        due = loop.time()
        for step in todo:
            if isinstance(step, Frame):
                due += step.delay
                if step.delay and due > loop.time():
                    await pending.flush()
                    await asyncio.sleep(due - loop.time())
                await pending.add(step)
            elif isinstance(step, Gate):
                await pending.flush()
                await step.pass_through()
                due = loop.time()
            elif isinstance(step, Cut):
                await pending.flush()
                self._transport.abort()
                return
        await pending.finish()

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.recorded.status = status
        lines = {"request-id": self._request_id, **headers}
        encoded = [(name.encode(), value.encode()) for name, value in lines.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": encoded})

    async def start_stream(self, headers: Mapping[str, str]) -> None:
        """Write the head of a streamed answer."""
        content_type = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        await self._start(200, {**content_type, **headers})

    async def write(self, data: bytes, events: int, more: bool = True) -> None:
        """Write a piece of a streamed answer."""
        await self._send({"type": "http.response.body", "body": data, "more_body": more})
        self._recording.update(self.recorded, events_sent=self.recorded.events_sent + events)


class Pending:
    """Frames that wait for a write; nothing at all is written before the first of them, not even the head."""

    def __init__(self, exchange: Exchange, headers: Mapping[str, str]) -> None:
        self._exchange = exchange
        self._headers = headers
        self._started = False
        self._frames: list[bytes] = []
        self._size = 0

    async def add(self, frame: Frame) -> None:
        """One more frame."""
        self._frames.append(frame.data)
        self._size += len(frame.data)
        if self._size >= MAX_WRITE:
            await self.flush()

    async def flush(self) -> None:
        """Write what waits."""
        if not self._frames:
            return
        if not self._started:
            self._started = True
            await self._exchange.start_stream(self._headers)
        frames, self._frames, self._size = self._frames, [], 0
        await self._exchange.write(b"".join(frames), len(frames))

    async def finish(self) -> None:
        """Write what waits and end the answer."""
        await self.flush()
        if not self._started:
            await self._exchange.start_stream(self._headers)
        await self._exchange.write(b"", 0, more=False)


async def _until_gone(answer: Any, receive: Receive, exchange: Exchange) -> None:
    """Write the answer until it is whole or the client is gone."""
    writing = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if writing.done():
            await writing
        else:
            exchange.ended(disconnected=True)
    finally:
        writing.cancel()
        leaving.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(receive: Receive) -> bytes:
    pieces = []
    more = True
    while more:
        message_ = await receive()
        pieces.append(message_.get("body", b""))
        more = message_.get("more_body", False)
    return b"".join(pieces)


def _decoded(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


def _model_entry(id_: str) -> dict[str, Any]:
    name = MODELS[id_].display_name
    return {"type": "model", "id": id_, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}


def _model_list() -> dict[str, Any]:
    data = [_model_entry(id_) for id_ in MODELS]
    return {"data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]}


async def _one_model(exchange: Exchange, id_: str) -> None:
    if id_ in MODELS:
        await exchange.send_json(200, _model_entry(id_))
    else:
        await exchange.send_error(HttpError(404, message=f"model: {id_}"))
