"""Typed events of the server and the bus that delivers them.

The bus delivers events in order and synchronously on the server's event loop, so listeners must be quick. Times are
epoch seconds, durations seconds.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from server.core.records import RequestRecord

log = logging.getLogger(__name__)

MAX_NOTICES = 50
"""Maximum number of standing notices; the oldest are dropped."""

ServerState = Literal["stopped", "starting", "running", "stopping", "failed"]


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The server started, stopped, or failed for `reason`; `url` is set while it runs."""

    state: ServerState
    url: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RequestStarted:
    """A client's request was accepted."""

    record: RequestRecord


@dataclass(frozen=True, slots=True)
class RequestUpdated:
    """A request was routed, or its first delta was sent."""

    record: RequestRecord


@dataclass(frozen=True, slots=True)
class RequestFinished:
    """A request ended; the record has its outcome."""

    record: RequestRecord


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """A session was created, or has a new turn, title or pin."""

    session_id: str


@dataclass(frozen=True, slots=True)
class SessionsDeleted:
    """Sessions were deleted or expired. The ids include those of their checkpoints."""

    session_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PoolChanged:
    """The figures of the process pool changed."""

    spares: int
    live: int
    busy: int
    queued: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class PlanWindowsChanged:
    """The plan's windows by name: `utilization` 0..1, `resetsAt`, `status`."""

    windows: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class CliChanged:
    """The Claude Code CLI was found, lost, updated, signed in or out.

    If it cannot be used, `problem` is the reason, `hint` the remedy, and nothing else is known.
    """

    path: str | None
    version: str | None
    signed_in: bool | None
    account: dict[str, Any]
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class CliShortcoming:
    """What requests rely on and Claude Code does not do: for the user, with the remedy, and as the check saw it."""

    message: str
    hint: str
    reason: str


@dataclass(frozen=True, slots=True)
class CliChecked:
    """The self-check of Claude Code has verdicts, or a fast path was switched off since.

    `fast_paths` is the number of those that requests would take, 0 while nothing is known. `off` are those that they
    must not take, with the reasons. `is_new`: the check has just run, for a program that was not known.
    """

    fast_paths: int = 0
    off: Mapping[str, str] = field(default_factory=dict)
    shortcomings: tuple[CliShortcoming, ...] = ()
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for the user, such as about a damaged database.

    It stands until `NoticeCleared` names its topic or a later notice of that topic replaces it. `folder` contains the
    files that it is about.
    """

    level: Literal["info", "warning", "error"]
    message: str
    hint: str = ""
    topic: str = ""
    """Empty: the message itself is the topic."""
    folder: Path | None = None

    @property
    def topic_key(self) -> str:
        """The topic that `NoticeCleared` must name."""
        return self.topic or self.message


@dataclass(frozen=True, slots=True)
class NoticeCleared:
    """A notice no longer applies; `topic` is its `topic_key`."""

    topic: str


Event = (
    StateChanged
    | RequestStarted
    | RequestUpdated
    | RequestFinished
    | SessionChanged
    | SessionsDeleted
    | PoolChanged
    | PlanWindowsChanged
    | CliChanged
    | CliChecked
    | Notice
    | NoticeCleared
)
Listener = Callable[[Event], None]


class EventBus:
    """Delivers each event to every listener. A listener's error is only logged.

    Later subscribers get the standing notices: the window opens after the store, which may have reported some.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._notices: dict[str, Notice] = {}

    @property
    def notices(self) -> tuple[Notice, ...]:
        """The standing notices, oldest first."""
        return tuple(self._notices.values())

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with standing notices and later events. Returns unsubscribe."""
        self._listeners.append(listener)
        for notice in self.notices:
            self._deliver(notice, listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Deliver `event` to all listeners."""
        # Before delivery: a listener that subscribes during it gets a notice by `subscribe`, and is not in the tuple.
        self._update_notices(event)
        for listener in tuple(self._listeners):
            self._deliver(event, listener)

    def _update_notices(self, event: Event) -> None:
        match event:
            case Notice():
                self._notices.pop(event.topic_key, None)
                self._notices[event.topic_key] = event
                if len(self._notices) > MAX_NOTICES:
                    del self._notices[next(iter(self._notices))]
            case NoticeCleared(topic):
                self._notices.pop(topic, None)

    def _deliver(self, event: Event, listener: Listener) -> None:
        try:
            listener(event)
        except Exception:
            log.exception("a listener failed on %s", type(event).__name__)
