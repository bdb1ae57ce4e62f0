"""The objects that guards and endpoints share."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from server.api.exchange.background_runs import BackgroundRuns
from server.api.exchange.background_writes import BackgroundWrites
from server.api.exchange.conversation_locks import ConversationLocks
from server.api.exchange.images import ImageFetcher
from server.api.exchange.running_requests import RunningRequests
from server.api.exchange.session_turns import SessionTurns
from server.api.exchange.stream_writer import Pace
from server.api.middleware.bodies import STALL_SECONDS
from server.api.middleware.rate_limit import RequestLimits
from server.api.middleware.refusals import RefusalLog
from server.backends.base import Backend
from server.config.settings import Settings
from server.config.settings_in_force import SettingsInForce
from server.core.events import EventBus
from server.secrets import KeyStore
from server.store.memory_store import MemoryStore
from server.store.store import Store


@dataclass(slots=True)
class Services:
    """The objects shared by guards and endpoints.

    `clock` returns epoch seconds, `monotonic` seconds for durations.

    `server.composition.Server` creates, starts and stops them, and replaces those that depend on changed settings.
    """

    in_force: SettingsInForce
    bus: EventBus
    backend: Backend
    key_store: KeyStore
    images: ImageFetcher | None = None
    """None means that images given by URL are not fetched."""
    pace: Pace = field(default_factory=Pace)
    sealing_key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    """The key for what clients keep and only this server may have written. Random until the stored one is read."""
    body_stall_seconds: float = STALL_SECONDS
    """Time without a byte of an unfinished body after which the request is refused."""
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.perf_counter
    running: RunningRequests = field(default_factory=RunningRequests)
    turns: SessionTurns = field(default_factory=SessionTurns)
    conversation_locks: ConversationLocks = field(default_factory=ConversationLocks)
    background: BackgroundRuns = field(default_factory=BackgroundRuns)
    writes: BackgroundWrites = field(default_factory=BackgroundWrites)
    request_limits: RequestLimits = field(init=False)
    refusals: RefusalLog = field(init=False)
    started_at: float = 0.0
    """The start in epoch seconds. `uptime` uses `started_monotonic`, because the wall clock may be set."""
    started_monotonic: float = 0.0
    opened_store: Store | None = None
    memory_store: MemoryStore = field(init=False)

    def __post_init__(self) -> None:
        self.request_limits = RequestLimits(self.settings.rate_limit)
        self.refusals = RefusalLog(self)
        self.memory_store = MemoryStore.create(lambda: self.clock(), self.settings.session_ttl_seconds)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.in_force.current

    @property
    def store(self) -> Store:
        """The store. Raises RuntimeError before the start."""
        if self.opened_store is None:
            raise RuntimeError("the server was not started")
        return self.opened_store

    @property
    def answer_store(self) -> Store:
        """The store of answers that clients continue by their ids: in memory while history is off."""
        return self.store if self.settings.history else self.memory_store

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return self.monotonic() - self.started_monotonic
