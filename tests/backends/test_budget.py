"""The budget for the Anthropic API, over a real database."""

import asyncio
from datetime import datetime

import pytest

from server.backends.budget import ApiBudget, BudgetLimits
from server.core.errors import BudgetReached, DatabaseUnusable
from server.core.events import EventBus, Notice, NoticeCleared
from server.store.store import Store


class Now:
    time = datetime(2026, 11, 29, 18, 0)

    def __call__(self):
        return self.time


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def bus():
    return EventBus()


@pytest.fixture
def events(bus):
    events = []
    bus.subscribe(events.append)
    return events


@pytest.fixture
async def open_budget(tmp_path, bus, now):
    """`await open_budget(usd_a_day=..., usd_a_month=...)`; a second call opens the same database again."""
    stores = []

    async def open_budget(**limits):
        for store in stores:
            await store.close()
        stores.append(await Store.open(tmp_path / "history.db", bus=bus))
        return ApiBudget(BudgetLimits(**limits), bus, lambda: stores[-1], now=now)

    yield open_budget
    await stores[-1].close()


async def test_the_worst_case_counts_until_the_call_ends(open_budget):
    budget = await open_budget(usd_a_day=1.0)
    first = await budget.reserve(0.7)
    with pytest.raises(BudgetReached, match=r"up to \$0\.40 .* of \$1\.00 a day, \$0\.30 are left") as caught:
        await budget.reserve(0.4)
    assert caught.value.retry_after == 6 * 3600
    assert caught.value.headers["x-should-retry"] == "false"
    await first.settle(0.1)
    await budget.reserve(0.4)


async def test_calls_at_the_same_time_cannot_spend_the_same_money(open_budget):
    budget = await open_budget(usd_a_day=1.0)
    outcomes = await asyncio.gather(*(budget.reserve(0.3) for _ in range(10)), return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 3


async def test_a_killed_server_has_spent_what_it_reserved(open_budget):
    budget = await open_budget(usd_a_day=1.0)
    await budget.reserve(0.8)
    budget = await open_budget(usd_a_day=1.0)
    with pytest.raises(BudgetReached):
        await budget.reserve(0.3)


async def test_a_day_ends_at_midnight_and_a_month_later(open_budget, now):
    budget = await open_budget(usd_a_day=1.0, usd_a_month=1.5)
    await budget.reserve(1.0)
    now.time = datetime(2026, 11, 30, 0, 0)
    await budget.reserve(0.5)
    with pytest.raises(BudgetReached, match="a month"):
        await budget.reserve(0.1)
    now.time = datetime(2026, 12, 1, 0, 0)
    await budget.reserve(1.0)


async def test_thresholds_are_notified_once(open_budget, events, now):
    budget = await open_budget(usd_a_day=1.0)
    for spent in (0.49, 0.02, 0.28, 0.02, 0.2):
        call = await budget.reserve(min(spent, 0.19))
        await call.settle(spent)
    notices = [event for event in events if isinstance(event, Notice)]
    assert [("(50 %)" in one.message, "(80 %)" in one.message, "(100 %)" in one.message) for one in notices] == [
        (True, False, False), (False, True, False), (False, False, True),
    ]  # fmt: skip
    assert [one.level for one in notices] == ["info", "warning", "warning"]
    assert "2026-11-30" in notices[-1].hint
    now.time = datetime(2026, 11, 30, 0, 1)
    await (await budget.reserve(0.1)).settle(0.1)
    assert isinstance(events[-1], NoticeCleared)


async def test_without_limits_nothing_is_refused(open_budget):
    budget = await open_budget()
    await budget.reserve(1_000_000.0)


class BrokenLedger:
    async def record_spending(self, call_id, day, usd):
        raise DatabaseUnusable("The disk is full.")

    async def sum_spending(self, first_day):
        raise DatabaseUnusable("The disk is full.")


async def test_what_cannot_be_recorded_is_not_spent(bus, now):
    limited = ApiBudget(BudgetLimits(usd_a_day=5.0), bus, BrokenLedger, now=now)
    with pytest.raises(BudgetReached, match="cannot be checked"):
        await limited.reserve(0.1)
    await ApiBudget(BudgetLimits(), bus, BrokenLedger, now=now).reserve(0.1)
