"""The usage card: figures, update rate, and the theme's colours."""

import sqlite3
from contextlib import closing

import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel

from server.core.errors import DatabaseUnusable
from server.core.events import RequestFinished
from server.core.records import RequestRecord
from tests.waiting import until
from tray_app.models.statistics import RANGES
from tray_app.pages.overview.facts import Facts
from tray_app.pages.overview.usage_card import UsageCard
from tray_app.pages.overview.usage_plot import describe_bucket

NOW = 1_800_000_030.0
HOUR = RANGES["hour"]


@pytest.fixture
async def card(context):
    context.clock = lambda: NOW
    card = UsageCard(context)
    card.resize(800, 400)
    card.show()
    yield card
    card.set_active(False)
    if card._loading is not None:
        await card._loading
    card.deleteLater()


async def record(context, id, minutes_ago, status="ok"):
    await context.store.record_request(
        RequestRecord(
            id,
            NOW - minutes_ago * 60,
            "/v1/chat/completions",
            "x",
            status=status,
            input_tokens=2000,
            cache_read_tokens=1500,
            output_tokens=100,
            cost_usd=0.02,
        )
    )


def figures(card):
    found = card.findChild(Facts)
    return {key: found.values[key].text() for key in ("requests", "errors", "input", "cached", "output", "cost")}


def colours(card):
    image = card.grab(QRect(card.plot.mapTo(card, QPoint()), card.plot.size())).toImage()
    return {QColor(image.pixel(x, y)).name() for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}


async def test_the_log_is_summed_up(card, context):
    await record(context, "req_1", 0)
    await record(context, "req_2", 0, "error")
    await record(context, "req_3", 30)
    await card.load_usage()
    assert figures(card) == {
        "requests": "3",
        "errors": "1",
        "input": "6.0k",
        "cached": "4.5k",
        "output": "300",
        "cost": "$0.060",
    }
    assert [bucket.requests for bucket in card.plot.buckets if bucket.requests] == [1, 2]
    assert card.plot.accessibleDescription().startswith("3 requests, 1 failed; 6.0k tokens in")


async def test_the_range_is_chosen(card, context):
    await record(context, "req_1", 5)
    await record(context, "req_2", 120)
    await card.load_usage()
    assert figures(card)["requests"] == "1"
    card._chips.chip_button("day").click()
    await until(lambda: figures(card)["requests"] == "2")
    assert len(card.plot.buckets) == 48


async def test_a_range_chosen_while_another_is_read_is_the_one_that_is_shown(card, context):
    await context.change_settings({"session_ttl_hours": 200})
    await record(context, "req_1", 120)
    loading = card.load_usage()
    card._chips.chip_button("week").click()
    await loading
    await until(lambda: len(card.plot.buckets) == 56)
    assert figures(card)["requests"] == "1"


async def test_it_is_read_again_when_something_changed_and_a_second_has_passed(card, context):
    card.set_active(True)
    await card._loading
    assert card._clock.interval() >= 1000
    await record(context, "req_1", 0)
    card._reload_if_due()
    assert card._loading is None, "nobody has told that anything changed"
    context.bus.publish(RequestFinished(RequestRecord("req_1", NOW, "/v1/messages", "x", status="ok")))
    context.bridge.flush()
    card._reload_if_due()
    assert card._loading is None, "it was read less than a second ago"
    context.clock = lambda: NOW + 1
    card._reload_if_due()
    await card._loading
    assert figures(card)["requests"] == "1"
    context.clock = lambda: NOW + 61
    card._reload_if_due()
    await card._loading
    assert card.plot.buckets[-2].requests == 1, "time has gone on by a minute"


async def test_nothing_is_read_while_it_is_not_seen(card):
    assert not card._clock.isActive()
    card.set_active(True)
    assert card._clock.isActive()
    card.set_active(False)
    assert not card._clock.isActive()


