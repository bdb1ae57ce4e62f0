"""When a check is made, what it finds, and what it never does."""

import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from packaging.version import Version

from server.core.errors import DragomanError
from tests.release_server import REPOSITORY, ReleaseServer, listing, release, reply
from tests.waiting import until
from tray_app.context import Context
from tray_app.preferences import Preferences
from tray_app.updates import built_in, check
from tray_app.updates.check import DAY_SECONDS, UpdateCheck
from tray_app.updates.feed import ReleaseFeed


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def make(
    make_context: Callable[..., Context], server: ReleaseServer, clock: Clock
) -> AsyncIterator[Callable[..., UpdateCheck]]:
    """Makes the check of a program that starts, with this server as its feed."""
    contexts = []

    def make(**changes: Any) -> UpdateCheck:
        def make_check(context: Context) -> UpdateCheck:
            made = UpdateCheck(context, **({"find_feed": server.feed} | changes))
            made.running = Version("0.1.0")
            return made

        contexts.append(make_context(updates=make_check, clock=clock))
        return contexts[-1].updates

    yield make
    for context in contexts:
        await context.close()


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the clock every few milliseconds, from the start on."""
    monkeypatch.setattr(check, "FIRST_MS", 1)
    monkeypatch.setattr(check, "EVERY_MS", 2)


async def look_at_clock(made: UpdateCheck, times: int = 3) -> None:
    """Wait until the daily check has looked at the clock so many times more."""
    looks: list[None] = []
    connection = made._timer.timeout.connect(lambda: looks.append(None))
    await until(lambda: len(looks) >= times)
    made._timer.timeout.disconnect(connection)


async def ended(made: UpdateCheck) -> None:
    await until(lambda: made.state != "checking")


async def switch(made: UpdateCheck, on: bool) -> None:
    await made._context.change_settings({"check_updates": on})


async def test_a_click_finds_the_newer_versions(make: Callable[..., UpdateCheck], server: ReleaseServer) -> None:
    made = make()
    server.answer = listing(release("v0.2.0"), release("v0.3.0"), release("v0.1.0"))
    made.check_now()
    assert made.state == "checking"
    await ended(made)
    assert made.state == "done"
    assert made.result is not None
    assert [entry.tag for entry in made.result.newer] == ["v0.3.0", "v0.2.0"]
    assert made.newest is not None
    assert str(made.newest.version) == "0.3.0"
    assert made.is_announced


async def test_clicks_during_a_check_send_nothing_more(make: Callable[..., UpdateCheck], server: ReleaseServer) -> None:
    made = make()
    for _ in range(3):
        made.check_now()
    await ended(made)
    assert len(server.requests) == 1
    made.check_now()
    await ended(made)
    assert len(server.requests) == 2


async def test_a_failure_keeps_what_was_known(make: Callable[..., UpdateCheck], server: ReleaseServer) -> None:
    made = make()
    server.answer = listing(release("v0.2.0"))
    made.check_now()
    await ended(made)
    server.answer = reply(503)
    made.check_now()
    await ended(made)
    assert made.state == "failed"
    assert isinstance(made.error, DragomanError)
    assert made.newest is not None
    server.answer = listing(release("v0.1.0"))
    made.check_now()
    await ended(made)
    assert (made.state, made.error, made.newest) == ("done", None, None)


async def test_a_cancelled_check_leaves_no_error(make: Callable[..., UpdateCheck], server: ReleaseServer) -> None:
    made = make()
    server.answer = lambda _: server.closing.wait() and None
    made.check_now()
    await until(lambda: server.requests)
    made.cancel_check()
    await ended(made)
    assert (made.state, made.error) == ("idle", None)


async def test_a_closed_message_returns_with_the_next_version(
    make: Callable[..., UpdateCheck], server: ReleaseServer
) -> None:
    made = make()
    server.answer = listing(release("v0.2.0"))
    made.check_now()
    await ended(made)
    made.close_message()
    assert not made.is_announced
    made._context.preferences.sync()
    later = make()
    later.check_now()
    await ended(later)
    assert not later.is_announced
    server.answer = listing(release("v0.3.0"))
    later.check_now()
    await ended(later)
    assert later.is_announced


def test_automatic_checks_are_off_by_default_and_never_in_the_first_minute() -> None:
    from server.config.settings import Settings

    assert Settings.model_fields["check_updates"].default is False
    assert check.FIRST_MS > 60_000
    assert DAY_SECONDS == 24 * 3600


@pytest.mark.usefixtures("fast")
async def test_nothing_is_asked_unless_it_is_switched_on(
    make: Callable[..., UpdateCheck], server: ReleaseServer
) -> None:
    made = make()
    made.start_daily_checks()
    assert not made._timer.isActive()
    await switch(made, True)
    await until(lambda: server.requests)
    await ended(made)
    await switch(made, False)
    assert not made._timer.isActive()


@pytest.mark.usefixtures("fast")
async def test_once_a_day(make: Callable[..., UpdateCheck], server: ReleaseServer, clock: Clock) -> None:
    made = make()
    made.start_daily_checks()
    await switch(made, True)
    for day in range(1, 4):
        await until(lambda day=day: len(server.requests) == day)  # type: ignore[misc]
        await ended(made)
        clock.now += DAY_SECONDS - 10
        await look_at_clock(made)
        assert len(server.requests) == day
        clock.now += 11


@pytest.mark.usefixtures("fast")
async def test_another_start_on_the_same_day_does_not_ask_again(
    make: Callable[..., UpdateCheck], server: ReleaseServer, clock: Clock
) -> None:
    first = make()
    first.start_daily_checks()
    await switch(first, True)
    await until(lambda: server.requests)
    await ended(first)
    first.stop()
    first._context.preferences.sync()
    clock.now += 3600
    second = make()
    await switch(second, True)
    second.start_daily_checks()
    await look_at_clock(second)
    assert len(server.requests) == 1
    # A clock that was far ahead at the last check must not end the checks for good.
    clock.now -= 30 * DAY_SECONDS
    await until(lambda: len(server.requests) == 2)
    await ended(second)


@pytest.mark.usefixtures("fast")
async def test_an_automatic_check_fails_silently(
    make: Callable[..., UpdateCheck], server: ReleaseServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    made = make()
    problems: list[DragomanError] = []
    made._context.problem.connect(problems.append)
    made._context.report_bug = problems.append  # type: ignore[assignment]
    server.answer = reply(500)
    made.start_daily_checks()
    with caplog.at_level(logging.INFO):
        await switch(made, True)
        await until(lambda: server.requests)
        await ended(made)
    assert problems == []
    assert [record.levelname for record in caplog.records if "check for updates failed" in record.message] == ["INFO"]
    # A failure is not repeated on the same day either.
    await look_at_clock(made)
    assert len(server.requests) == 1


@pytest.mark.usefixtures("fast")
async def test_a_build_without_checks_asks_nothing(
    make: Callable[..., UpdateCheck], server: ReleaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built_in, "UPDATE_CHECKS", False)
    made = make()
    await switch(made, True)
    made.start_daily_checks()
    made.check_now()
    assert (made.state, made._timer.isActive()) == ("idle", False)
    assert server.requests == []


@pytest.mark.usefixtures("fast")
async def test_without_a_feed_nothing_is_asked(make: Callable[..., UpdateCheck]) -> None:
    made = make(find_feed=lambda: None)
    assert made.feed is None
    made.check_now()
    assert made.state == "idle"
    await switch(made, True)
    made.start_daily_checks()
    await look_at_clock(made)
    assert (made.state, made.last_check) == ("idle", None)


async def test_a_running_check_ends_with_the_program(make: Callable[..., UpdateCheck], server: ReleaseServer) -> None:
    made = make()
    server.answer = lambda _: server.closing.wait() and None
    made.check_now()
    await until(lambda: server.requests)
    await made._context.close()
    assert made.state == "idle"


async def test_the_time_of_the_check_is_kept_before_the_request(
    make: Callable[..., UpdateCheck], clock: Clock, settings: Any
) -> None:
    made = make()
    made.check_now()
    made._context.preferences.sync()
    assert Preferences(settings.config_dir).read_value(check.LAST_CHECK, 0.0) == clock.now
    await ended(made)


async def test_a_proxy_is_used_in_the_window_as_well(
    make: Callable[..., UpdateCheck], server: ReleaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.answer = listing(release("v0.2.0"))
    made = make(find_feed=lambda: ReleaseFeed("http://releases.test/list", REPOSITORY))
    made.check_now()
    await ended(made)
    assert made.newest is not None
    assert [request[1] for request in server.requests] == ["http://releases.test/list"]
