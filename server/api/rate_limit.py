"""A limit on the requests of each key, so that a client gone wild does not use up the person's plan."""

import time
from datetime import UTC, datetime

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.answers import is_anthropic, send_error, state_of
from server.errors import RateLimited

Headers = list[tuple[bytes, bytes]]


class RateLimit:
    """Counts POST requests of each key in a moving window; `limit` as in `600/minute`, empty for none.

    The answers say what is left, in OpenAI's headers (https://platform.openai.com/docs/guides/rate-limits) or
    Anthropic's (https://docs.anthropic.com/en/api/rate-limits). Put it inside of `Authentication`.
    """

    def __init__(self, app: ASGIApp, *, limit: str) -> None:
        self._app = app
        self._items: list[RateLimitItem] = parse_many(limit) if limit.strip() else []
        self._limiter = MovingWindowRateLimiter(MemoryStorage()) if self._items else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._limiter is None or scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        key: str = state_of(scope).get("client_key", "local")
        refused = next((item for item in self._items if not self._limiter.hit(item, key)), None)
        item = refused or self._items[-1]
        window = self._limiter.get_window_stats(item, key)
        headers = _headers(scope, item.amount, window.remaining, window.reset_time)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        if refused is None:
            await self._app(scope, receive, send_with_headers)
        else:
            error = _error(item, window.reset_time)
            await send_error(error, scope, receive, send_with_headers)


def _error(item: RateLimitItem, reset_time: float) -> RateLimited:
    return RateLimited(
        f"This key has used up its {item.amount} requests per {item.get_expiry()} seconds on this server.",
        retry_after=max(1.0, reset_time - time.time()),
        hint="Wait, or raise the setting rate_limit.",
    )


def _headers(scope: Scope, limit: int, remaining: int, reset_time: float) -> Headers:
    if is_anthropic(scope):
        reset = datetime.fromtimestamp(reset_time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        prefix, names = "anthropic-ratelimit-requests-", ("limit", "remaining", "reset")
    else:
        reset = f"{max(0.0, reset_time - time.time()):.0f}s"
        prefix, names = "x-ratelimit-", ("limit-requests", "remaining-requests", "reset-requests")
    values = (str(limit), str(remaining), reset)
    return [((prefix + name).encode(), value.encode()) for name, value in zip(names, values, strict=True)]