async def test_the_pointer_and_the_arrow_keys_tell_a_buckets_figures(card, context, qtbot):
    await record(context, "req_1", 0)
    await card.load_usage()
    plot, told = card.plot, []
    plot.pointed_at.connect(told.append)
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert told[-1].requests == 1
    shown = [label.text() for label in card.findChildren(QLabel)]
    assert describe_bucket(HOUR, told[-1]) in shown
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert told[-1].start == plot.buckets[-2].start
    for key, place in ((Qt.Key.Key_Right, -1), (Qt.Key.Key_Right, -1), (Qt.Key.Key_Home, 0), (Qt.Key.Key_Left, 0)):
        qtbot.keyClick(plot, key)
        assert plot.pointed is plot.buckets[place]
    qtbot.keyClick(plot, Qt.Key.Key_End)
    assert plot.pointed is plot.buckets[-1]
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    assert told[-1] is None
    middle = QPointF(plot.requests_axes().x_of(plot.buckets[10].start + 30), 40)
    qtbot.mouseMove(plot, middle.toPoint())
    await until(lambda: told[-1] is not None)
    assert told[-1].start == plot.buckets[10].start


async def test_the_selected_bucket_stays_selected_with_new_figures(card, context, qtbot):
    await card.load_usage()
    qtbot.keyClick(card.plot, Qt.Key.Key_Left)
    await record(context, "req_1", 0)
    await card.load_usage()
    assert "1 request;" in " ".join(label.text() for label in card.findChildren(QLabel))


async def test_it_changes_its_colours_with_the_theme(card, context):
    for minute in range(60):
        await record(context, f"req_{minute}", minute, "error" if minute % 3 == 0 else "ok")
    await card.load_usage()
    theme = context.theme
    for choice in ("light", "dark"):
        theme.set_choice(choice)
        expected = {theme.colour(token).name() for token in ("surface", "accent", "error")}
        assert expected <= colours(card), choice


def said(card):
    return " ".join(label.text() for label in card.findChildren(QLabel))


async def test_a_history_that_is_switched_off_is_said(card, context):
    await card.load_usage()
    await context.change_settings({"history": False})
    assert "History is off" in said(card)


async def test_without_a_store_nothing_is_counted_and_that_is_said(card, context):
    store, context.store = context.store, None
    context.store_problem = DatabaseUnusable("The history is of a newer version.")
    await card.load_usage()
    assert figures(card)["requests"] == "–"
    assert "of a newer version" in said(card)
    context.store, context.store_problem = store, None
    await card.load_usage()
    assert figures(card)["requests"] == "0"
    assert "of a newer version" not in said(card)


async def test_a_log_that_cannot_be_read_shows_an_error_and_is_read_again_later(card, context):
    problems = []
    context.problem.connect(problems.append)
    await card.load_usage()
    with closing(sqlite3.connect(context.store.path)) as database:
        database.execute("DROP TABLE requests")
    context.clock = lambda: NOW + HOUR.bucket_seconds
    await card.load_usage()
    assert "Usage is not available" in said(card)
    assert problems == []
    card._reload_if_due()
    assert card._loading is None
    context.clock = lambda: NOW + HOUR.bucket_seconds + HOUR.refresh_seconds
    card._reload_if_due()
    assert card._loading is not None
    await card._loading


@pytest.mark.parametrize(
    ("hours", "offered", "told"),
    [
        (24, ["hour", "day"], "Requests are kept for 24 h; older usage is not counted."),
        (48, ["hour", "day", "week"], ""),
        (0.5, ["hour"], "Requests are kept for 30 min; older usage is not counted."),
        (None, ["hour", "day", "week"], ""),
    ],
)
async def test_no_period_is_offered_of_which_nothing_is_kept(card, context, qtbot, hours, offered, told):
    await context.change_settings({"session_ttl_hours": "never" if hours is None else hours})
    assert [key for key in RANGES if card._chips.chip_button(key).isEnabled()] == offered
    assert card.retention_note.text() == told
    assert card.change_retention.isVisible() is bool(told)
    if told:
        with qtbot.waitSignal(context.page_requested) as asked:
            card.change_retention.click()
        assert asked.args == ["settings", {"setting": "session_ttl_hours"}]


async def test_a_period_of_which_a_part_is_kept_says_so(card, context):
    await context.change_settings({"session_ttl_hours": 48})
    card._chips.chip_button("week").click()
    assert card.retention_note.text() == "Requests are kept for 2 days; older usage is not counted."
    await context.change_settings({"session_ttl_hours": 24})
    assert card._chips.current == "day"
    assert not card._chips.chip_button("week").isEnabled()
