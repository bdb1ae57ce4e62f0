"""Explanations for a session that cannot be shown."""

from dataclasses import replace

import pytest

from server.core.records import RequestRecord
from tray_app.models.sessions.absence import Retention, explain_absence

NOW = 1_800_000_000.0
DAY = 86_400.0
ANSWERED = RequestRecord("r", NOW - 60, "/v1/messages", "test", session_id="s", status="ok", duration=3.0)
KEEPING = Retention(NOW, DAY)


@pytest.mark.parametrize(
    ("request_", "keeping", "recorded", "reason"),
    [
        (None, KEEPING, False, "No session has this id"),
        (replace(ANSWERED, status="running"), KEEPING, False, "not saved yet. It appears here when"),
        (replace(ANSWERED, status="running"), replace(KEEPING, history=False), False, "will not be saved: history"),
        (replace(ANSWERED, status="error"), KEEPING, True, "failed"),
        (replace(ANSWERED, status="cancelled"), KEEPING, True, "cancelled"),
        (replace(ANSWERED, started_at=NOW - DAY - 4), KEEPING, True, "has expired"),
        (replace(ANSWERED, started_at=NOW - DAY - 2), KEEPING, True, "was deleted"),
        (replace(ANSWERED, started_at=NOW - DAY - 4), replace(KEEPING, ttl=None), True, "was deleted"),
        (ANSWERED, KEEPING, True, "was deleted"),
        (ANSWERED, KEEPING, False, "history was off"),
        (ANSWERED, replace(KEEPING, unsaved=True), True, "cannot be written"),
    ],
)
def test_the_reason_follows_from_the_facts(
    request_: RequestRecord | None, keeping: Retention, recorded: bool, reason: str
) -> None:
    said = explain_absence(request_, keeping, recorded=recorded)
    assert reason in said
    assert ("deleted" in said) is (reason in ("was deleted", "No session has this id"))
