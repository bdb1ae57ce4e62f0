"""An error that nobody expected, as a text that can be passed on: what, where, and on what; no secrets."""

import platform
import traceback
from dataclasses import dataclass
from types import TracebackType

import PySide6
from PySide6.QtCore import QLibraryInfo, QSysInfo
from PySide6.QtGui import QGuiApplication

from server import __version__
from server.core.redaction import redact_text

MAX_TRACE_CHARACTERS = 20_000
"""A recursion that never ended has a long trace, and its middle says nothing new."""


@dataclass(frozen=True, slots=True)
class CrashReport:
    """`summary` is the error's last line, `fingerprint` is the same for the same error at the same place."""

    summary: str
    trace: str
    where: str
    """What was being done, as "a thread" or "a slot of the window"."""
    fingerprint: tuple[str, ...]

    def as_text(self) -> str:
        """What "Copy" gives."""
        return f"Dragoman {__version__}\n{surroundings()}\nIn {self.where}\n\n{self.trace}\n"


def crash_report(error: BaseException, where: str, trace: TracebackType | None = None) -> CrashReport:
    """The report on `error`; `trace` is where it was caught, if the error itself does not say."""
    lines = traceback.format_exception(type(error), error, error.__traceback__ or trace)
    last = traceback.format_exception_only(type(error), error)[-1]
    return CrashReport(
        summary=redact_text(last.strip()),
        trace=redact_text(_bounded("".join(lines).rstrip())),
        where=where,
        fingerprint=_fingerprint(error, trace),
    )


def surroundings() -> str:
    """Versions and platform, a line each."""
    screen = QGuiApplication.platformName() if isinstance(QGuiApplication.instance(), QGuiApplication) else "no display"
    return (
        f"{QSysInfo.prettyProductName()} ({platform.system()} {platform.release()}, {platform.machine()}), {screen}\n"
        f"Python {platform.python_version()}, PySide {PySide6.__version__}, Qt {QLibraryInfo.version().toString()}"
    )


def _fingerprint(error: BaseException, trace: TracebackType | None) -> tuple[str, ...]:
    """The kind of error and its way, without the message, which may hold a number that is new each time."""
    frames = traceback.extract_tb(error.__traceback__ or trace)
    return (type(error).__qualname__, *(f"{frame.filename}:{frame.lineno}" for frame in frames[-8:]))


def _bounded(text: str) -> str:
    if len(text) <= MAX_TRACE_CHARACTERS:
        return text
    half = MAX_TRACE_CHARACTERS // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters ...]\n{text[-half:]}"
