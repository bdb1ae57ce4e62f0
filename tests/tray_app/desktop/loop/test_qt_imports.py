"""PySide6 reads the source of imported modules, unless prevented."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PROGRAM = """
import json, linecache, sys
{before}
import PySide6.QtWidgets
import email.mime.text, tray_app.formatting
print(json.dumps([name for name in linecache.cache if not name.startswith("<")]))
"""
OURS = "from tray_app.desktop.loop.qt_imports import disable_source_reading; disable_source_reading()"


def cached(before: str) -> Any:
    """The files whose source Python keeps in memory."""
    command = [sys.executable, "-c", PROGRAM.format(before=before)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout)


def test_the_source_of_what_is_imported_is_not_read() -> None:
    read = {Path(file).name for file in cached("")}
    assert {"message.py", "translation.py"} <= read, "PySide6 reads none by itself: then qt_imports.py can go"
    assert not {"message.py", "translation.py"} & {Path(file).name for file in cached(OURS)}
