"""The HTTP server: uvicorn without signal handlers, and able to move to another address while requests run."""

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
"""How long responses may take to end after their requests were cancelled."""
KEEP_ALIVE_SECONDS = 75
TICK_SECONDS = 1.0
"""Interval at which uvicorn's Date header is updated."""


class HttpServer(uvicorn.Server):
    """Serves an ASGI application on a listening socket, and closes that socket at its end."""

    def __init__(
        self, app: Any, settings: Settings, sock: socket.socket, limits: ConnectionLimits | None = None
    ) -> None:
        super().__init__(_build_config(app, settings, limits or ConnectionLimits()))
        self.sock = sock
        self._host = settings.host
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._exit_requested = asyncio.Event()

    def run_in_background(self) -> asyncio.Task[None]:
        """Start serving. The task ends when the server does."""
        return spawn(self.serve(sockets=[self.sock]), name="http server")

    async def until_ready(self, serving: asyncio.Task[None]) -> None:
        """Wait until the server accepts requests. Raises SetupError if `serving` ends before that."""
        await asyncio.wait({serving, self._ready}, return_when=asyncio.FIRST_COMPLETED)
        if not self._ready.done():
            raise SetupError("The server's application did not start; see the log.")

    def listens_at(self, host: str, port: int) -> bool:
        """Whether the server already has this address."""
        return bool(self.sock.getsockname()[:2] == (host, port))

    async def bind_address(self, host: str, port: int) -> socket.socket | None:
        """Bind a socket to another address, for `move_to`. Raises SetupError.

        Returns None if the address overlaps with the current one, as 0.0.0.0 with 127.0.0.1 on the same port: it can
        be bound only after this server has given up its own.
        """
        try:
            return await open_listener(host, port)
        except PortUnavailable:
            if port != self.sock.getsockname()[1]:
                raise
            return None

    async def move_to(self, settings: Settings, sock: socket.socket | None) -> None:
        """Listen on `sock`, which `bind_address` returned for these settings, instead of the current socket.

        Running requests finish on their connections. Idle connections are closed, because a client that may not reach
        the new address must not keep a connection to the old one. Raises SetupError if the address cannot be bound;
        the server then listens where it did, or ends if it has lost that address as well.
        """
        connections = list(self.server_state.connections)
        await self._listen_on(sock or await self._rebind_port(settings))
        self._host = settings.host
        for connection in connections:
            connection.shutdown()

    def close_idle_connections(self, port: int) -> None:
        """Close the connections to `port` of this computer: idle ones now, others after their response."""
        for connection in list(self.server_state.connections):
            address: tuple[str, int] | None = getattr(connection, "server", None)
            if address is not None and address[1] == port:
                connection.shutdown()

    def reconfigure(self, settings: Settings) -> None:
        """Apply these settings to new connections."""
        self.config.h11_max_incomplete_event_size = settings.max_header_bytes

    async def _rebind_port(self, settings: Settings) -> socket.socket:
        """Bind an address that overlaps with the current one. Connections are refused for a moment."""
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
            self._request_exit()

    async def _listen_on(self, sock: socket.socket) -> None:
        listener = await asyncio.get_running_loop().create_server(self.make_protocol, sock=sock, backlog=BACKLOG)
        self.stop_listening()
        self.servers = [listener]
        self.sock = sock

    def make_protocol(self) -> asyncio.Protocol:
        """Make the protocol of a connection as uvicorn does for the sockets that it is given at startup."""
        make: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol

    def stop_listening(self) -> None:
        """Refuse new connections."""
        for server in getattr(self, "servers", ()):
            server.close()

    async def end_serving(self, serving: asyncio.Task[None]) -> None:
        """End `serving` and all that it does."""
        if not self.started:
            serving.cancel()
        self._request_exit()
        await asyncio.wait({serving})
        # Responses that took too long were cancelled. They must end before the services that they use are closed.
        if tasks := set(self.server_state.tasks):
            await asyncio.wait(tasks, timeout=GRACE_SECONDS)

    def _request_exit(self) -> None:
        self.should_exit = True
        self._exit_requested.set()

    async def main_loop(self) -> None:
        """Run until an exit is requested. uvicorn polls for that ten times a second; this wakes up once."""
        # Counter 0 updates the Date header at each call.
        while not await self.on_tick(counter=0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._exit_requested.wait(), TICK_SECONDS)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no signal handlers: the program has its own."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start like uvicorn, but do not end the program if that fails."""
        try:
            await super().startup(sockets)
        except SystemExit:
            # uvicorn exits if the application fails in its lifespan; it has logged why.
            self._request_exit()
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
