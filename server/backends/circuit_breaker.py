"""A circuit breaker: a backend that keeps failing is left alone for a while, then tried again."""

import time
from collections.abc import Callable

DEFAULT_COOL_DOWN = 30.0
"""Seconds without a try after the last failure."""


class CircuitBreaker:
    """Opens after `threshold` failures in a row.

    While it is open `allows_try` is False. After the cool-down it allows one try at a time: success closes it, failure
    opens it again. `clock` returns seconds and never goes back.
    """

    def __init__(
        self,
        *,
        threshold: int = 3,
        cool_down: float = DEFAULT_COOL_DOWN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold = threshold
        self._cool_down = cool_down
        self._clock = clock
        self._failures = 0
        self._tries_at = 0.0
        """When the next try is allowed, once the breaker is open."""

    @property
    def is_open(self) -> bool:
        """Whether the last tries failed; a try may be allowed nevertheless."""
        return self._failures >= self._threshold

    @property
    def retry_after(self) -> float:
        """Seconds until the next try is allowed."""
        return max(0.0, self._tries_at - self._clock())

    def allows_try(self) -> bool:
        """Whether a request may try the backend now.

        Of an open breaker it claims the one try: until that succeeds or fails, or another cool-down has passed, others
        get False. A request that is cancelled in between reports neither.
        """
        if not self.is_open:
            return True
        if self._clock() < self._tries_at:
            return False
        self._tries_at = self._clock() + self._cool_down
        return True

    def record_success(self) -> None:
        """Close the breaker."""
        self._failures = 0

    def record_failure(self, cool_down: float | None = None) -> None:
        """Count a failure; `cool_down` seconds replace the usual ones."""
        self._failures += 1
        self._tries_at = self._clock() + (self._cool_down if cool_down is None else cool_down)
