"""The tray icon, and nothing else of the application. Its argument is a directory to keep things in."""

import asyncio
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from server.config.settings import Settings
from server.logs import configure_logs
from server.secrets import KeyStore
from server.secrets.storage import MemoryStorage
from tray_app.context import Context
from tray_app.desktop.autostart import system_autostart
from tray_app.desktop.loop.event_loop import EventLoop
from tray_app.desktop.tray import TrayIcon
from tray_app.preferences import Preferences
from tray_app.theme import Theme


def say(word: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def serve(directory: Path) -> None:
    """Show the icon until "Quit" is chosen, and say which pages are asked for."""
    settings = Settings(port=0, data_dir=directory / "data", config_dir=directory / "config")
    configure_logs(settings)
    context = Context(
        settings,
        key_store=KeyStore(MemoryStorage(), fixed_key="dgm-the-key-of-the-tray-program"),
        theme=Theme(),
        autostart=system_autostart([]),
        preferences=Preferences(settings.config_dir),
    )
    quitting = asyncio.Event()
    window = QWidget()
    window.setWindowTitle("the window of the tray program")
    context.page_requested.connect(lambda page, _: say(f"page {page}"))
    icon = TrayIcon(context, open_window=window.show, quit=quitting.set)
    icon.show()
    say("shown")
    await quitting.wait()
    icon.hide()
    await context.close()


if __name__ == "__main__":
    app = QApplication(sys.argv[:1])
    app.setQuitOnLastWindowClosed(False)
    with EventLoop(app) as loop:
        loop.run_until_complete(serve(Path(sys.argv[1])))
