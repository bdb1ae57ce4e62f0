"""The generation of a call's answers, from backend events to encoded chunks."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from server.api.exchange.model_chain import Refit, stream_chain
from server.backends.base import ROUTED, SWITCHED, Backend
from server.core.errors import DragomanError, UpstreamFailed, as_dragoman_error
from server.core.messages import Events, MessageFold, StreamEvent
from server.core.tasks import spawn
from server.dialects.base import Call, Chunk
from server.dialects.framing import Frame
from server.models import FittedRequest, name_refused_tool

log = logging.getLogger(__name__)

HIGH_WATER = 256 * 1024
"""Bytes buffered for a slow client before reading from the backend pauses."""


class Generation:
    """Runs the backend's streams for a call and encodes their events.

    Each of the `n` answers has a task and a fold. `folds` are the only assembly of the answers; the body, the record
    and the session read them. The writer waits for `changed` and takes the collected output: events that arrive
    together leave in one write. `finished` with `error` None means complete. With `frame` None, for a response that is
    not streamed, nothing is encoded or collected. `on_routed` gets the backend that took over, `on_switched` the model
    of a chain that did, and warnings. `refit` fits the request to another model of the chain.
    """

    def __init__(
        self,
        backend: Backend,
        fitted: FittedRequest,
        call: Call,
        *,
        frame: Frame | None,
        refit: Refit,
        on_routed: Callable[[str, Iterable[str]], None],
        on_switched: Callable[[str, Iterable[str]], None],
        on_first_delta: Callable[[], None],
        on_complete: Callable[[], None],
    ) -> None:
        self._backend = backend
        self._request = fitted.request
        self._restorers = [None if fitted.names.is_empty else fitted.names.make_restorer() for _ in range(call.n)]
        self._tools = call.request.tools
        self._encoder = call.encoder
        self._frame = frame
        self._refit = refit
        self._on_routed = on_routed
        self._on_switched = on_switched
        self._on_first_delta = on_first_delta
        self._on_complete = on_complete
        self._not_started = set(range(call.n))
        self._tasks: set[asyncio.Task[None]] = set()
        self._collected: list[bytes] = []
        self._size = 0
        self._has_room = asyncio.Event()
        """Set by `take_output`. Cleared only just before waiting, in the same step as the check of `_size`: no wake-up
        can be lost between them."""
        self._delta_seen = False
        self.folds = [MessageFold() for _ in range(call.n)]
        self.cost: float | None = None
        self.changed = asyncio.Event()
        self.finished = asyncio.Event()
        self.error: DragomanError | None = None

    @property
    def has_started(self) -> bool:
        """Whether every answer has its first event."""
        return not self._not_started

    @property
    def is_over(self) -> bool:
        """Whether no more output will come."""
        return self.finished.is_set()

    def start(self) -> None:
        """Start the tasks."""
        for choice in range(len(self.folds)):
            self._tasks.add(spawn(self._run_choice(choice), name=f"answer {choice}"))

    def take_output(self) -> bytes:
        """The output collected since the last call."""
        data = b"".join(self._collected)
        self._collected.clear()
        self._size = 0
        self._has_room.set()
        return data

    def end_with_error(self, error: DragomanError) -> None:
        """End the work immediately. Without effect once the generation is over."""
        # Race: a deadline, a disconnect or another choice's failure may come after the end. The answer is then recorded
        # and saved as complete, and must not become an error.
        if not self.is_over:
            self.error = error
            self._end_all()

    def encode_ping(self) -> bytes:
        """The bytes that keep a silent stream open."""
        return b"" if self._frame is None else b"".join(map(self._frame, self._encoder.ping()))

    def encode_error(self) -> bytes:
        """The bytes that report `error` in a stream that has begun."""
        if self.error is None or self._frame is None:
            return b""
        return b"".join(map(self._frame, self._encoder.fail(self.error)))

    async def stop(self) -> None:
        """End the work immediately, and return when the backend's streams are closed."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _run_choice(self, choice: int) -> None:
        try:
            await self._consume_stream(stream_chain(self._backend, self._request, self._refit), choice)
        except DragomanError as error:
            name_refused_tool(error, self._tools)
            self.end_with_error(error)
        except Exception as error:
            log.exception("an answer failed unexpectedly")
            self.end_with_error(as_dragoman_error(error))
        else:
            self._finish_choice(choice)

    async def _consume_stream(self, stream: Events, choice: int) -> None:
        fold = self.folds[choice]
        try:
            async for event in stream:
                # Another choice failed while this one waited for its event; `_end_all` has cancelled this task, but the
                # event was already on its way.
                if self.is_over:
                    return
                self._handle_event(event, fold, choice)
                if self._size > HIGH_WATER:
                    self._has_room.clear()
                    await self._has_room.wait()
        finally:
            await _close_stream(stream)

    def _handle_event(self, event: StreamEvent, fold: MessageFold, choice: int) -> None:
        kind = event.get("type")
        if kind == ROUTED:
            self._on_routed(event["backend"], event["warnings"])
            return
        if kind == SWITCHED:
            self._encoder.model = event["model"]
            self._on_switched(event["model"], event["warnings"])
            return
        # The names of tools do not depend on the model, so a chain's models share them.
        restore = self._restorers[choice]
        for named in (event,) if restore is None else restore(event):
            fold.feed(named)
            if self._frame is not None:
                self._collect_chunks(self._encoder.feed(named, choice))
        if kind == "content_block_delta":
            if not self._delta_seen:
                self._delta_seen = True
                self._on_first_delta()
        elif kind == "message_delta" and (cost := event.get("cost_usd")) is not None:
            self.cost = (self.cost or 0.0) + cost
        if self._not_started:
            self._not_started.discard(choice)
        self.changed.set()

    def _collect_chunks(self, chunks: Iterable[Chunk]) -> None:
        for chunk in chunks:
            if self._frame is not None:
                data = self._frame(chunk)
                self._collected.append(data)
                self._size += len(data)

    def _finish_choice(self, choice: int) -> None:
        # Another choice failed in the same loop iteration in which this stream ended.
        if self.is_over:
            return
        if not self.folds[choice].finished:
            self.end_with_error(
                UpstreamFailed("The answer ended before it was complete.", hint="Send the request again.")
            )
        elif all(fold.finished for fold in self.folds):
            self._collect_chunks(self._encoder.close(self.folds))
            self._on_complete()
            self._end_all()

    def _end_all(self) -> None:
        """Cancel the tasks that still run, and wake the writer."""
        self.finished.set()
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()
        self.changed.set()

    def response_body(self) -> dict[str, Any]:
        """The body of the non-streamed response."""
        return self._encoder.build_response(self.folds)


async def _close_stream(stream: Events) -> None:
    """Close the backend's stream, ignoring its errors: the first reason counts."""
    aclose = getattr(stream, "aclose", None)
    if aclose is not None:
        with suppress(DragomanError):
            await aclose()
