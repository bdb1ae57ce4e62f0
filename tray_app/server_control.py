"""The server, as the window knows it: its state, and the few things that a person can do with it."""

import asyncio
import logging
import os
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from server.api.services import Services
from server.backends.claude_cli.backend import ClaudeCliBackend
from server.composition import Server
from server.config.settings import Settings
from server.core.errors import TrayError, as_tray_error
from server.core.events import EventBus, RequestFinished, RequestStarted, ServerState, StateChanged
from server.core.tasks import spawn
from server.hosting.own_address import refuse_itself
from server.hosting.runtime import Host, Runtime
from server.hosting.sockets import address_url

log = logging.getLogger(__name__)

IN_FLIGHT_MS = 50
"""How long changes of the number of requests in flight are gathered."""


class ServerControl(QObject):
    """Starts, stops and changes the server. `problem` is why it does not run, where it should."""

    changed = Signal()
    """The state, the address or the problem changed."""
    in_flight_changed = Signal()
    """The number of requests in flight changed; gathered, since it may change a thousand times a second."""

    def __init__(self, settings: Callable[[], Settings], bus: EventBus, host: Host) -> None:
        super().__init__()
        self.problem: TrayError | None = None
        self._settings = settings
        self._runtime = Runtime(settings(), bus=bus, host=host)
        self._in_flight: set[str] = set()
        self._finishing: asyncio.Task[None] | None = None
        self._gathering = QTimer(self, singleShot=True, interval=IN_FLIGHT_MS)
        self._gathering.timeout.connect(self.in_flight_changed)
        self._unsubscribe = bus.subscribe(self._on_event)

    @property
    def state(self) -> ServerState:
        """stopped, starting, running, stopping or failed."""
        return self._runtime.state

    @property
    def down(self) -> bool:
        """It does not run, and is not about to."""
        return self.state in ("stopped", "failed")

    @property
    def changing(self) -> bool:
        """It will be in another state by itself in a moment."""
        return self.state in ("starting", "stopping")

    @property
    def url(self) -> str | None:
        """Where it listens, as `http://127.0.0.1:8000`; None while it does not."""
        return self._runtime.url

    @property
    def base_url(self) -> str:
        """What goes into OpenAI clients, `.../v1`: the server's address, or the one that it will have."""
        settings = self._settings()
        return f"{self.url or address_url(settings.host, settings.port)}/v1"

    @property
    def in_flight(self) -> int:
        """How many requests are being answered."""
        return len(self._in_flight)

    @property
    def finishing(self) -> bool:
        """It takes no new requests, and stops when the last answer has ended."""
        return self._finishing is not None and not self._finishing.done()

    @property
    def services(self) -> Services | None:
        """What the server is made of, while it runs."""
        server = self._server
        return server.services if server else None

    @property
    def cli(self) -> ClaudeCliBackend | None:
        """Claude Code, while the server runs."""
        server = self._server
        return server.cli if server else None

    @property
    def _server(self) -> Server | None:
        # While it starts its parts are there, and cannot be used yet.
        hosted = self._runtime.hosted if self.state == "running" else None
        return hosted if isinstance(hosted, Server) else None

    @property
    def trouble(self) -> str:
        """Why it cannot answer although it runs, as far as is known: Claude Code was removed, or is signed out."""
        services = self.services
        status = services.backend.status() if services else None
        return "" if status is None or status.ready else status.detail

    async def start(self) -> None:
        """Start, if it does not run; `stop` ends a start as well. Raises TrayError; `problem` is that error then."""
        self.problem = None
        try:
            settings = self._settings()
            refuse_itself(settings, os.environ.get("ANTHROPIC_BASE_URL", ""))
            self._runtime.settings = settings
            await self._runtime.start()
        except Exception as error:
            raise self._failed(error) from error

    async def stop(self) -> None:
        """Stop, if it runs or is being started."""
        self.problem = None
        await self._runtime.stop()

    async def finish(self) -> None:
        """Stop when the answers that are running have ended; new requests are refused. `stop` stops at once."""
        if not self.finishing:
            self._finishing = spawn(self._runtime.finish(), name="finish the answers")
            self._finishing.add_done_callback(lambda _: self.changed.emit())
            self.changed.emit()
        if self._finishing is not None:
            # Two may wait: one that stops, and one that quits after that.
            await asyncio.shield(self._finishing)

    async def toggle(self) -> None:
        """Stop if it runs or is about to, start if not; while it stops, nothing: that may be a double click's second.

        Raises as `start` does.
        """
        if self.down:
            await self.start()
        elif self.state != "stopping":
            await self.stop()

    async def reconfigure(self, settings: Settings) -> None:
        """Go on with other settings; running requests are finished. While it is stopped, they are for its start.

        A start is waited for. Raises PortUnavailable and SettingsInvalid, and goes on as before then.
        """
        if self.state == "running":
            refuse_itself(settings, os.environ.get("ANTHROPIC_BASE_URL", ""))
        await self._runtime.reconfigure(settings)

    def cancel(self, request_id: str) -> bool:
        """End a running request; False if there is none of that id."""
        services = self.services
        return services is not None and services.running.cancel_request(request_id)

    def close(self) -> None:
        """Listen to events no more."""
        self._unsubscribe()

    def _failed(self, error: Exception) -> TrayError:
        if not isinstance(error, TrayError):
            log.error("the server could not be started", exc_info=error)
        self.problem = as_tray_error(error)
        self.changed.emit()
        return self.problem

    def _on_event(self, event: object) -> None:
        match event:
            case RequestStarted(record):
                self._in_flight.add(record.id)
                self._announce_soon()
            case RequestFinished(record):
                self._in_flight.discard(record.id)
                self._announce_soon()
            case StateChanged(state=state, reason=reason):
                self._note(state, reason)
                self.changed.emit()

    def _note(self, state: ServerState, reason: str) -> None:
        if state in ("stopped", "failed"):
            self._in_flight.clear()
        if state == "failed":
            # `start` puts the error itself in its place, which knows more than its text.
            self.problem = TrayError(reason)

    def _announce_soon(self) -> None:
        if not self._gathering.isActive():
            self._gathering.start()
