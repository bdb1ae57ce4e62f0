"""Keeps the status up to date: gathers the facts, and tells when something else follows from them."""

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal, SignalInstance

from server.backends.routing import RoutedBackend
from server.config.settings import Settings
from server.core.events import Event, EventBus, Notice, NoticeCleared
from server.secrets import KeyStore
from tray_app.bridge import Bridge
from tray_app.models.status import Status, StatusFacts, status_of
from tray_app.server_control import ServerControl

LOOK_MS = 30_000
"""How often it looks again while something is wrong: "in 2 h 10 min" grows old, and a window of the plan resets."""


class Parts(Protocol):
    """What the facts are taken from; the context has it."""

    bus: EventBus
    bridge: Bridge
    server: ServerControl
    key_store: KeyStore
    clock: Callable[[], float]

    @property
    def settings(self) -> Settings: ...

    @property
    def settings_changed(self) -> SignalInstance: ...


class StatusWatch(QObject):
    """`current` is the status; `changed` is emitted when it is another one."""

    changed = Signal()

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self.current: Status = status_of(self._facts())
        self._looking = QTimer(self, interval=LOOK_MS)
        self._looking.timeout.connect(self.look)
        for signal in (
            parts.server.changed,
            parts.server.in_flight_changed,
            parts.bridge.cli_changed,
            parts.bridge.plan_windows_changed,
            parts.settings_changed,
        ):
            signal.connect(self.look)
        self._unsubscribe = parts.bus.subscribe(self._on_event)

    def look(self) -> None:
        """Look at the facts again."""
        status = status_of(self._facts())
        if status.kind != "attention":
            self._looking.stop()
        elif not self._looking.isActive():
            self._looking.start()
        if status != self.current:
            self.current = status
            self.changed.emit()

    def close(self) -> None:
        """Listen no more."""
        self._unsubscribe()
        self._looking.stop()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Notice | NoticeCleared):
            self.look()

    def _facts(self) -> StatusFacts:
        parts, server = self._parts, self._parts.server
        services = server.services
        backend = services.backend if services is not None else None
        routed = backend if isinstance(backend, RoutedBackend) else None
        told = parts.bridge.plan_windows
        return StatusFacts(
            server.state,
            parts.clock(),
            url=server.url,
            in_flight=server.in_flight,
            finishing=server.finishing,
            problem=server.problem,
            cli=parts.bridge.cli_state,
            degraded_reason=server.trouble,
            replaces_cli=routed is not None and routed.replaces_cli,
            replaces_plan=routed is not None and routed.replaces_plan,
            windows=told.windows if told else {},
            notices=parts.bus.notices,
            key_is_lost=self._key_is_lost(),
        )

    def _key_is_lost(self) -> bool:
        settings = self._parts.settings
        return settings.api_key_required and self._parts.key_store.kind == "memory" and settings.key_storage != "memory"
