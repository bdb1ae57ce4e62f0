"""From the server's events to Qt signals, in batches: views must not be busier than a person can see."""

import time
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal, SignalInstance

from server.core.events import (
    CliChanged,
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
"""The least time between two batches: a table that takes rows ten times a second leaves the loop to the server."""


class Bridge(QObject):
    """Listens on the bus. The first event after a rest is passed on at once, those that follow in batches."""

    state_changed = Signal(object)
    """StateChanged, each one."""
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

    def __init__(self, bus: EventBus) -> None:
        super().__init__()
        self.pool: PoolChanged | None = None
        self.plan_windows: PlanWindowsChanged | None = None
        self.cli_state: CliChanged | None = None
        self._requests: dict[str, RequestRecord] = {}
        self._sessions: list[SessionChanged | SessionsDeleted] = []
        self._latest: dict[str, tuple[SignalInstance, Event]] = {}
        self._flushed = time.monotonic() - INTERVAL_SECONDS
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.flush)
        self._unsubscribe = bus.subscribe(self._handle_event)

    def close(self) -> None:
        """Pass on what waits, and listen no more."""
        self._unsubscribe()
        self._timer.stop()
        self.flush()

    def flush(self) -> None:
        """Pass on what waits, now."""
        self._timer.stop()
        self._flushed = time.monotonic()
        for name in tuple(self._latest):
            # One at a time: a listener that publishes in turn must not be overtaken by what was before.
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
                # What happened before it is seen before it.
                self.flush()
                self.state_changed.emit(event)
                return
            case Notice() | NoticeCleared():
                return  # they stand on the bus, so whoever shows them subscribes there
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
        self._flush_soon()

    def _flush_soon(self) -> None:
        if not self._timer.isActive():
            rest = INTERVAL_SECONDS - (time.monotonic() - self._flushed)
            self._timer.start(max(0, round(rest * 1000)))


def _without_bodies(record: RequestRecord) -> RequestRecord:
    """Lists show neither bodies nor headers, and they would hold much memory: `Store.get_request` has them."""
    if record.request_body is None and record.response_body is None and record.request_headers is None:
        return record
    return replace(record, request_body=None, response_body=None, request_headers=None)
