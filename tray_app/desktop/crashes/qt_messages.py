"""Qt's messages in the log."""

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


def log_qt_messages() -> Callable[[], None]:
    """Send Qt's messages to the log, and return a function that ends that."""
    before = qInstallMessageHandler(_on_message)

    def restore_handler() -> None:
        qInstallMessageHandler(before)

    return restore_handler


def _on_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    """Log a message, from any thread. Raises nothing: Qt would lose it."""
    try:
        category = str(context.category or "default")
        log.log(_LEVELS.get(kind, logging.WARNING), "%s", message, extra={"category": category})
        if kind == QtMsgType.QtFatalMsg:
            # Qt aborts when this returns.
            _flush_handlers()
    except Exception as error:
        if sys.__stderr__ is not None:
            sys.__stderr__.write(f"Qt's message {message!r} could not be logged: {error}\n")


def _flush_handlers() -> None:
    for handler in logging.getLogger().handlers:
        handler.flush()
