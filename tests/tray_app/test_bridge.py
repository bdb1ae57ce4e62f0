"""The bridge: all events, in order, in batches."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from server.core.events import (
    CliChanged,
    CliChecked,
    EventBus,
    PoolChanged,
    RequestFinished,
    RequestStarted,
    RequestUpdated,
    SessionChanged,
    SessionsDeleted,
    StateChanged,
)
from server.core.records import RequestRecord
from tray_app.bridge import Bridge


class Heard(list[tuple[str, Any]]):
    """The signals of a bridge, in order."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        for name in (
            "state_changed",
            "requests_changed",
            "sessions_changed",
            "pool_changed",
            "plan_windows_changed",
            "cli_changed",
            "cli_checked",
        ):
            getattr(bridge, name).connect(lambda value, name=name: self.append((name, value)))


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
def bridge(qapp: QApplication, bus: EventBus) -> Iterator[Bridge]:
    bridge = Bridge(bus)
    yield bridge
    bridge.close()


@pytest.fixture
def heard(bridge: Bridge) -> Heard:
    return Heard(bridge)


def record(number: int = 1, **changes: Any) -> RequestRecord:
    return replace(RequestRecord(f"request-{number}", 0.0, "/v1/messages", "test"), **changes)


def test_what_happens_together_is_one_batch_with_the_latest_of_each(
    bus: EventBus, bridge: Bridge, heard: Heard
) -> None:
    bus.publish(RequestStarted(record(1)))
    bus.publish(RequestStarted(record(2)))
    bus.publish(RequestUpdated(record(1, ttft=0.2)))
    bus.publish(RequestFinished(record(1, ttft=0.2, status="ok")))
    assert heard == []
    bridge.flush()
    assert heard == [("requests_changed", [record(1, ttft=0.2, status="ok"), record(2)])]


def test_bodies_and_headers_stay_behind(bus: EventBus, bridge: Bridge, heard: Heard) -> None:
    bus.publish(RequestFinished(record(request_body="{}", response_body="{}", request_headers=(("accept", "*/*"),))))
    bridge.flush()
    assert heard == [("requests_changed", [record()])]


def test_of_states_that_pass_only_the_last_is_passed_on_and_remembered(
    bus: EventBus, bridge: Bridge, heard: Heard
) -> None:
    for live in range(3):
        bus.publish(PoolChanged(1, live, 0, 0, 0))
    found = CliChanged("/bin/claude", "2.0", True, {})
    bus.publish(found)
    checked = CliChecked(fast_paths=1, off={"one": "it differs"})
    bus.publish(CliChecked(fast_paths=1))
    bus.publish(checked)
    bridge.flush()
    assert heard == [
        ("pool_changed", PoolChanged(1, 2, 0, 0, 0)),
        ("cli_changed", found),
        ("cli_checked", checked),
    ]
    assert bridge.cli_check is checked
    assert bridge.pool == PoolChanged(1, 2, 0, 0, 0)
    assert bridge.cli_state is found


def test_sessions_keep_their_order(bus: EventBus, bridge: Bridge, heard: Heard) -> None:
    events = (SessionChanged("b"), SessionsDeleted(("b",)), SessionChanged("c"))
    for event in events:
        bus.publish(event)
    bridge.flush()
    assert heard == [("sessions_changed", events)]


def test_states_come_at_once_and_after_what_was_before_them(bus: EventBus, bridge: Bridge, heard: Heard) -> None:
    bus.publish(RequestFinished(record()))
    bus.publish(StateChanged("stopped"))
    assert heard == [("requests_changed", [record()]), ("state_changed", StateChanged("stopped"))]


async def test_a_batch_comes_by_itself(bus: EventBus, bridge: Bridge) -> None:
    import asyncio

    seen = asyncio.Event()
    bridge.requests_changed.connect(lambda _: seen.set())
    for _ in range(2):
        seen.clear()
        bus.publish(RequestStarted(record()))
        async with asyncio.timeout(20):
            await seen.wait()


def test_a_closed_bridge_has_passed_on_what_waited_and_hears_no_more(
    bus: EventBus, bridge: Bridge, heard: Heard
) -> None:
    bus.publish(RequestStarted(record()))
    bridge.close()
    bus.publish(RequestStarted(record(2)))
    bridge.flush()
    assert heard == [("requests_changed", [record()])]


def test_what_a_listener_publishes_is_not_overtaken_by_what_was_before(
    bus: EventBus, bridge: Bridge, heard: Heard
) -> None:
    before, after = CliChanged("a", "1", True, {}), CliChanged("b", "2", True, {})

    def publish(_: object) -> None:
        if bridge.cli_state is before:
            bus.publish(after)
            bus.publish(StateChanged("stopped"))  # is not waited for, and takes all with it

    bus.publish(PoolChanged(0, 0, 0, 0, 0))
    bridge.flush()
    heard.clear()
    bridge.pool_changed.connect(publish)
    bus.publish(PoolChanged(1, 1, 1, 1, 1))
    bus.publish(before)
    bridge.flush()
    assert [value for name, value in heard if name == "cli_changed"] == [after]
