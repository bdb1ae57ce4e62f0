"""The event bus: all listeners get all events in order, and errors stay isolated."""

import logging

from server.core.events import MAX_NOTICES, EventBus, Notice, NoticeCleared, SessionChanged

FIRST, SECOND = SessionChanged("s1"), SessionChanged("s2")


def test_every_listener_hears_every_event_in_order():
    bus, one, other = EventBus(), [], []
    bus.subscribe(one.append)
    bus.subscribe(other.append)
    bus.publish(FIRST)
    bus.publish(SECOND)
    assert one == other == [FIRST, SECOND]


def test_listeners_are_called_before_publish_returns_in_the_order_of_their_coming():
    bus, calls = EventBus(), []
    bus.subscribe(lambda event: calls.append("one"))
    bus.subscribe(lambda event: calls.append("other"))
    bus.publish(FIRST)
    assert calls == ["one", "other"]


def test_nobody_listens():
    EventBus().publish(FIRST)


def test_who_has_left_hears_no_more():
    bus, heard, stays = EventBus(), [], []
    leave = bus.subscribe(heard.append)
    bus.subscribe(stays.append)
    bus.publish(FIRST)
    leave()
    leave()
    bus.publish(SECOND)
    assert heard == [FIRST]
    assert stays == [FIRST, SECOND]


def test_one_listener_twice_leaves_once_for_each():
    bus, heard = EventBus(), []
    leave = bus.subscribe(heard.append)
    bus.subscribe(heard.append)
    leave()
    bus.publish(FIRST)
    assert heard == [FIRST]


def test_a_listener_that_fails_is_logged_and_harms_nobody(caplog):
    bus, heard = EventBus(), []

    def fail(event):
        raise RuntimeError("a broken window")

    bus.subscribe(fail)
    bus.subscribe(heard.append)
    with caplog.at_level(logging.ERROR):
        bus.publish(FIRST)
    assert heard == [FIRST]
    (record,) = caplog.records
    assert "SessionChanged" in record.getMessage()
    assert "a broken window" in record.exc_text


def test_a_listener_may_leave_while_it_is_told():
    bus, heard = EventBus(), []
    leaving = [bus.subscribe(lambda event: leaving[0]()), bus.subscribe(heard.append)]
    bus.publish(FIRST)
    bus.publish(SECOND)
    assert heard == [FIRST, SECOND]


def test_who_comes_while_it_is_told_hears_the_next():
    bus, heard = EventBus(), []
    bus.subscribe(lambda event: bus.subscribe(heard.append) if event is FIRST else None)
    bus.publish(FIRST)
    bus.publish(SECOND)
    assert heard == [SECOND]


def test_a_listener_may_publish():
    bus, heard = EventBus(), []
    notice = Notice("info", "told")
    bus.subscribe(lambda event: bus.publish(notice) if event is FIRST else None)
    bus.subscribe(heard.append)
    bus.publish(FIRST)
    assert sorted(heard, key=str) == sorted([FIRST, notice], key=str)


def test_a_late_subscriber_gets_the_standing_notices_and_each_of_them_once():
    bus, early, late = EventBus(), [], []
    bus.subscribe(early.append)
    damaged, full = Notice("warning", "damaged", topic="database"), Notice("error", "full", topic="disk")
    for event in (damaged, FIRST, full, Notice("info", "told")):
        bus.publish(event)
    bus.publish(NoticeCleared("told"))
    bus.subscribe(late.append)
    assert late == [damaged, full]
    bus.publish(NoticeCleared("disk"))
    assert late[2:] == early[5:] == [NoticeCleared("disk")]
    assert bus.notices == (damaged,)


def test_who_subscribes_while_a_notice_is_delivered_gets_it_once():
    bus, heard = EventBus(), []
    notice = Notice("info", "told")
    bus.subscribe(lambda event: bus.subscribe(heard.append) if event is notice and not heard else None)
    bus.publish(notice)
    assert heard == [notice]


def test_a_notice_takes_the_place_of_the_one_before_of_its_topic():
    bus = EventBus()
    for number in range(3):
        bus.publish(Notice("error", f"full {number}", topic="disk"))
    assert [notice.message for notice in bus.notices] == ["full 2"]


def test_standing_notices_are_bounded():
    bus = EventBus()
    for number in range(MAX_NOTICES + 3):
        bus.publish(Notice("info", str(number)))
    assert [notice.message for notice in bus.notices] == [str(number) for number in range(3, MAX_NOTICES + 3)]
