"""Runs the server on the loop that is there: asyncio's without a desktop, Qt's with one.

A `Host` makes what is served; the product's is `server.product.host_product`. Everything that happens is published as
`StateChanged`.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol

import uvicorn

from server.errors import SetupError, TrayError
from server.events import EventBus, ServerState, StateChanged
from server.settings import Settings
from server.sockets import BACKLOG, listen, url_of
from server.tasks import spawn

log = logging.getLogger(__name__)

GRACE_SECONDS = 2
"""How long answers may take to end once their streams were told to."""
KEEP_ALIVE_SECONDS = 75


class Hosted(Protocol):
    """Something that is served: an ASGI application, and what has to run for it."""

    @property
    def app(self) -> Any: ...

    async def start(self) -> None:
        """Called before the first request."""
        ...

    def drain(self) -> None:
        """End the answers that are being given; called when the server stops listening."""
        ...

    async def stop(self) -> None:
        """Called after the last answer; also after a `start` that failed."""
        ...


Host = Callable[[Settings, EventBus], Awaitable[Hosted]]


class Runtime:
    """The server: started, stopped and started again, from one event loop.

    `state` is stopped, starting, running or failed; `url` is set while it runs, `hosted` is what is served.
    """

    def __init__(self, settings: Settings, *, bus: EventBus, host: Host) -> None:
        self.settings = settings
        self.state: ServerState = "stopped"
        self.url: str | None = None
        self.hosted: Hosted | None = None
        self._bus = bus
        self._host = host
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        # Starting and stopping never overlap: whoever comes second waits, and finds it done.
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Listen and serve; returns when requests are answered. Nothing happens if it runs.

        Raises SetupError (PortUnavailable, ...) and what the application raises; the state is `failed` then.
        """
        async with self._lock:
            if self.state != "running":
                await self._start()

    async def stop(self) -> None:
        """End all answers, stop listening, and return when everything is gone. Nothing happens if it is stopped."""
        async with self._lock:
            await self._stop()

    async def restart(self, settings: Settings) -> None:
        """Stop, and start with other settings. Raises as `start` does."""
        async with self._lock:
            await self._stop()
            self.settings = settings
            await self._start()

    async def _start(self) -> None:
        self._change("starting")
        try:
            await self._bring_up()
        except asyncio.CancelledError:
            await self._take_down()
            self._change("stopped")
            raise
        except Exception as error:
            await self._take_down()
            self._change("failed", reason=str(error))
            raise
        self._change("running")

    async def _bring_up(self) -> None:
        # The port first: it is what fails most, and costs nothing.
        sock = await listen(self.settings.host, self.settings.port)
        try:
            self.hosted = await self._host(self.settings, self._bus)
            await self.hosted.start()
            self._server = _Server(_config(self.hosted.app, self.settings))
            self._serving = spawn(self._server.serve(sockets=[sock]), name="http server")
            await self._server.until_ready(self._serving)
        except BaseException:
            sock.close()
            raise
        self.url = url_of(sock)
        self._serving.add_done_callback(self._ended)

    async def _stop(self) -> None:
        if self.state == "running":
            await self._take_down()
        if self.state != "stopped":
            self._change("stopped")

    async def _take_down(self) -> None:
        server, serving, hosted = self._server, self._serving, self.hosted
        self._server = self._serving = self.hosted = self.url = None
        if server is not None and serving is not None:
            server.stop_listening()
            if hosted is not None:
                hosted.drain()
            await server.finish(serving)
        if hosted is not None:
            await _stop_quietly(hosted)

    def _ended(self, serving: asyncio.Task[None]) -> None:
        """The server has ended: it was told to, unless it is still the one that is meant to run."""
        if serving is self._serving:
            spawn(self._fail(serving), name="clean up after the server")

    async def _fail(self, serving: asyncio.Task[None]) -> None:
        async with self._lock:
            if serving is self._serving:
                await self._take_down()
                self._change("failed", reason="The HTTP server ended unexpectedly; the log holds the details.")

    def _change(self, state: ServerState, *, reason: str = "") -> None:
        self.state = state
        self._bus.publish(StateChanged(state, self.url, reason))


class _Server(uvicorn.Server):
    """uvicorn without its hold on the process: signals and the exit are the program's own."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:
            # uvicorn's answer to an application that fails in its lifespan; it has logged why.
            self.should_exit = True
            return
        self._ready.set_result(None)

    async def until_ready(self, serving: asyncio.Task[None]) -> None:
        """Wait until requests are answered. Raises SetupError if `serving` ends before that."""
        await asyncio.wait({serving, self._ready}, return_when=asyncio.FIRST_COMPLETED)
        if not self._ready.done():
            raise SetupError("The server's application did not start; the log holds the details.")

    def stop_listening(self) -> None:
        """Refuse new connections from now on."""
        for server in getattr(self, "servers", ()):
            server.close()

    async def finish(self, serving: asyncio.Task[None]) -> None:
        """End `serving` and everything that it was doing."""
        if not self.started:
            serving.cancel()
        self.should_exit = True
        await asyncio.wait({serving})
        # Answers that took too long were cancelled; what they use must not be closed under them.
        if tasks := set(self.server_state.tasks):
            await asyncio.wait(tasks, timeout=GRACE_SECONDS)


def _config(app: Any, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=settings.max_header_bytes,
    )


async def _stop_quietly(hosted: Hosted) -> None:
    """A failure while stopping must not keep the server from being stopped."""
    try:
        await hosted.stop()
    except TrayError as error:
        log.warning("%s", error)
    except Exception:
        log.exception("stopping the server's services failed")
