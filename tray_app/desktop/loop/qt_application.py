"""Qt's application object, made in one way wherever one is needed."""

import os
import sys

from PySide6.QtCore import QEvent, QMessageLogContext, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from server import __version__
from server.config.own_commands import COMMAND
from server.core.console import write_line
from tray_app.assets import asset
from tray_app.desktop.loop.qt_libraries import hint

NAME = "Dragoman"


class TrayApplication(QApplication):
    """Qt's application object, which leaves it to the program to end itself: there is much to take down first."""

    quit_requested = Signal()
    """The desktop wants the program to end: its session ends, or on macOS the person chose "Quit" in the Dock."""

    def event(self, event: QEvent) -> bool:
        """Qt would close the windows and leave its loop at once."""
        if event.type() == QEvent.Type.Quit:
            self.quit_requested.emit()
            return True
        return super().event(event)


def make_qapplication() -> TrayApplication:
    """Qt's application object, which has to be there before any widget.

    Where the desktop cannot be reached, or a library for it is missing, this says so and ends the program: Qt would
    abort it.
    """
    existing = QApplication.instance()
    app = existing if isinstance(existing, TrayApplication) else _new()
    app.setApplicationName("dragoman")
    app.setApplicationDisplayName(NAME)
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("dragoman")
    app.setWindowIcon(QIcon(str(asset("icons/app.svg"))))
    # The tray icon goes on when the window is closed.
    app.setQuitOnLastWindowClosed(False)
    return app


def _new() -> TrayApplication:
    said: list[str] = []

    def hear(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
        said.append(message.strip())
        if kind == QtMsgType.QtFatalMsg:
            _give_up(said[:-1] or said)

    before = qInstallMessageHandler(hear)
    try:
        app = TrayApplication(sys.argv[:1])
    finally:
        qInstallMessageHandler(before)
    for message in said:
        write_line(message, "stderr")
    return app


def _give_up(reasons: list[str]) -> None:
    write_line(f"{COMMAND}: the window cannot be shown: {' '.join(reasons)} {hint()}", "stderr")
    # Qt aborts when the handler of its messages returns.
    os._exit(1)
