"""`python -m tests.tools.bench.desktop`: the desktop application, which shows what its standard input asks for.

A line is a page's key, or a theme, `light` or `dark`, and is answered by a line of JSON on standard output with what
is shown then; `modules` is answered by what is loaded.
"""

import json
import linecache
import sys
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

from tray_app.__main__ import main as run

PAGES = ("guide", "overview", "requests", "sessions", "clients", "settings")
THEMES = ("light", "dark")
POLL_MS = 20


def main(arguments: Sequence[str]) -> int:
    """Run the application; its exit code."""
    threading.Thread(target=_follow, daemon=True).start()
    return run(arguments)


def _follow() -> None:
    for line in sys.stdin:
        # Only after the first line, whose writer waits until the application listens and has loaded Qt.
        from PySide6.QtCore import QCoreApplication, QTimer

        done, answer = threading.Event(), list[Any]()
        QTimer.singleShot(0, QCoreApplication.instance(), partial(_do, line.strip(), answer, done))
        done.wait()
        print(json.dumps(answer), flush=True)


def _do(what: str, answer: list[Any], done: threading.Event) -> None:
    """In the GUI thread."""
    from PySide6.QtCore import QCoreApplication, QTimer
    from PySide6.QtWidgets import QApplication

    from tray_app import theme
    from tray_app.window.main_window import MainWindow

    window = next((one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow)), None)
    if window is None:
        # It is made a moment after the server listens.
        QTimer.singleShot(POLL_MS, QCoreApplication.instance(), partial(_do, what, answer, done))
        return
    try:
        if what == "modules":
            answer += [sorted(sys.modules), len(linecache.cache)]
        elif what == "light" or what == "dark":
            theme.current().set_choice(what)
            answer.append("dark" if theme.current().dark else "light")
        else:
            window.go_to_page(what)
            window.bring_up()
            answer.append(window.current_page.key if window.current_page.isVisible() else None)
    finally:
        done.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
