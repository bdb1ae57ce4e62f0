"""Creation of Qt's application object."""

import os
import sys

from PySide6.QtCore import QEvent, QMessageLogContext, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from server import __version__
from server.config.own_commands import COMMAND, desktop_id
from server.core.console import write_line
from tray_app.assets import asset_path
from tray_app.desktop.loop.qt_libraries import missing_libraries_hint

NAME = "Dragoman"


class TrayApplication(QApplication):
    """Qt's application object, which leaves the shutdown to the program."""

    quit_requested = Signal()
    """The desktop asks the program to end: its session ends, or on macOS the user chose "Quit" in the Dock."""

    def event(self, event: QEvent) -> bool:
        """Intercept Quit, at which Qt would close the windows and leave its loop at once."""
        if event.type() == QEvent.Type.Quit:
            self.quit_requested.emit()
            return True
        return super().event(event)


def make_qapplication() -> TrayApplication:
    """Create or return the application object, before any widget is created.

    If the desktop cannot be reached or a library is missing, print the reason and end the program; Qt would abort it.
    """
    existing = QApplication.instance()
    app = existing if isinstance(existing, TrayApplication) else _create_application()
    app.setApplicationName("dragoman")
    app.setApplicationDisplayName(NAME)
    app.setApplicationVersion(__version__)
    app.setDesktopFileName(desktop_id())
    app.setWindowIcon(QIcon(str(asset_path("icons/app.svg"))))
    # The application stays in the tray when the window is closed.
    app.setQuitOnLastWindowClosed(False)
    return app


def _create_application() -> TrayApplication:
    messages: list[str] = []

    def on_message(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
        messages.append(message.strip())
        if kind == QtMsgType.QtFatalMsg:
            _give_up(messages[:-1] or messages)

    before = qInstallMessageHandler(on_message)
    try:
        app = TrayApplication(sys.argv[:1])
    finally:
        qInstallMessageHandler(before)
    for message in messages:
        write_line(message, "stderr")
    return app


def _give_up(reasons: list[str]) -> None:
    write_line(f"{COMMAND}: the window cannot be shown: {' '.join(reasons)} {missing_libraries_hint()}", "stderr")
    # Qt aborts when its message handler returns.
    os._exit(1)
