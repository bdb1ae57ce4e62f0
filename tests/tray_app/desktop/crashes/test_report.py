"""The content of a crash report."""

from collections.abc import Callable
from pathlib import Path

import pytest

from server import __version__
from tray_app.desktop.crashes.report import MAX_TRACE_CHARACTERS, crash_report


def failing(message: str, kind: type[Exception] = ValueError) -> Exception:
    try:
        raise kind(message)
    except Exception as error:
        return error


def elsewhere(message: str) -> Exception:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


def endless(depth: int = 0) -> int:
    return endless(depth + 1) + 1


def test_report_names_error_context_and_platform() -> None:
    report = crash_report(failing("the answer is 43"), "a thread")
    assert report.summary == "ValueError: the answer is 43"
    text = report.as_text()
    assert f"Dragoman {__version__}" in text
    assert "PySide 6." in text
    assert "In a thread" in text
    assert Path(__file__).name in text
    assert text.rstrip().endswith("ValueError: the answer is 43")


def test_causes_are_in_it() -> None:
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError("outer") from inner
    except ValueError as error:
        report = crash_report(error, "the window")
    assert "KeyError: 'inner'" in report.trace
    assert report.summary == "ValueError: outer"


@pytest.mark.parametrize(
    "secret", ["dgm-abcdefghijklmnopqrstuvwxyz", "sk-ant-abcdefghijklmnopqrstuvwxyz", "authorization: Bearer abcdefgh"]
)
def test_secrets_are_not(secret: str) -> None:
    report = crash_report(failing(f"bad header {secret}"), "the window")
    assert secret not in report.as_text() + report.summary
    assert "[redacted]" in report.summary


def test_a_trace_has_an_end() -> None:
    try:
        endless()
    except RecursionError as error:
        report = crash_report(error, "the window")
    long = crash_report(failing("x" * 100_000), "the window")
    for each in (report, long):
        assert len(each.trace) < MAX_TRACE_CHARACTERS + 100
    assert "RecursionError" in report.trace


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (lambda: failing("1"), lambda: failing("2"), True),
        (lambda: failing("1"), lambda: elsewhere("1"), False),
        (lambda: failing("1"), lambda: failing("1", KeyError), False),
    ],
)
def test_the_same_error_is_known_by_its_kind_and_place(
    one: Callable[[], Exception], other: Callable[[], Exception], same: bool
) -> None:
    assert (crash_report(one(), "a").fingerprint == crash_report(other(), "b").fingerprint) is same
