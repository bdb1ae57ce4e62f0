"""The server for the window: its state, and its start, stop and cancellation of requests."""

import asyncio
import logging

from PySide6.QtCore import QObject, QTimer, Signal

from server.api.services import Services
from server.backends.claude_cli.backend import ClaudeCliBackend
from server.composition import Server
from server.core.errors import DragomanError, as_dragoman_error
from server.core.events import EventBus, RequestFinished, RequestStarted, ServerState, StateChanged
from server.core.tasks import spawn
from server.hosting.runtime import Runtime
from server.hosting.sockets import address_url

log = logging.getLogger(__name__)

IN_FLIGHT_MS = 50
"""Milliseconds for which changes of the number of requests in flight are combined."""


class ServerControl(QObject):
    """Starts and stops the server. `problem` is the reason why it does not run although it should."""

    changed = Signal()
    """The state, the address or the problem changed."""
    in_flight_changed = Signal()
    """The number of requests in flight changed. Combined, because it may change a thousand times a second."""

    def __init__(self, runtime: Runtime, bus: EventBus) -> None:
        super().__init__()
        self.problem: DragomanError | None = None
        self._runtime = runtime
        self._in_flight: set[str] = set()
        self._finishing: asyncio.Task[None] | None = None
        self._in_flight_timer = QTimer(self, singleShot=True, interval=IN_FLIGHT_MS)
        self._in_flight_timer.timeout.connect(self.in_flight_changed)
        self._unsubscribe = bus.subscribe(self._on_event)

    @property
    def state(self) -> ServerState:
        """stopped, starting, running, stopping or failed."""
        return self._runtime.state

    @property
    def is_down(self) -> bool:
        """Whether it neither runs nor starts nor stops."""
        return self.state in ("stopped", "failed")

    @property
    def is_changing(self) -> bool:
        """Whether it is starting or stopping."""
        return self.state in ("starting", "stopping")

    @property
    def url(self) -> str | None:
        """Its URL, as `http://127.0.0.1:8000`; None while it does not run."""
        return self._runtime.url

    @property
    def base_url(self) -> str:
        """The base URL for OpenAI clients, `.../v1`. While it does not run, the URL that it will have."""
        settings = self._runtime.settings
        return f"{self.url or address_url(settings.host, settings.port)}/v1"

    @property
    def in_flight(self) -> int:
        """The number of requests that run."""
        return len(self._in_flight)

    @property
    def is_finishing(self) -> bool:
        """Whether it refuses new requests and will stop after the last one."""
        return self._finishing is not None and not self._finishing.done()

    @property
    def services(self) -> Services | None:
        """The server's services while it runs."""
        server = self._server
        return server.services if server else None

    @property
    def cli(self) -> ClaudeCliBackend | None:
        """The Claude Code backend while the server runs."""
        server = self._server
        return server.cli if server else None

    @property
    def _server(self) -> Server | None:
        # While it starts its services exist but cannot be used yet.
        hosted = self._runtime.hosted if self.state == "running" else None
        return hosted if isinstance(hosted, Server) else None

    @property
    def degraded_reason(self) -> str:
        """The reason why it runs but cannot answer, such as Claude Code removed or signed out; empty if it can."""
        services = self.services
        status = services.backend.status() if services else None
        return "" if status is None or status.ready else status.detail

    async def start(self) -> None:
        """Start unless it runs; `stop` aborts this. Raises DragomanError, which is then also the `problem`."""
        self.problem = None
        try:
            await self._runtime.start()
        except Exception as error:
            raise self._record_failure(error) from error

    async def stop(self) -> None:
        """Stop it if it runs or starts."""
        self.problem = None
        await self._runtime.stop()

    async def finish(self) -> None:
        """Refuse new requests, and stop when the last one has ended. `stop` stops at once."""
        if not self.is_finishing:
            self._finishing = spawn(self._runtime.finish(), name="finish the requests")
            self._finishing.add_done_callback(lambda _: self.changed.emit())
            self.changed.emit()
        if self._finishing is not None:
            # Shielded because two callers may wait: one that stops, and one that quits afterwards.
            await asyncio.shield(self._finishing)

    async def toggle(self) -> None:
        """Stop if it runs or starts, otherwise start. Ignored while it stops: that may be a double click.

        Raises as `start` does.
        """
        if self.is_down:
            await self.start()
        elif self.state != "stopping":
            await self.stop()

    def cancel_request(self, request_id: str) -> bool:
        """Cancel a running request. Returns False if there is none with that id."""
        services = self.services
        return services is not None and services.running.cancel_request(request_id)

    def close(self) -> None:
        """Unsubscribe from the event bus."""
        self._unsubscribe()

    def _record_failure(self, error: Exception) -> DragomanError:
        if not isinstance(error, DragomanError):
            log.error("the server could not be started", exc_info=error)
        self.problem = as_dragoman_error(error)
        self.changed.emit()
        return self.problem

    def _on_event(self, event: object) -> None:
        match event:
            case RequestStarted(record):
                self._in_flight.add(record.id)
                self._emit_in_flight_soon()
            case RequestFinished(record):
                self._in_flight.discard(record.id)
                self._emit_in_flight_soon()
            case StateChanged(state=state, reason=reason):
                self._update_problem(state, reason)
                self.changed.emit()

    def _update_problem(self, state: ServerState, reason: str) -> None:
        if state in ("stopped", "failed"):
            self._in_flight.clear()
        if state == "failed":
            # `start` replaces this with the error itself, which has a hint.
            self.problem = DragomanError(reason)

    def _emit_in_flight_soon(self) -> None:
        if not self._in_flight_timer.isActive():
            self._in_flight_timer.start()
