"""Qt's application object, made in one way wherever one is needed."""

import sys

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from server import __version__
from tray_app.assets import asset

NAME = "Claude Code Tray"


def make_qapplication() -> QApplication:
    """Qt's application object, which has to be there before any widget."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("claude-code-tray")
    app.setApplicationDisplayName(NAME)
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("claude-code-tray")
    app.setWindowIcon(QIcon(str(asset("icons/app.svg"))))
    # The tray icon goes on when the window is closed.
    app.setQuitOnLastWindowClosed(False)
    return app
