"""A place where an answer stops until a test lets it go on: shows streaming and interrupts, no clock."""

import asyncio
import concurrent.futures


class Gate:
    """A door in the stream: what stands after it is sent only once a test calls `open()`, from any thread.

    `await_reached` and `wait_reached` return when the stream stands before it, with all before it sent.
    """

    def __init__(self, after_events: int | None = None) -> None:
        self.after_events = after_events
        self._opened: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._reached: concurrent.futures.Future[None] = concurrent.futures.Future()

    def open(self) -> None:
        """Let the stream go on; opening twice does nothing more."""
        if not self._opened.done():
            self._opened.set_result(None)

    release = open

    def wait_reached(self, timeout: float = 60.0) -> None:
        """Block until the stream stands before the gate. Raises TimeoutError."""
        self._reached.result(timeout)

    async def await_reached(self, timeout: float = 60.0) -> None:  # noqa: ASYNC109
        """`wait_reached` for any event loop."""
        await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._reached)), timeout)

    async def pass_through(self) -> None:
        """Report the arrival at the gate and wait until it is open."""
        if not self._reached.done():
            self._reached.set_result(None)
        await asyncio.shield(asyncio.wrap_future(self._opened))


class Hang(Gate):
    """Never answers, not even with headers, until opened or until the client goes away."""

    def __init__(self) -> None:
        super().__init__(after_events=0)
