"""Writing of a streamed response while it is generated."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from starlette.types import Send

from server.api.exchange.generation import Generation
from server.dialects.framing import Framing


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits of silence in seconds, because clients and proxies time out.

    After `commit_after` without an event, a streamed request is answered with 200, and pings begin. `ping_every` is
    the longest silence within a stream.
    """

    commit_after: float = 10.0
    ping_every: float = 15.0


class StreamWriter:
    """Sends the output of `generation`, in one write for chunks that arrive together.

    `headers` is called for the response's own headers when the response begins, because warnings may be added until
    then.
    """

    def __init__(
        self,
        generation: Generation,
        framing: Framing,
        headers: Callable[[], Mapping[str, str]],
        send: Send,
        pace: Pace,
    ) -> None:
        self._generation = generation
        self._framing = framing
        self._headers = headers
        self._send = send
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._last_write = self._loop.time()
        self._ping_due = False
        """Set by the timer, cleared by every write."""

    async def write_stream(self) -> None:
        """Write the whole stream. Raises the generation's error if nothing was sent yet.

        A later error is written as the dialect's last chunk. The HTTP body is then left without its end, unless the
        dialect ends failures, so that a cut answer looks complete to no client.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.commit_after):
                await self._wait_for_start()
        if self._generation.error is not None:
            raise self._generation.error
        # Committed before the first event: a ping goes out with the headers.
        self._ping_due = not self._generation.has_started
        named = {**self._framing.headers, **self._headers()}
        headers = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        self._timer = self._loop.call_later(self._pace.ping_every, self._check_silence)
        try:
            await self._write_all()
        finally:
            self._timer.cancel()

    async def _wait_for_start(self) -> None:
        generation = self._generation
        while not (generation.has_started or generation.is_over):
            generation.changed.clear()
            await generation.changed.wait()

    async def _write_all(self) -> None:
        generation = self._generation
        while True:
            # In this order: cleared first, a change during the following `await` wakes the loop again; read before the
            # output is taken, `over` guarantees that `data` is the last.
            generation.changed.clear()
            over = generation.is_over
            data = generation.take_output()
            if not data and self._ping_due:
                data = generation.encode_ping()
            self._ping_due = False
            if over:
                failed = generation.error is not None
                ends = not failed or self._framing.ends_failures
                await self._write_chunk(data + generation.encode_error() if failed else data, more=not ends)
                return
            if data:
                await self._write_chunk(data, more=True)
            await generation.changed.wait()

    async def _write_chunk(self, data: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": more})
        self._last_write = self._loop.time()

    def _check_silence(self) -> None:
        """Request a ping after `ping_every` seconds of silence; schedule the next check."""
        rest = self._last_write + self._pace.ping_every - self._loop.time()
        if rest <= 0:
            self._ping_due = True
            self._generation.changed.set()
            rest = self._pace.ping_every
        self._timer = self._loop.call_later(rest, self._check_silence)
