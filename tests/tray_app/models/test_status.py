"""The application status: state, reason and remedy derived from facts."""

from dataclasses import replace
from typing import Any

import pytest

from server.core.errors import DragomanError
from server.core.events import CliChanged, Notice
from server.store.write_health import HISTORY_TOPIC
from tray_app.models.status import StatusFacts, StatusKind, status_of

NOW = 1_800_000_000.0
WELL = StatusFacts("running", NOW, url="http://127.0.0.1:8000", cli=CliChanged("/usr/bin/claude", "2.1", True, {}))
OUT = CliChanged("/usr/bin/claude", "2.1", False, {})
GONE = CliChanged(None, None, None, {}, "There is no claude at /opt/claude.")
FULL = {"status": "rejected", "utilization": 1.0, "resetsAt": NOW + 5400}
WEEK = {"status": "rejected", "utilization": 1.0, "resetsAt": NOW + 3 * 86_400}
DISK = Notice("error", "History is not being saved. The disk is full.", topic=HISTORY_TOPIC)


@pytest.mark.parametrize(
    ("facts", "kind", "word"),
    [
        (StatusFacts("stopped", NOW), "stopped", "Stopped"),
        (StatusFacts("starting", NOW), "starting", "Starting..."),
        (StatusFacts("stopping", NOW, in_flight=1), "starting", "Stopping..."),
        (StatusFacts("failed", NOW), "error", "Could not start"),
        (StatusFacts("failed", NOW, problem=DragomanError("Port 8000 is in use.")), "error", "Could not start"),
        (StatusFacts("stopped", NOW, problem=DragomanError("It would ask itself.")), "error", "Could not start"),
        (WELL, "running", "Running"),
        (replace(WELL, cli=None), "running", "Running"),
        (replace(WELL, in_flight=2), "busy", "Running"),
        (replace(WELL, in_flight=2, finishing=True), "starting", "Finishing..."),
        (replace(WELL, cli=OUT), "attention", "Needs attention"),
        (replace(WELL, cli=OUT, in_flight=2), "attention", "Needs attention"),
        (replace(WELL, cli=OUT, replaces_cli=True), "running", "Running"),
        (replace(WELL, windows={"five_hour": FULL}), "attention", "Needs attention"),
        (replace(WELL, windows={"five_hour": FULL}, replaces_plan=True), "running", "Running"),
        (replace(WELL, windows={"five_hour": FULL | {"resetsAt": NOW}}), "running", "Running"),
        (replace(WELL, windows={"five_hour": FULL | {"status": "allowed"}}), "running", "Running"),
        (replace(WELL, windows={"overage": FULL}), "running", "Running"),
        (replace(WELL, notices=[Notice("warning", "The database was damaged.")]), "running", "Running"),
    ],
)
def test_each_state_has_its_kind_and_word(facts: StatusFacts, kind: StatusKind, word: str) -> None:
    status = status_of(facts)
    assert (status.kind, status.word) == (kind, word)
    assert bool(status.reason) is (kind == "attention" or facts.problem is not None)


@pytest.mark.parametrize(
    ("facts", "reason", "remedy"),
    [
        (
            replace(WELL, cli=GONE),
            "There is no claude at /opt/claude.",
            ("Choose the program...", "settings", {"setting": "claude_path"}),
        ),
        (replace(WELL, cli=OUT), "Claude Code is signed out.", ("Sign in to Claude Code...", "overview", {})),
        (replace(WELL, degraded_reason="It is asleep."), "It is asleep.", ("Open Overview", "overview", {})),
        (
            replace(WELL, windows={"five_hour": FULL}),
            "The 5-hour limit of your plan is used up; resets in 1 h 30 min.",
            ("Show plan limits", "overview", {}),
        ),
        (
            replace(WELL, windows={"five_hour": FULL, "seven_day": WEEK}),
            "The weekly limit of your plan is used up; resets in 3 days.",
            ("Show plan limits", "overview", {}),
        ),
        (
            replace(WELL, windows={"five_hour": FULL | {"resetsAt": NOW * 1000}}),
            "The 5-hour limit of your plan is used up.",
            ("Show plan limits", "overview", {}),
        ),
        (replace(WELL, notices=[DISK]), "History is not being saved. The disk is full.", None),
        (
            replace(WELL, key_is_lost=True),
            "The API key is kept in memory only and will change at the next start.",
            ("Choose where to keep it...", "settings", {"setting": "key_storage"}),
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(
    facts: StatusFacts, reason: str, remedy: tuple[str, str, dict[str, Any]] | None
) -> None:
    status = status_of(facts)
    found = None if status.remedy is None else (status.remedy.label, status.remedy.page, dict(status.remedy.details))
    assert (status.kind, status.reason, found) == ("attention", reason, remedy)


def test_the_worst_comes_first() -> None:
    facts = replace(WELL, cli=GONE, windows={"five_hour": FULL}, notices=[DISK], key_is_lost=True)
    reasons = []
    for mended in ({"cli": WELL.cli}, {"windows": {}}, {"notices": ()}, {"key_is_lost": False}):
        reasons.append(status_of(facts).reason.split()[0])
        facts = replace(facts, **mended)
    assert reasons == ["There", "The", "History", "The"]
    assert status_of(facts) == status_of(WELL)


@pytest.mark.parametrize(("count", "line"), [(0, "Stops after 0"), (1, "Stops after 1 running answer"), (2, "Stops")])
def test_what_a_stop_waits_for_is_counted(count: int, line: str) -> None:
    assert status_of(replace(WELL, finishing=True, in_flight=count)).line.startswith(line)


def test_a_menu_stays_narrow() -> None:
    status = status_of(StatusFacts("failed", NOW, problem=DragomanError("word " * 100)))
    assert len(status.reason) == 100
    assert status.line == f"Not running: {status.reason}"
