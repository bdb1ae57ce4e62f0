"""The HTTP server: uvicorn without its hold on the process, and able to move to another address while it answers."""

import asyncio
import contextlib
import functools
import logging
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from server.config.settings import Settings
from server.core.errors import PortUnavailable, SetupError
from server.core.tasks import spawn
from server.hosting.connections import Connection, ConnectionLimits, IncompleteConnections
from server.hosting.sockets import BACKLOG, open_listener

log = logging.getLogger(__name__)

GRACE_SECONDS = 2
"""How long answers may take to end once their streams were told to."""
KEEP_ALIVE_SECONDS = 75


class HttpServer(uvicorn.Server):
    """Serves an ASGI application on a listening socket, of which it takes possession at `run`."""

    def __init__(
        self, app: Any, settings: Settings, sock: socket.socket, limits: ConnectionLimits | None = None
    ) -> None:
        super().__init__(_build_config(app, settings, limits or ConnectionLimits()))
        self.sock = sock
        self._host = settings.host
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def run_in_background(self) -> asyncio.Task[None]:
        """Serve; the task ends when the server does."""
        return spawn(self.serve(sockets=[self.sock]), name="http server")

    async def until_ready(self, serving: asyncio.Task[None]) -> None:
        """Wait until requests are answered. Raises SetupError if `serving` ends before that."""
        await asyncio.wait({serving, self._ready}, return_when=asyncio.FIRST_COMPLETED)
        if not self._ready.done():
            raise SetupError("The server's application did not start; see the log.")

    def listens_at(self, host: str, port: int) -> bool:
        """Whether that is the address that it has."""
        return bool(self.sock.getsockname()[:2] == (host, port))

    async def bind_address(self, host: str, port: int) -> socket.socket | None:
        """A socket at another address, to `move` to; None for one that can be had only when this server's own is free.

        So it is with 0.0.0.0 after 127.0.0.1 on the same port. Raises SetupError.
        """
        try:
            return await open_listener(host, port)
        except PortUnavailable:
            if port != self.sock.getsockname()[1]:
                raise
            return None

    async def move_to(self, settings: Settings, place: socket.socket | None) -> None:
        """Listen at `place`, which `find_place` gave for these settings, and nowhere else from now on.

        Answers that are being given are finished on their connections; those at rest are closed, since whoever may
        not reach the new address should not go on reaching the old one. Raises SetupError when the address cannot be
        had after all; it listens where it did then, or ends, if that place was lost meanwhile.
        """
        connections = list(self.server_state.connections)
        await self._listen_on(place or await self._rebind_port(settings))
        self._host = settings.host
        for connection in connections:
            connection.shutdown()

    def reconfigure(self, settings: Settings) -> None:
        """Have these settings hold for the connections that come from now on."""
        self.config.h11_max_incomplete_event_size = settings.max_header_bytes

    async def _rebind_port(self, settings: Settings) -> socket.socket:
        """A socket on a port that overlaps with this one's. For a moment, nobody listens there."""
        port = self.sock.getsockname()[1]
        self.stop_listening()
        try:
            return await open_listener(settings.host, settings.port)
        except BaseException:
            await self._listen_on_old_port(port)
            raise

    async def _listen_on_old_port(self, port: int) -> None:
        try:
            await self._listen_on(await open_listener(self._host, port))
        except SetupError as error:
            log.error("the server has lost its address: %s", error)
            self.should_exit = True

    async def _listen_on(self, sock: socket.socket) -> None:
        listener = await asyncio.get_running_loop().create_server(self._make_protocol, sock=sock, backlog=BACKLOG)
        self.stop_listening()
        self.servers = [listener]
        self.sock = sock

    def _make_protocol(self) -> asyncio.Protocol:
        """As uvicorn makes them for the sockets that it is given at its start."""
        make: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol

    def stop_listening(self) -> None:
        """Refuse new connections from now on."""
        for server in getattr(self, "servers", ()):
            server.close()

    async def end_serving(self, serving: asyncio.Task[None]) -> None:
        """End `serving` and everything that it was doing."""
        if not self.started:
            serving.cancel()
        self.should_exit = True
        await asyncio.wait({serving})
        # Answers that took too long were cancelled; what they use must not be closed under them.
        if tasks := set(self.server_state.tasks):
            await asyncio.wait(tasks, timeout=GRACE_SECONDS)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The program's signals are not the server's."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, but that it does not end the program."""
        try:
            await super().startup(sockets)
        except SystemExit:
            # uvicorn's answer to an application that fails in its lifespan; it has logged why.
            self.should_exit = True
            return
        self._ready.set_result(None)


def _build_config(app: Any, settings: Settings, limits: ConnectionLimits) -> uvicorn.Config:
    protocol: Any = functools.partial(Connection, incomplete=IncompleteConnections(limits))
    return uvicorn.Config(
        app,
        http=protocol,
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
