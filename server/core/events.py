"""What happens in the server, as typed events. The tray subscribes; the server never knows who listens.

Events are published and delivered on the server's event loop, in order, synchronously: a listener has to be quick.
Times are epoch seconds, durations seconds.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from server.core.records import RequestRecord

log = logging.getLogger(__name__)

MAX_NOTICES = 50
"""The bus keeps this many standing notices, the latest ones."""

ServerState = Literal["stopped", "starting", "running", "stopping", "failed"]


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The server was started or stopped, or failed for `reason`; `url` is set while it runs."""

    state: ServerState
    url: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RequestStarted:
    """A client's request was accepted."""

    record: RequestRecord


@dataclass(frozen=True, slots=True)
class RequestUpdated:
    """A request went on: it was routed, or its first delta left."""

    record: RequestRecord


@dataclass(frozen=True, slots=True)
class RequestFinished:
    """A request ended, well or not; the record says which."""

    record: RequestRecord


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """A session was made, or has a new turn, title or pin."""

    session_id: str


@dataclass(frozen=True, slots=True)
class SessionsDeleted:
    """Sessions were deleted or have expired; the ids of their checkpoints are among the ids."""

    session_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PoolChanged:
    """Processes started or ended, or conversations changed hands."""

    spares: int
    live: int
    busy: int
    queued: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class PlanWindowsChanged:
    """The plan's windows by name (`five_hour`, ...): `utilization` 0..1, `resetsAt` epoch seconds, `status`."""

    windows: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class CliChanged:
    """The Claude Code CLI was found, lost, updated, signed in or out. `account` is what it says of itself.

    `problem` is why it cannot be used, in words, and `hint` what to do; then nothing else is known of it.
    """

    path: str | None
    version: str | None
    signed_in: bool | None
    account: dict[str, Any]
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the user should know of, such as a damaged database that was set aside.

    It stands until `NoticeCleared` names its topic, and a later one of the same topic takes its place. `folder` is
    where the files in question are.
    """

    level: Literal["info", "warning", "error"]
    message: str
    hint: str = ""
    topic: str = ""
    """Empty: the message itself is the topic."""
    folder: Path | None = None

    @property
    def topic_key(self) -> str:
        """What `NoticeCleared` has to name."""
        return self.topic or self.message


@dataclass(frozen=True, slots=True)
class NoticeCleared:
    """The matter of a notice is settled; `topic` is the notice's `key`."""

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
    | Notice
    | NoticeCleared
)
Listener = Callable[[Event], None]


class EventBus:
    """Hands each event to every listener; a listener that fails is logged and does no harm to the others.

    Notices stand: what was found while the store was opened is handed to the window that is made later.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._notices: dict[str, Notice] = {}

    @property
    def notices(self) -> tuple[Notice, ...]:
        """The standing notices, oldest first."""
        return tuple(self._notices.values())

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called with the standing notices now, and with every event from now on.

        Call what is returned to end that.
        """
        self._listeners.append(listener)
        for notice in self.notices:
            self._deliver(notice, listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Deliver `event` to all who listen."""
        # Kept before it is delivered: a listener that subscribes meanwhile gets it here, and is not in the tuple below.
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
