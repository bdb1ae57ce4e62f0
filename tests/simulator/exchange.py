"""One request being answered: what is written when, and the record of it."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from server.core import exact_json
from tests.simulator.blocks import Frame, Request
from tests.simulator.encoding import Step, message, steps, stream_error
from tests.simulator.gate import Gate
from tests.simulator.http_errors import ERROR_TYPES, HttpError
from tests.simulator.recording import Recorded, Recording
from tests.simulator.replies import Cut, Reply

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

MAX_WRITE = 8 * 1024


class Exchange:
    """One request being answered: writes the answer and keeps the record of it."""

    def __init__(self, recorded: Recorded, recording: Recording, send: Send, transport: asyncio.Transport) -> None:
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
        data = exact_json.dumps(body)
        length = {"content-length": str(len(data))}
        await self._start(status, {"content-type": "application/json", **length, **(headers or {})})
        await self._send({"type": "http.response.body", "body": data})

    def ended(self, **changes: Any) -> None:
        """The exchange is over."""
        if self.recorded.ended is None:
            self._recording.update(self.recorded, ended=time.monotonic(), **changes)

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
        # Counted before they go: who has read an event finds it counted.
        self._recording.update(self.recorded, events_sent=self.recorded.events_sent + events)
        await self._send({"type": "http.response.body", "body": data, "more_body": more})


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
