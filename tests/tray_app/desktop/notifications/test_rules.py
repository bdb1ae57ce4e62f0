"""The events that are notified, and those that are not."""

from datetime import datetime
from typing import Any

import pytest

from server.core.errors import PortUnavailable, SetupError
from server.core.events import CliChanged, CliChecked, CliShortcoming, Notice, PlanWindowsChanged
from tray_app.desktop.notifications.rules import Notification, NotificationRules

NOW = datetime(2026, 11, 22, 13, 0).timestamp()
HOUR = 3600.0


def cli(path: str | None = "/usr/bin/claude", signed_in: bool | None = True) -> CliChanged:
    return CliChanged(path, "2.1" if path else None, signed_in, {})


def plan(**windows: dict[str, Any]) -> PlanWindowsChanged:
    return PlanWindowsChanged(windows)


def titles(told: list[Notification]) -> list[str]:
    return [notification.title for notification in told]


OUT = "Claude Code is signed out"
GONE = "Claude Code was not found"


@pytest.mark.parametrize(
    ("events", "seen", "told"),
    [
        pytest.param([cli()], False, [], id="all is well"),
        pytest.param([cli(), cli(signed_in=False)], False, [OUT], id="signed out"),
        pytest.param([cli(), cli(signed_in=False)], True, [OUT], id="signed out under the person's eyes"),
        pytest.param([cli(signed_in=False)], False, [OUT], id="signed out from the start, and no window"),
        pytest.param([cli(signed_in=False)], True, [], id="the window's guide says it"),
        pytest.param([cli(), *[cli(signed_in=False)] * 5], False, [OUT], id="once"),
        pytest.param([cli(), cli(signed_in=False), cli(), cli(signed_in=False)], False, [OUT, OUT], id="again"),
        pytest.param([cli(), cli(signed_in=None)], False, [], id="it cannot be told"),
        pytest.param(
            [cli(), cli(signed_in=False), cli(signed_in=None), cli(signed_in=False)], False, [OUT], id="still"
        ),
        pytest.param([cli(), cli(None, None)], True, [GONE], id="removed while running"),
        pytest.param([cli(None, None)], False, [GONE], id="never there, and no window"),
        pytest.param([cli(None, None)], True, [], id="never there, says the window"),
        pytest.param([cli(), cli(None, None), cli(None, None), cli()], True, [GONE], id="removed and put back"),
    ],
)
def test_claude_code(events: list[CliChanged], seen: bool, told: list[str]) -> None:
    rules = NotificationRules()
    assert [title for event in events for title in titles(rules.check_cli(event, seen=seen))] == told


FIVE = "The 5-hour limit of your plan is used up"
WEEK = "The weekly limit of your plan is used up"
FULL = {"status": "rejected", "utilization": 1.0, "resetsAt": NOW + HOUR}
NEXT = FULL | {"resetsAt": NOW + 6 * HOUR}
FREE = {"status": "allowed", "utilization": 0.2, "resetsAt": NOW + HOUR}


@pytest.mark.parametrize(
    ("events", "told"),
    [
        pytest.param([plan(five_hour=FREE)], [], id="room left"),
        pytest.param([plan(five_hour=FREE | {"status": "allowed_warning", "utilization": 0.95})], [], id="nearly"),
        pytest.param([plan(five_hour=FULL)], [FIVE], id="reached"),
        pytest.param([plan(five_hour={"utilization": 1.0})], [FIVE], id="only the figure"),
        pytest.param([plan(five_hour={"status": "rejected"})], [FIVE], id="only the word"),
        pytest.param([plan(five_hour=FREE | {"utilization": 1.2})], [], id="used up, and allowed all the same"),
        pytest.param([plan(five_hour=FULL)] * 3, [FIVE], id="once"),
        pytest.param([plan(five_hour=FULL), plan(five_hour=FULL | {"resetsAt": NOW + HOUR + 7})], [FIVE], id="wavers"),
        pytest.param([plan(five_hour=FULL), plan(five_hour=FREE), plan(five_hour=FULL)], [FIVE, FIVE], id="again"),
        pytest.param([plan(five_hour=FULL), plan(five_hour=NEXT)], [FIVE, FIVE], id="next"),
        pytest.param([plan(five_hour=FULL), plan(five_hour=FULL, seven_day=FULL)], [FIVE, WEEK], id="both"),
        pytest.param([plan(seven_day_opus=FULL)], ["The weekly Opus limit of your plan is used up"], id="another"),
        pytest.param([plan(five_hour=FULL | {"resetsAt": NOW - 1})], [], id="over already"),
        pytest.param([plan(five_hour=FULL | {"resetsAt": NOW * 1000})], [FIVE], id="in another unit"),
        pytest.param([plan(five_hour={"status": None, "utilization": "much", "resetsAt": "soon"})], [], id="nonsense"),
        pytest.param([plan()], [], id="no windows"),
    ],
)  # fmt: skip
def test_plan_limits(events: list[PlanWindowsChanged], told: list[str]) -> None:
    rules = NotificationRules()
    assert [title for event in events for title in titles(rules.check_plan(event, now=NOW))] == told


