"""The status of the application, kept up to date."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from server.backends.routing import RoutedBackend
from server.core.events import Event, Notice, NoticeCleared
from tray_app.models.status import Status, StatusFacts, status_of

if TYPE_CHECKING:
    from tray_app.context import Context

REFRESH_MS = 30_000
"""Milliseconds between updates while there is a problem: "in 2 h 10 min" ages, and the plan's limit resets."""


class StatusWatch(QObject):
    """Watches the facts behind the status. `current` is the status; `changed` is emitted when it differs."""

    changed = Signal()

    def __init__(self, context: "Context") -> None:
        super().__init__()
        self._context = context
        self.current: Status = status_of(self._collect_facts())
        self._refresh_timer = QTimer(self, interval=REFRESH_MS)
        self._refresh_timer.timeout.connect(self.update_status)
        for signal in (
            context.server.changed,
            context.server.in_flight_changed,
            context.bridge.cli_changed,
            context.bridge.plan_windows_changed,
            context.settings_changed,
        ):
            signal.connect(self.update_status)
        self._unsubscribe = context.bus.subscribe(self._on_event)

    def update_status(self) -> None:
        """Collect the facts again and derive the status from them."""
        status = status_of(self._collect_facts())
        if status.kind != "attention":
            self._refresh_timer.stop()
        elif not self._refresh_timer.isActive():
            self._refresh_timer.start()
        if status != self.current:
            self.current = status
            self.changed.emit()

    def close(self) -> None:
        """Stop watching."""
        self._unsubscribe()
        self._refresh_timer.stop()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Notice | NoticeCleared):
            self.update_status()

    def _collect_facts(self) -> StatusFacts:
        context, server = self._context, self._context.server
        services = server.services
        backend = services.backend if services is not None else None
        routed = backend if isinstance(backend, RoutedBackend) else None
        plan = context.bridge.plan_windows
        return StatusFacts(
            server.state,
            context.clock(),
            url=server.url,
            in_flight=server.in_flight,
            finishing=server.is_finishing,
            problem=server.problem,
            cli=context.bridge.cli_state,
            degraded_reason=server.degraded_reason,
            replaces_cli=routed is not None and routed.replaces_cli,
            replaces_plan=routed is not None and routed.replaces_plan,
            windows=plan.windows if plan else {},
            notices=context.bus.notices,
            key_is_lost=self._key_is_lost(),
        )

    def _key_is_lost(self) -> bool:
        settings = self._context.settings
        return settings.api_key_required and self._context.key_store.fell_back_to_memory(settings.key_storage)
