"""The budget for the Anthropic API: a limit a day and a month on what the user's key is billed.

The cost of a call is written to the ledger before it begins, as the most that it may cost, and corrected when it ends.
So calls at the same time cannot spend the same money, and a killed server has spent rather too much than too little.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from server.core.errors import BudgetReached, DatabaseUnusable
from server.core.events import EventBus, Notice, NoticeCleared

log = logging.getLogger(__name__)

THRESHOLDS = (50, 80, 100)
"""Percent of a limit at which the user is notified."""
TOPIC = "api budget"


class Ledger(Protocol):
    """What calls cost, in US dollars. Both methods raise DatabaseUnusable."""

    async def record_spending(self, call_id: str, day: str, usd: float) -> None: ...

    async def sum_spending(self, first_day: str) -> float: ...


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """US dollars a day and a month, in local time; None: no limit."""

    usd_a_day: float | None = None
    usd_a_month: float | None = None

    @property
    def is_unlimited(self) -> bool:
        """Whether nothing is limited."""
        return self.usd_a_day is None and self.usd_a_month is None


@dataclass(frozen=True, slots=True)
class _Period:
    """A limit and the time for which it holds: `first_day` to the midnight before `ends`."""

    name: str
    limit: float
    first_day: date
    ends: date


class ApiBudget:
    """Reserves money for calls.

    `ledger` is called for the ledger at each use, since the store opens after the backends are made. `now` returns the
    local time.
    """

    def __init__(
        self,
        limits: BudgetLimits,
        bus: EventBus,
        ledger: Callable[[], Ledger],
        *,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self.limits = limits
        self._bus = bus
        self._ledger = ledger
        self._now = now
        # Sums and the row that follows from them are one step: of two calls, each would otherwise see the money that
        # both are about to spend.
        self._lock = asyncio.Lock()
        self._notified: dict[tuple[str, date, float], int] = {}
        """The highest threshold that was notified, by period and limit."""

    async def reserve(self, usd: float) -> "Reservation":
        """Reserve the most that a call may cost. Raises BudgetReached, and nothing is spent."""
        today = self._now().date()
        reservation = Reservation(self, f"call_{uuid.uuid4().hex}", today.isoformat(), usd)
        async with self._lock:
            for period in self._periods(today):
                await self._check_period(period, usd)
            try:
                await self._ledger().record_spending(reservation.call_id, reservation.day, usd)
            except DatabaseUnusable as error:
                self._refuse_unknown(error)
        return reservation

    async def settle(self, reservation: "Reservation", usd: float) -> None:
        """Replace what was reserved by what was spent, and notify of thresholds."""
        # Until the database can be written again the reservation stands, which is the safe side.
        with suppress(DatabaseUnusable):
            await self._ledger().record_spending(reservation.call_id, reservation.day, usd)
            await self.check_thresholds()

    async def check_thresholds(self) -> None:
        """Notify when 50, 80 or 100 % of a limit are spent, once each; clear the notice of a period that is over."""
        today = self._now().date()
        periods = self._periods(today)
        current = {(period.name, period.first_day, period.limit) for period in periods}
        if any(key not in current for key in self._notified):
            self._notified = {key: value for key, value in self._notified.items() if key in current}
            self._bus.publish(NoticeCleared(TOPIC))
        for period in periods:
            spent = await self._ledger().sum_spending(period.first_day.isoformat())
            self._notify(period, spent)

    def _notify(self, period: _Period, spent: float) -> None:
        key = (period.name, period.first_day, period.limit)
        reached = max((each for each in THRESHOLDS if spent * 100 >= period.limit * each), default=0)
        if reached <= self._notified.get(key, 0):
            return
        self._notified[key] = reached
        text = f"${spent:.2f} of ${period.limit:.2f} for the Anthropic API are spent this {period.name} ({reached} %)."
        used_up = reached == THRESHOLDS[-1]
        hint = f"The API does not answer before {period.ends:%Y-%m-%d}, unless you raise the limit." if used_up else ""
        self._bus.publish(Notice("info" if reached < 80 else "warning", text, hint, topic=TOPIC))

    async def _check_period(self, period: _Period, usd: float) -> None:
        try:
            spent = await self._ledger().sum_spending(period.first_day.isoformat())
        except DatabaseUnusable as error:
            self._refuse_unknown(error)
            return
        if spent + usd > period.limit:
            raise BudgetReached(
                f"This request may cost up to ${usd:.2f} by the Anthropic API, and of ${period.limit:.2f} a "
                f"{period.name}, ${max(0.0, period.limit - spent):.2f} are left.",
                retry_after=(datetime.combine(period.ends, datetime.min.time()) - self._now()).total_seconds(),
                hint="Lower max_tokens, or raise the limit in the settings.",
            )

    def _refuse_unknown(self, error: DatabaseUnusable) -> None:
        """Refuse a call whose cost cannot be recorded, unless nothing is limited."""
        if not self.limits.is_unlimited:
            raise BudgetReached(
                f"The budget for the Anthropic API cannot be checked: {error.message}", hint=error.hint
            ) from error
        log.warning("the cost of a call of the Anthropic API could not be recorded: %s", error)

    def _periods(self, today: date) -> list[_Period]:
        periods = []
        if self.limits.usd_a_day is not None:
            periods.append(_Period("day", self.limits.usd_a_day, today, today + timedelta(days=1)))
        if self.limits.usd_a_month is not None:
            first = today.replace(day=1)
            following = (first + timedelta(days=32)).replace(day=1)
            periods.append(_Period("month", self.limits.usd_a_month, first, following))
        return periods


@dataclass(slots=True)
class Reservation:
    """Money set aside for one call."""

    budget: ApiBudget
    call_id: str
    day: str
    usd: float

    async def settle(self, usd: float) -> None:
        """Replace it by what was spent."""
        await self.budget.settle(self, usd)