@pytest.mark.parametrize(
    ("resets_at", "text"),
    [
        (NOW + 1.5 * HOUR, "It resets at 14:30 (in 1 h 30 min). Requests are refused until then."),
        (NOW + 72 * HOUR, "It resets at 2026-11-25 13:00 (in 3 days). Requests are refused until then."),
        (None, "Requests are refused until it resets."),
    ],
)
def test_a_limit_is_told_with_its_reset(resets_at: float | None, text: str) -> None:
    (told,) = NotificationRules().check_plan(plan(five_hour={"status": "rejected", "resetsAt": resets_at}), now=NOW)
    assert told.text == text
    assert told.page == "overview"


TAKEN = PortUnavailable("Port 8000 is in use by another program.", host="127.0.0.1", port=8000, in_use=True)
REFUSED = PortUnavailable("Port 80 may not be used.", host="127.0.0.1", port=80, in_use=False)
FAILED = SetupError("The database is damaged.", hint="Restore it.")


@pytest.mark.parametrize(
    ("problem", "title", "text", "page"),
    [
        (TAKEN, "Port 8000 is in use", "Port 8000 is in use by another program.", ("settings", {"setting": "port"})),
        (REFUSED, "Port 80 cannot be used", "Port 80 may not be used.", ("settings", {"setting": "port"})),
        (FAILED, "Server not running", "The database is damaged. Restore it.", ("overview", {})),
    ],
)
def test_why_the_server_does_not_run(problem: SetupError, title: str, text: str, page: tuple[str, Any]) -> None:
    (told,) = NotificationRules().check_problem(problem, seen=False)
    assert (told.level, told.title, told.text, (told.page, told.details)) == ("error", title, text, page)


def test_a_window_that_is_seen_says_it_by_itself() -> None:
    rules = NotificationRules()
    assert rules.check_problem(TAKEN, seen=True) == []
    assert rules.check_problem(TAKEN, seen=False) == []


def test_a_problem_is_told_once_and_again_when_it_came_back() -> None:
    rules = NotificationRules()
    told = [rules.check_problem(problem, seen=False) for problem in (TAKEN, TAKEN, FAILED, None, FAILED)]
    assert [len(notifications) for notifications in told] == [1, 0, 1, 0, 1]


@pytest.mark.parametrize(("level", "count"), [("info", 0), ("warning", 1), ("error", 1)])
def test_notices(level: Any, count: int) -> None:
    rules = NotificationRules()
    notice = Notice(level, "The database was damaged.", "It was set aside.")
    told = [notification for _ in range(3) for notification in rules.check_notice(notice)]
    assert [(n.level, n.text) for n in told] == [(level, "The database was damaged. It was set aside.")] * count


def test_another_notice_is_told() -> None:
    rules = NotificationRules()
    assert rules.check_notice(Notice("error", "one"))
    assert rules.check_notice(Notice("error", "two"))
    assert not rules.check_notice(Notice("error", "one"))


def test_what_a_new_version_does_not_do_is_told_once() -> None:
    rules = NotificationRules()
    lost = CliShortcoming("Tools do not work.", "Use another version.", "it differs")
    found = CliChecked(fast_paths=1, shortcomings=(lost,), is_new=True)
    (told,) = rules.check_self_check(found)
    assert (told.level, told.text, told.page) == ("warning", "Tools do not work.", "overview")
    assert not rules.check_self_check(found)
    assert not NotificationRules().check_self_check(CliChecked(fast_paths=1, shortcomings=(lost,))), "known before"
    assert not rules.check_self_check(CliChecked(fast_paths=1, off={"a": "b"}, is_new=True)), "requests still work"
