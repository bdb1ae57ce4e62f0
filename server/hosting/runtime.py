"""Start, stop and reconfiguration of the server on the running event loop, asyncio's or Qt's.

A `HostedFactory` makes the object that is served: `server.composition.Server.create`. Every change of state is
published as `StateChanged`.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from server.config.settings import Settings
from server.config.settings_in_force import SettingsInForce
from server.core.errors import DragomanError
from server.core.events import EventBus, ServerState, StateChanged
from server.core.tasks import spawn
from server.hosting.extra_ports import ExtraPorts
from server.hosting.http_server import HttpServer
from server.hosting.own_address import refuse_own_address
from server.hosting.sockets import open_listener, url_of

log = logging.getLogger(__name__)

App = Callable[[Any, Any, Any], Awaitable[None]]


class Hosted(Protocol):
    """An object to serve: an ASGI application, and the services that it needs."""

    @property
    def app(self) -> Any:
        """The application, read at each request. `reconfigure` may replace it; the new one gets no lifespan events."""
        ...

    async def start(self) -> None:
        """Start the services; called before the first request."""
        ...

    async def reconfigure(self, settings: Settings) -> None:
        """Switch to other settings while requests run, and put them in force. If it raises, nothing has changed."""
        ...

    async def finish_requests(self) -> None:
        """Refuse new requests, and return when the last one has ended. If cancelled, it accepts new ones again."""
        ...

    def cancel_requests(self) -> None:
        """Cancel the running requests; called when the server stops listening."""
        ...

    async def stop(self) -> None:
        """Stop the services; called after the last request, and after a `start` that failed."""
        ...


HostedFactory = Callable[[SettingsInForce, EventBus], Awaitable[Hosted]]


class Runtime:
    """The life cycle of the server, which can be started and stopped any number of times on one event loop.

    `state` is stopped, starting, running, stopping or failed. `url` and `hosted` are set while it runs.
    """

    def __init__(self, in_force: SettingsInForce, *, bus: EventBus, host: HostedFactory) -> None:
        self.state: ServerState = "stopped"
        self.url: str | None = None
        self.hosted: Hosted | None = None
        self._in_force = in_force
        self._bus = bus
        self._host = host
        self._server: HttpServer | None = None
        self._extra_ports: ExtraPorts | None = None
        self._serving: asyncio.Task[None] | None = None
        # A start, a stop and a reconfiguration must not overlap: each one assumes that the state is settled.
        self._lock = asyncio.Lock()
        # The task that starts the server, for `stop` to cancel. It holds the lock, so `stop` cannot wait for it.
        self._starting: asyncio.Task[Any] | None = None
        # Whether `stop` cancelled that task. Otherwise its cancellation is somebody else's and must be passed on.
        self._start_aborted = False

    @property
    def settings(self) -> Settings:
        """The settings in force, or those of the next start."""
        return self._in_force.current

    async def start(self) -> None:
        """Listen and serve; return when the server is ready, or when `stop` is called. Does nothing if it runs.

        Raises SetupError (PortUnavailable, ...) and what the application raises; the state is then `failed`.
        """
        async with self._lock:
            if self.state != "running":
                await self._start_server()

    async def stop(self) -> None:
        """Cancel all requests, stop listening, and return when everything has ended. Does nothing if it is stopped.

        A start in progress is aborted: it may be waiting for a keyring that the user must unlock.
        """
        if self._starting is not None and not self._start_aborted:
            self._start_aborted = True
            self._starting.cancel()
        async with self._lock:
            await self._stop_server()

    async def finish(self) -> None:
        """Refuse new requests, and stop when the last one has ended. `stop` does not wait for that."""
        hosted = self.hosted
        if self.state != "running" or hosted is None:
            return
        await hosted.finish_requests()
        # `stop` and even another start may have come while the requests ended.
        if self.hosted is hosted:
            await self.stop()

    async def reconfigure(self, settings: Settings) -> None:
        """Put other settings in force. Running requests finish under the old ones.

        A new address is listened on before the old one is closed, so no request is lost unless the ports overlap.
        `StateChanged` is published if the URL changes. While the server does not run, the settings apply to its next
        start. Raises PortUnavailable, SettingsInvalid and what the application raises; nothing has changed then.
        """
        async with self._lock:
            if self.state == "running" and settings != self.settings:
                await self._reconfigure_with_extra_ports(settings)
            self._in_force.current = settings

    async def _reconfigure_with_extra_ports(self, settings: Settings) -> None:
        if self._extra_ports is None:
            raise RuntimeError("there are no extra ports although the state is running")
        self._extra_ports.release(settings.port)
        in_force = self.settings
        try:
            await self._reconfigure_server(settings)
            in_force = settings
        finally:
            # Also after a failure: a port that was released is needed again.
            await self._extra_ports.listen_on(in_force.host, in_force.extra_ports)

    async def _reconfigure_server(self, settings: Settings) -> None:
        server, hosted = self._server, self.hosted
        if server is None or hosted is None:
            raise RuntimeError("there is no server although the state is running")
        refuse_own_address(settings)
        before = self.settings
        moves = self._is_other_address(settings, server)
        sock = await server.bind_address(settings.host, settings.port) if moves else None
        try:
            await hosted.reconfigure(settings)
        except BaseException:
            if sock is not None:
                sock.close()
            raise
        server.reconfigure(settings)
        if moves:
            await self._move_server(server, hosted, before, settings, sock)

    def _is_other_address(self, settings: Settings, server: HttpServer) -> bool:
        """Whether the server must listen elsewhere. An unchanged port 0 keeps the port that the system chose."""
        asked = (settings.host, settings.port)
        return asked != (self.settings.host, self.settings.port) and not server.listens_at(*asked)

    async def _move_server(
        self, server: HttpServer, hosted: Hosted, before: Settings, settings: Settings, sock: socket.socket | None
    ) -> None:
        try:
            await server.move_to(settings, sock)
        except BaseException:
            await hosted.reconfigure(before)
            server.reconfigure(before)
            self._in_force.current = before
            raise
        url = url_of(server.sock)
        if url != self.url:
            self.url = url
            self._set_state("running")

    async def _start_server(self) -> None:
        self._set_state("starting")
        try:
            await self._bring_up_unless_aborted()
        except asyncio.CancelledError:
            await self._take_down()
            self._set_state("stopped")
            raise
        except Exception as error:
            await self._take_down()
            self._set_state("failed", reason=str(error))
            raise
        self._set_state("running" if self._serving is not None else "stopped")

    async def _bring_up_unless_aborted(self) -> None:
        self._starting, self._start_aborted = asyncio.current_task(), False
        try:
            await self._bring_up()
        except asyncio.CancelledError:
            task, self._starting = self._starting, None
            # Both `stop` and the task's owner may have cancelled it: `uncancel` takes back the cancellation by `stop`.
            if not self._start_aborted or task is None or task.uncancel():
                raise
            await self._take_down()
        finally:
            self._starting = None

    async def _bring_up(self) -> None:
        refuse_own_address(self.settings)
        # The port first: it fails most often, and costs nothing.
        sock = await open_listener(self.settings.host, self.settings.port)
        try:
            self.hosted = await self._host(self._in_force, self._bus)
            await self.hosted.start()
            self._server = HttpServer(_current_app(self.hosted), self.settings, sock)
            self._serving = self._server.run_in_background()
            await self._server.until_ready(self._serving)
            self._extra_ports = ExtraPorts(self._server, self._bus)
            await self._extra_ports.listen_on(self.settings.host, self.settings.extra_ports)
        except BaseException:
            sock.close()
            raise
        self.url = url_of(sock)
        self._serving.add_done_callback(self._on_server_ended)

    async def _stop_server(self) -> None:
        if self.state == "running":
            self.url = None
            self._set_state("stopping")
            await self._take_down()
        if self.state != "stopped":
            self._set_state("stopped")

    async def _take_down(self) -> None:
        server, serving, hosted = self._server, self._serving, self.hosted
        extra_ports, self._extra_ports = self._extra_ports, None
        self._server = self._serving = self.hosted = self.url = None
        if extra_ports is not None:
            extra_ports.close()
        if server is not None and serving is not None:
            server.stop_listening()
            if hosted is not None:
                hosted.cancel_requests()
            await server.end_serving(serving)
        if hosted is not None:
            await _stop_quietly(hosted)

    def _on_server_ended(self, serving: asyncio.Task[None]) -> None:
        # `_take_down` clears `_serving` first, so a match means that the server ended by itself.
        if serving is self._serving:
            spawn(self._handle_unexpected_end(serving), name="clean up after the server")

    async def _handle_unexpected_end(self, serving: asyncio.Task[None]) -> None:
        async with self._lock:
            # A stop or restart may have come before the lock was free.
            if serving is self._serving:
                await self._take_down()
                self._set_state("failed", reason="The HTTP server stopped unexpectedly; see the log.")

    def _set_state(self, state: ServerState, *, reason: str = "") -> None:
        self.state = state
        self._bus.publish(StateChanged(state, self.url, reason))


def _current_app(hosted: Hosted) -> App:
    """An ASGI application that passes each request to the one that `hosted` has at that moment."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await hosted.app(scope, receive, send)

    return app


async def _stop_quietly(hosted: Hosted) -> None:
    """Stop the services and log what fails, so that the server is stopped in any case."""
    try:
        await hosted.stop()
    except DragomanError as error:
        log.warning("%s", error)
    except Exception:
        log.exception("stopping the server's services failed")
