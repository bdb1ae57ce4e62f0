"""Answers kept for repeats of their request, by `Idempotency-Key`.

An answer is generated apart from the connections that read it: the first request and its repeats read the same bytes,
from the first one, while it is generated and afterwards.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Send

from server.core.tasks import spawn

KEEP_SECONDS = 600.0
"""How long a complete answer is kept."""
ABANDON_SECONDS = 10.0
"""How long an answer without a reader is generated: an SDK repeats a request within seconds of its timeout."""
MAX_BYTES = 64 * 1024 * 1024
"""Limit of all complete answers together; the oldest are dropped."""

Identity = tuple[str, str, str]
"""Client, path and `Idempotency-Key`."""
Generate = Callable[[Receive, Send], Awaitable[None]]


@dataclass(eq=False)
class KeptAnswer:
    """The answer to one request: ASGI messages, and the error that ended it, if any.

    `digest` is that of the request's body, `request_id` its id.
    """

    digest: bytes
    request_id: str
    messages: list[Message] = field(default_factory=list)
    error: Exception | None = None
    is_over: bool = False
    size: int = 0
    kept_until: float = 0.0
    _readers: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Replaced at each change, so that every reader wakes."""
    _abandoned: asyncio.Event = field(default_factory=asyncio.Event)
    _abandoning: asyncio.TimerHandle | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the client got a whole, successful answer."""
        if not self.is_over or self.error is not None or not self.messages:
            return False
        return self.messages[0]["status"] < 400 and not self.messages[-1].get("more_body", False)

    async def generate(self, run: Generate, body: bytes) -> None:
        """Run the application on `body`, and collect what it sends."""
        parts = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Message:
            if (part := next(parts, None)) is not None:
                return part
            await self._abandoned.wait()
            return {"type": "http.disconnect"}

        async def collect(message: Message) -> None:
            self.messages.append(message)
            self.size += len(message.get("body", b""))
            self._wake_readers()

        try:
            await run(receive, collect)
        except ClientDisconnect:
            pass
        except Exception as error:
            self.error = error
        finally:
            self.is_over = True
            self._wake_readers()

    async def read(self, receive: Receive, send: Send) -> None:
        """Send the whole answer to one client, until it leaves. Raises the error of an answer that failed."""
        self._readers += 1
        if self._abandoning is not None:
            self._abandoning.cancel()
            self._abandoning = None
        left = spawn(_wait_for_disconnect(receive), name="watch the client")
        try:
            await self._send_all(send, left)
        finally:
            left.cancel()
            self._readers -= 1
            if not self._readers and not self.is_over:
                loop = asyncio.get_running_loop()
                self._abandoning = loop.call_later(ABANDON_SECONDS, self._abandoned.set)

    async def _send_all(self, send: Send, left: asyncio.Task[None]) -> None:
        sent = 0
        while not left.done():
            # In this order: a message that is added after the check replaces the event that is awaited.
            changed, over = self._changed, self.is_over
            if sent < len(self.messages):
                # A copy: the outer layers add their headers to it.
                await send(dict(self.messages[sent]))
                sent += 1
            elif over:
                if self.error is not None:
                    raise self.error
                return
            else:
                waiting = asyncio.ensure_future(changed.wait())
                try:
                    await asyncio.wait([waiting, left], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    waiting.cancel()

    def _wake_readers(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class KeptAnswers:
    """All answers that a repeat may ask for, those being generated included."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._answers: dict[Identity, KeptAnswer] = {}
        """Oldest first."""
        self._clock = clock

    def find_answer(self, identity: Identity) -> KeptAnswer | None:
        """Return the answer for a repeat; None for a first request."""
        self._drop_old()
        return self._answers.get(identity)

    def start_answer(self, identity: Identity, answer: KeptAnswer, run: Generate, body: bytes) -> None:
        """Begin to generate `answer`; it is kept only if it becomes complete."""
        self._answers[identity] = answer

        async def generate() -> None:
            try:
                await answer.generate(run, body)
            finally:
                answer.kept_until = self._clock() + KEEP_SECONDS
                if not answer.is_complete and self._answers.get(identity) is answer:
                    del self._answers[identity]
                self._drop_old()

        spawn(generate(), name="kept answer")

    def _drop_old(self) -> None:
        now, room = self._clock(), MAX_BYTES
        for identity, answer in reversed(list(self._answers.items())):
            if not answer.is_over:
                continue
            room -= answer.size
            if room < 0 or now > answer.kept_until:
                del self._answers[identity]


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
