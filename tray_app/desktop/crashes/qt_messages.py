"""What Qt has to say goes to the log."""

import logging
import sys
from collections.abc import Callable

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

log = logging.getLogger("tray_app.qt")

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def install() -> Callable[[], None]:
    """Send Qt's messages to the log; call what is returned to end that."""
    before = qInstallMessageHandler(_on_message)

    def undo() -> None:
        qInstallMessageHandler(before)

    return undo


def _on_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    """Called from any thread. An exception would get lost in Qt, so none leaves."""
    try:
        category = str(context.category or "default")
        log.log(_LEVELS.get(kind, logging.WARNING), "%s", message, extra={"category": category})
        if kind == QtMsgType.QtFatalMsg:
            # Qt aborts when this returns.
            _flush()
    except Exception as error:
        if sys.__stderr__ is not None:
            sys.__stderr__.write(f"Qt said {message!r}, which could not be logged: {error}\n")


def _flush() -> None:
    for handler in logging.getLogger().handlers:
        handler.flush()
