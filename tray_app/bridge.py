"""The server's events as Qt signals, in batches of at most ten a second."""

import time
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal, SignalInstance

from server.core.events import (
    CliChanged,
    CliChecked,
    Event,
    EventBus,
    Notice,
    NoticeCleared,
    PlanWindowsChanged,
    PoolChanged,
    RequestFinished,
    RequestStarted,
    RequestUpdated,
    SessionChanged,
    SessionsDeleted,
    StateChanged,
)
from server.core.records import RequestRecord

INTERVAL_SECONDS = 0.1
"""Minimum time between two batches, so that updating views leaves the event loop to the server."""


class Bridge(QObject):
    """Emits the bus's events as signals. The first event after a pause is emitted at once, later ones in batches."""

    state_changed = Signal(object)
    """Each StateChanged."""
    requests_changed = Signal(object)
    """list[RequestRecord]: the latest record, without bodies, of each request that changed, in order of appearance."""
    sessions_changed = Signal(object)
    """tuple[SessionChanged | SessionsDeleted, ...], in order."""
    pool_changed = Signal(object)
    """The latest PoolChanged."""
    plan_windows_changed = Signal(object)
    """The latest PlanWindowsChanged."""
    cli_changed = Signal(object)
    """The latest CliChanged."""
    cli_checked = Signal(object)
    """The latest CliChecked."""

    def __init__(self, bus: EventBus) -> None:
        super().__init__()
        self.pool: PoolChanged | None = None
        self.plan_windows: PlanWindowsChanged | None = None
        self.cli_state: CliChanged | None = None
        self.cli_check = CliChecked()
        self._requests: dict[str, RequestRecord] = {}
        self._sessions: list[SessionChanged | SessionsDeleted] = []
        self._latest: dict[str, tuple[SignalInstance, Event]] = {}
        self._flushed = time.monotonic() - INTERVAL_SECONDS
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.flush)
        self._unsubscribe = bus.subscribe(self._handle_event)

    def close(self) -> None:
        """Unsubscribe, and emit what is pending."""
        self._unsubscribe()
        self._timer.stop()
        self.flush()

    def flush(self) -> None:
        """Emit what is pending now."""
        self._timer.stop()
        self._flushed = time.monotonic()
        for name in tuple(self._latest):
            # Removed one at a time: a listener may publish a newer event, which an older one must not replace.
            if (waiting := self._latest.pop(name, None)) is not None:
                signal, event = waiting
                signal.emit(event)
        if self._requests:
            records, self._requests = list(self._requests.values()), {}
            self.requests_changed.emit(records)
        if self._sessions:
            sessions, self._sessions = tuple(self._sessions), []
            self.sessions_changed.emit(sessions)

    def _handle_event(self, event: Event) -> None:
        match event:
            case StateChanged():
                # Listeners must see earlier events first.
                self.flush()
                self.state_changed.emit(event)
                return
            case Notice() | NoticeCleared():
                return  # the bus keeps them for those that show them
            case RequestStarted(record) | RequestUpdated(record) | RequestFinished(record):
                self._requests[record.id] = _without_bodies(record)
            case SessionChanged() | SessionsDeleted():
                self._sessions.append(event)
            case PoolChanged():
                self.pool = event
                self._latest["pool"] = (self.pool_changed, event)
            case PlanWindowsChanged():
                self.plan_windows = event
                self._latest["plan"] = (self.plan_windows_changed, event)
            case CliChanged():
                self.cli_state = event
                self._latest["cli"] = (self.cli_changed, event)
            case CliChecked():
                self.cli_check = event
                self._latest["cli check"] = (self.cli_checked, event)
        self._flush_soon()

    def _flush_soon(self) -> None:
        if not self._timer.isActive():
            rest = INTERVAL_SECONDS - (time.monotonic() - self._flushed)
            self._timer.start(max(0, round(rest * 1000)))


def _without_bodies(record: RequestRecord) -> RequestRecord:
    """Drop bodies and headers, which lists do not show and which take much memory; `Store.get_request` reads them."""
    if record.request_body is None and record.response_body is None and record.request_headers is None:
        return record
    return replace(record, request_body=None, response_body=None, request_headers=None)
