"""Calls of the Anthropic API within the budget, and none while it keeps failing."""

import asyncio
from contextlib import aclosing

from server.backends.anthropic_api import AnthropicApiBackend
from server.backends.anthropic_api.metering import CostMeter
from server.backends.budget import ApiBudget, Reservation
from server.backends.circuit_breaker import CircuitBreaker
from server.core.errors import (
    AccountRefused,
    ApiKeyRefused,
    DragomanError,
    Overloaded,
    UpstreamFailed,
    UpstreamTimeout,
)
from server.core.messages import Events, MessagesRequest, StreamEvent
from server.core.tasks import spawn
from server.models.prices import price_of
from server.models.token_estimate import estimate_tokens

_FAILURES = (UpstreamFailed, UpstreamTimeout, Overloaded, ApiKeyRefused, AccountRefused)
"""Errors after which the next request would probably fail too."""


class GuardedApi:
    """The Anthropic API, guarded by a budget and a circuit breaker."""

    def __init__(self, api: AnthropicApiBackend, budget: ApiBudget | None = None) -> None:
        self.api = api
        self.budget = budget
        self._breaker = CircuitBreaker()
        self._last_failure = ""
        self._settling: set[asyncio.Task[None]] = set()

    async def stream(self, request: MessagesRequest, routed: StreamEvent) -> Events:
        """Serve `request`. The event `routed` comes first, once nothing but the API itself can refuse it.

        Raises BudgetReached, Overloaded while the API is left alone, and what the API's backend raises.
        """
        if not self._breaker.allows_try():
            raise Overloaded(
                f"The Anthropic API failed several times and is not called for a moment: {self._last_failure}",
                retry_after=self._breaker.retry_after,
            )
        model = self.api.find_capabilities(request.model)
        price = price_of(model.model)
        highest = price.highest_cost(estimate_tokens(request), request.max_tokens or model.default_max_tokens)
        reservation = None if self.budget is None else await self.budget.reserve(highest)
        meter = CostMeter(price)
        try:
            yield routed
            async with aclosing(self.api.stream(request)) as events:
                async for event in events:
                    yield meter.feed(event)
            self._breaker.record_success()
        except DragomanError as error:
            if isinstance(error, _FAILURES):
                self._last_failure = str(error)
                self._breaker.record_failure()
            raise
        finally:
            if reservation is not None:
                self._settle(reservation, meter.cost)

    async def stop(self) -> None:
        """Return when the cost of every call is recorded."""
        if self._settling:
            await asyncio.wait(tuple(self._settling))

    def _settle(self, reservation: Reservation, usd: float) -> None:
        # In a task of its own: the stream may be closing because its task was cancelled.
        task = spawn(reservation.settle(usd), name="record what the API cost")
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
