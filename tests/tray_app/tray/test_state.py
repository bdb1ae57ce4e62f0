"""Which icon tells of what."""

import pytest

from server.events import ServerState
from tray_app.tray.state import TrayState, in_flight_line, tray_state


@pytest.mark.parametrize(
    ("state", "in_flight", "problem", "shown"),
    [
        ("stopped", 0, False, "stopped"),
        ("stopped", 0, True, "error"),
        ("starting", 0, False, "stopped"),
        ("stopping", 0, False, "stopped"),
        ("stopping", 1, True, "stopped"),
        ("running", 0, False, "running"),
        ("running", 1, False, "busy"),
        ("running", 0, True, "error"),
        ("running", 1, True, "busy"),
        ("failed", 0, True, "error"),
        ("failed", 0, False, "error"),
        ("failed", 3, True, "error"),
    ],
)
def test_each_state_has_its_icon(state: ServerState, in_flight: int, problem: bool, shown: TrayState) -> None:
    assert tray_state(state, in_flight=in_flight, problem=problem) == shown


@pytest.mark.parametrize(
    ("count", "line"), [(0, ""), (1, "1 request in flight"), (2, "2 requests in flight"), (30, "30 requests in flight")]
)
def test_requests_in_flight_are_counted(count: int, line: str) -> None:
    assert in_flight_line(count) == line
