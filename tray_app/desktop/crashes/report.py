"""Crash reports: error, location and platform as text, without secrets."""

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
"""An endless recursion has a long trace; its middle is left out."""


@dataclass(frozen=True, slots=True)
class CrashReport:
    """A report. Equal errors at the same location have equal fingerprints."""

    summary: str
    trace: str
    where: str
    """The context of the error, such as "the window" or "a finalizer"."""
    fingerprint: tuple[str, ...]

    def as_text(self) -> str:
        """The text that "Copy" puts on the clipboard."""
        return f"Dragoman {__version__}\n{describe_platform()}\nIn {self.where}\n\n{self.trace}\n"


def crash_report(error: BaseException, where: str, trace: TracebackType | None = None) -> CrashReport:
    """Create the report of `error`; `trace` is used if it has no traceback."""
    lines = traceback.format_exception(type(error), error, error.__traceback__ or trace)
    last = traceback.format_exception_only(type(error), error)[-1]
    return CrashReport(
        summary=redact_text(last.strip()),
        trace=redact_text(_limit_length("".join(lines).rstrip())),
        where=where,
        fingerprint=_make_fingerprint(error, trace),
    )


def describe_platform() -> str:
    """Versions and platform, a line each."""
    screen = QGuiApplication.platformName() if isinstance(QGuiApplication.instance(), QGuiApplication) else "no display"
    return (
        f"{QSysInfo.prettyProductName()} ({platform.system()} {platform.release()}, {platform.machine()}), {screen}\n"
        f"Python {platform.python_version()}, PySide {PySide6.__version__}, Qt {QLibraryInfo.version().toString()}"
    )


def _make_fingerprint(error: BaseException, trace: TracebackType | None) -> tuple[str, ...]:
    """The error's type and frames; its message may differ each time."""
    frames = traceback.extract_tb(error.__traceback__ or trace)
    return (type(error).__qualname__, *(f"{frame.filename}:{frame.lineno}" for frame in frames[-8:]))


def _limit_length(text: str) -> str:
    if len(text) <= MAX_TRACE_CHARACTERS:
        return text
    half = MAX_TRACE_CHARACTERS // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters ...]\n{text[-half:]}"
