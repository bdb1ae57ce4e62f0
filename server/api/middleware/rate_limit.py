"""Rate limits for each key, against clients that would use up the user's plan."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerMinute, parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from server.api.exchange.responses import dialect_of, key_of, send_error, state_of, with_headers
from server.core.errors import RateLimited
from server.dialects.dialect import RateLimitState
from server.secrets.client_keys import ClientKey

CLOCK_STEP_SECONDS = 5.0
"""A larger step backwards means that the clock was set back."""


class RequestLimits:
    """Counts the requests of each key in moving windows.

    `limit` is like `600/minute`, empty for none. The windows use the wall clock and restart when it is set back:
    otherwise the counted requests would be in the future, and would count until then.
    """

    def __init__(
        self,
        limit: str,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._items: list[RateLimitItem] = parse_many(limit) if limit.strip() else []
        self._storage = MemoryStorage()
        self._clock = clock
        self._monotonic = monotonic
        self._clock_offset = clock() - monotonic()

    def count_request(self, key: str, a_minute: int | None = None) -> "CountedRequest | None":
        """Count a request; None without a limit. `a_minute` is the key's own limit, if it has one."""
        items = self._items if a_minute is None else [RateLimitItemPerMinute(a_minute)]
        if not items:
            return None
        self._reset_after_clock_step()
        limiter = MovingWindowRateLimiter(self._storage)
        refused = next((item for item in items if not limiter.hit(item, key)), None)
        item = refused or items[-1]
        window = limiter.get_window_stats(item, key)
        return CountedRequest(item, refused is not None, window.remaining, window.reset_time)

    def _reset_after_clock_step(self) -> None:
        ahead = self._clock() - self._monotonic()
        if ahead < self._clock_offset - CLOCK_STEP_SECONDS:
            # Replaced, not cleared: the storage's own thread may be using it.
            self._storage = MemoryStorage()
        self._clock_offset = ahead


@dataclass(frozen=True, slots=True)
class CountedRequest:
    """The outcome of counting a request; `reset_time` in epoch seconds."""

    item: RateLimitItem
    refused: bool
    remaining: int
    reset_time: float


class RateLimit:
    """Refuses POST requests beyond the limits of their key.

    Responses state the rest in the headers of the client's dialect. This must be inside `Authentication`.
    """

    def __init__(self, app: ASGIApp, *, limits: RequestLimits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hit = None
        if scope["type"] == "http" and scope["method"] == "POST":
            key = key_of(scope)
            own = None if key is None else key.requests_a_minute
            hit = self._limits.count_request(state_of(scope).get("client_key", "local"), own)
        if hit is None:
            await self._app(scope, receive, send)
            return
        send = with_headers(send, _limit_headers(scope, hit))
        if not hit.refused:
            await self._app(scope, receive, send)
        else:
            await send_error(_limit_error(hit, key_of(scope)), scope, receive, send)


def _limit_error(hit: CountedRequest, key: ClientKey | None) -> RateLimited:
    own = key is not None and key.requests_a_minute is not None
    whose = "This key" if key is None else f"The client key '{key.name}'"
    return RateLimited(
        f"{whose} has used up its {hit.item.amount} requests per {hit.item.get_expiry()} seconds on this server.",
        retry_after=max(1.0, hit.reset_time - time.time()),
        hint=f"Wait, or raise {'its limit in Settings, under Access' if own else 'the setting rate_limit'}.",
    )


def _limit_headers(scope: Scope, hit: CountedRequest) -> Mapping[str, str]:
    resets_in = max(0.0, hit.reset_time - time.time())
    state = RateLimitState(hit.item.amount, hit.remaining, hit.reset_time, resets_in)
    return dialect_of(scope).rate_limit_headers(state)
