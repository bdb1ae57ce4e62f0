"""What each client key has used today and is using now, for its limits.

The sums are in memory: a check needs no I/O, and limits hold without a history too. They begin with those of the store,
so that they survive a restart, and grow with each request that ends.
"""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day

from server.core.errors import QuotaReached, RateLimited
from server.core.events import Event, RequestFinished
from server.core.records import KeyUsage, RequestRecord
from server.dialects.dialect import RateLimitState
from server.secrets.client_keys import ClientKey

BUSY_SECONDS = 5.0
"""`Retry-After` of a request that must wait for others of its key."""
_HINT = "Wait, or raise its limit in Settings, under Access."


@dataclass(frozen=True, slots=True)
class _Running:
    """A running request; `tokens` is its estimated input."""

    key_id: str
    request_id: str
    tokens: int


class KeyLedger:
    """The sums of all client keys. `clock` returns epoch seconds; a day is one of local time."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._day = self._today()
        self._used: dict[str, KeyUsage] = {}
        self._running: dict[int, _Running] = {}
        self._numbers = itertools.count()
        self._open: Counter[str] = Counter()
        """Requests that have not ended, by key id."""

    def load_sums(self, sums: Mapping[str, KeyUsage]) -> None:
        """Begin with the sums of today."""
        self._day, self._used = self._today(), dict(sums)

    def receive_event(self, event: Event) -> None:
        """Add a request that has ended, in place of what was set aside for it."""
        if isinstance(event, RequestFinished) and event.record.key_id and event.record.backend is not None:
            self._add_request(event.record.key_id, event.record)
            ended = [number for number, request in self._running.items() if request.request_id == event.record.id]
            for number in ended:
                del self._running[number]

    @contextmanager
    def admit(self, key: ClientKey) -> Iterator[None]:
        """Count a request as open. Raises RateLimited beyond the key's limit, and QuotaReached."""
        if key.concurrent is not None and self._open[key.id] >= key.concurrent:
            raise RateLimited(
                f"The client key '{key.name}' may make {key.concurrent} requests at the same time, and so many are "
                "running.",
                retry_after=BUSY_SECONDS,
                hint="Wait for one to end, or raise its limit in Settings, under Access.",
            )
        self.check_quotas(key)
        self._open[key.id] += 1
        try:
            yield
        finally:
            self._open[key.id] -= 1

    @contextmanager
    def reserve(self, key: ClientKey | None, request_id: str, tokens: Callable[[], int]) -> Iterator[None]:
        """Set the estimated input of a request aside while it runs. Raises QuotaReached if it does not fit.

        `tokens` is called only if the key has a quota.
        """
        if key is None or (key.tokens_a_day is None and key.usd_a_day is None):
            yield
            return
        number, running = next(self._numbers), _Running(key.id, request_id, tokens())
        self.check_quotas(key, running.tokens)
        self._running[number] = running
        try:
            yield
        finally:
            self._running.pop(number, None)

    def check_quotas(self, key: ClientKey, tokens: int = 0) -> None:
        """Raise QuotaReached if the key's day is used up, or has no room for `tokens`."""
        used, running = self._usage_of(key.id), self._running_of(key.id)
        if key.tokens_a_day is not None:
            reserved = sum(request.tokens for request in running)
            self._check_quota(
                key, f"{key.tokens_a_day:,} tokens", key.tokens_a_day, used.tokens, reserved, max(1, tokens)
            )
        if key.usd_a_day is not None:
            # The cost of a request is known at its end; until then it counts as an average one of today.
            average = used.cost_usd / used.requests if used.requests else 0.0
            self._check_quota(key, f"${key.usd_a_day:g}", key.usd_a_day, used.cost_usd, average * len(running), average)

    def token_state(self, key: ClientKey) -> RateLimitState | None:
        """The state of the key's tokens of the day, for response headers; None without such a limit."""
        if key.tokens_a_day is None:
            return None
        reserved = sum(request.tokens for request in self._running_of(key.id))
        left = max(0, key.tokens_a_day - self._usage_of(key.id).tokens - reserved)
        return RateLimitState(key.tokens_a_day, left, self._midnight(), self._seconds_left(), unit="tokens")

    def _check_quota(
        self, key: ClientKey, quota: str, limit: float, used: float, reserved: float, needed: float
    ) -> None:
        if used >= limit or used + needed > limit:
            state = "has used up" if used >= limit else "has too little left for this request of"
            raise QuotaReached(
                f"The client key '{key.name}' {state} its {quota} a day.",
                resets_at=self._midnight(),
                retry_after=self._seconds_left(),
                hint=_HINT,
            )
        if used + reserved + needed > limit:
            raise RateLimited(
                f"The running requests of the client key '{key.name}' may use up the rest of its {quota} a day.",
                retry_after=BUSY_SECONDS,
                hint=_HINT,
            )

    def _add_request(self, key_id: str, record: RequestRecord) -> None:
        used = self._usage_of(key_id)
        # A request counts on the day of its start, as in the store.
        if date.fromtimestamp(record.started_at) == self._day:
            tokens = (record.input_tokens or 0) + (record.output_tokens or 0)
            cost = used.cost_usd + (record.cost_usd or 0.0)
            self._used[key_id] = KeyUsage(used.requests + 1, used.tokens + tokens, cost, record.started_at)

    def _usage_of(self, key_id: str) -> KeyUsage:
        if self._day != (today := self._today()):
            self._day, self._used = today, {}
        return self._used.get(key_id, KeyUsage())

    def _running_of(self, key_id: str) -> list[_Running]:
        return [request for request in self._running.values() if request.key_id == key_id]

    def _today(self) -> date:
        return date.fromtimestamp(self._clock())

    def _midnight(self) -> float:
        return datetime.combine(self._today() + timedelta(days=1), time_of_day.min).timestamp()

    def _seconds_left(self) -> float:
        return max(1.0, self._midnight() - self._clock())
