"""A scripted backend for tests of the HTTP side, without a CLI."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Any

import orjson

from server.backends.base import BackendStatus
from server.core.messages import MessagesRequest, StreamEvent
from server.models.info import ModelInfo

MODELS = (
    ModelInfo("claude-opus-5-5", "opus", "Opus 5.5", effort_levels=("low", "high"), is_default=True),
    ModelInfo("claude-sonnet-5-5", "sonnet", "Sonnet 5.5"),
    ModelInfo("claude-haiku-4-5-20251001", "haiku", "Haiku 4.5", supports_thinking_off=True),
)


class Gate:
    """Holds a stream at one step. The test waits until it is `reached`, and may then open it."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._open = asyncio.Event()

    def open(self) -> None:
        """Let the stream continue."""
        self._open.set()

    async def passed(self) -> None:
        self.reached.set()
        await self._open.wait()


Step = StreamEvent | Exception | Gate


class ScriptedBackend:
    """Plays one script for each request, in the order of `script` calls.

    `requests` are the received requests. `ended` counts the streams that were played to the end, `closed` those that
    ended early (their reader closed them, or an error was raised). `stop` waits for `may_stop`.
    """

    name = "scripted"

    def __init__(self) -> None:
        self.requests: list[MessagesRequest] = []
        self.ended = 0
        self.closed = 0
        self.offered = MODELS
        self.running = False
        self.may_stop = asyncio.Event()
        self.may_stop.set()
        self._scripts: deque[list[Step]] = deque()
        self._changed = asyncio.Condition()

    def script(self, *steps: Step | Iterable[StreamEvent]) -> None:
        """Queue a script: events (or lists of them), errors to raise, gates to wait at."""
        flat: list[Step] = []
        for step in steps:
            if isinstance(step, dict | Exception | Gate):
                flat.append(step)
            else:
                flat.extend(step)
        self._scripts.append(flat)

    async def stream(self, request: MessagesRequest) -> AsyncIterator[StreamEvent]:
        self.requests.append(request)
        script = self._scripts.popleft()
        complete = False
        try:
            for step in script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, Gate):
                    await step.passed()
                else:
                    yield step
            complete = True
        finally:
            self.ended += complete
            self.closed += not complete
            async with self._changed:
                self._changed.notify_all()

    async def until_closed(self, count: int = 1) -> None:
        """Return when `count` streams were closed before their end."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.closed >= count)

    def models(self) -> tuple[ModelInfo, ...]:
        return self.offered

    def status(self) -> BackendStatus:
        facts = {"version": "9.9.9", "signed_in": True, "account": {"email": "someone@example.com"}}
        return BackendStatus(self.running, "Everything is scripted.", facts)

    async def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        await self.may_stop.wait()
        self.running = False


def begin(model: str = "claude-opus-5-5", input_tokens: int = 10, cached: int = 5, written: int = 0) -> StreamEvent:
    """message_start."""
    usage = {
        "input_tokens": input_tokens,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": written,
        "output_tokens": 1,
    }
    message = {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    return {"type": "message_start", "message": message}


def delta(text: str, index: int = 0) -> StreamEvent:
    """A text delta."""
    return {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}


def block(start: dict[str, Any], *deltas: dict[str, Any], index: int = 0) -> list[StreamEvent]:
    """All events of a content block."""
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": part} for part in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def text(*parts: str, index: int = 0) -> list[StreamEvent]:
    """A text block with a delta for each part."""
    return block({"type": "text", "text": ""}, *({"type": "text_delta", "text": part} for part in parts), index=index)


def thinking(*parts: str, index: int = 0) -> list[StreamEvent]:
    """A thinking block with a delta for each part."""
    deltas = [{"type": "thinking_delta", "thinking": part} for part in parts]
    return block({"type": "thinking", "thinking": "", "signature": ""}, *deltas, index=index)


def tool_use(name: str, arguments: dict[str, Any], *, id: str = "toolu_1", index: int = 0) -> list[StreamEvent]:
    """A tool call with its input in one delta."""
    start = {"type": "tool_use", "id": id, "name": name, "input": {}}
    return block(start, {"type": "input_json_delta", "partial_json": orjson.dumps(arguments).decode()}, index=index)


def end(stop_reason: str = "end_turn", output_tokens: int = 7, cost: float | None = None) -> list[StreamEvent]:
    """message_delta and message_stop."""
    last: StreamEvent = {
        "type": "message_delta",
        "delta": {"stop_reason": stop_reason, "stop_sequence": None},
        "usage": {"output_tokens": output_tokens},
    }
    if cost is not None:
        last["cost_usd"] = cost
    return [last, {"type": "message_stop"}]


def answer(*parts: str, cost: float | None = None) -> list[StreamEvent]:
    """All events of an answer with one text block."""
    return [begin(), *text(*parts), *end(cost=cost)]
