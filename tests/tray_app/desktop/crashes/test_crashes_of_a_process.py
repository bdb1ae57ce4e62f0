"""Crashes that end a process, and their traces."""

import signal
import subprocess
import sys
from pathlib import Path

from server.logs import log_file

START = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer, qFatal
from PySide6.QtWidgets import QApplication, QDialog
from server.logs import configure_logs
from server.config.settings import Settings
from tray_app.desktop import crashes

settings = Settings(data_dir=Path(sys.argv[1]), config_dir=Path(sys.argv[1]))
configure_logs(settings)
caught = crashes.install_handlers(settings.data_dir)
"""


def run(data_dir: Path, code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", START + code, str(data_dir)], capture_output=True, text=True, timeout=60
    )


def logged(data_dir: Path) -> str:
    return log_file(data_dir).read_text(encoding="utf-8")


def test_an_error_that_ends_the_program_is_logged_and_shown(tmp_path: Path) -> None:
    code = """
app = QApplication([])
def answer():
    print(caught.dialog.isVisible(), caught.dialog.go_on.isVisible(), flush=True)
    caught.dialog.quit.click()
QTimer.singleShot(0, answer)
raise LookupError("nothing goes any more")
"""
    ended = run(tmp_path, code)
    assert ended.returncode == 1
    assert ended.stdout == "True False\n"
    assert "LookupError: nothing goes any more" in ended.stderr
    assert "nothing goes any more" in logged(tmp_path)


def test_an_error_that_leaves_the_block_is_logged_and_shown(tmp_path: Path) -> None:
    code = """
crashes.uninstall_handlers()
app = QApplication([])
with crashes.catch_crashes(settings.data_dir) as caught:
    def answer():
        print(caught.dialog.isVisible(), flush=True)
        caught.dialog.quit.click()
    QTimer.singleShot(0, answer)
    raise LookupError("nothing goes any more")
"""
    ended = run(tmp_path, code)
    assert ended.returncode == 1
    assert ended.stdout == "True\n"
    assert ended.stderr.endswith("\nLookupError: nothing goes any more\n")
    assert "nothing goes any more" in logged(tmp_path)


def test_tray_error_leaves_the_block_without_a_dialog(tmp_path: Path) -> None:
    code = """
from server.core.errors import SetupError
crashes.uninstall_handlers()
app = QApplication([])
try:
    with crashes.catch_crashes(settings.data_dir):
        raise SetupError("The disk is full.")
except SetupError as error:
    print(error)
"""
    ended = run(tmp_path, code)
    assert (ended.returncode, ended.stdout) == (0, "The disk is full.\n")


def test_error_before_qt_is_logged_and_printed(tmp_path: Path) -> None:
    ended = run(tmp_path, 'raise LookupError("too early")')
    assert ended.returncode == 1
    assert "LookupError: too early" in ended.stderr
    assert "too early" in logged(tmp_path)


def test_sigterm_ends_a_program_that_shows_its_last_error(tmp_path: Path) -> None:
    code = """
import os, signal
app = QApplication([])
QTimer.singleShot(0, lambda: os.kill(os.getpid(), signal.SIGTERM))
raise LookupError("nothing goes any more")
"""
    assert run(tmp_path, code).returncode == -signal.SIGTERM


def test_fault_below_python_is_recorded(tmp_path: Path) -> None:
    ended = run(tmp_path, "import ctypes; ctypes.string_at(0)")
    assert ended.returncode != 0
    faults = (log_file(tmp_path).parent / "faults.log").read_text()
    assert "Segmentation fault" in faults or "access violation" in faults
    assert "string_at" in faults


def test_last_message_of_qt_is_logged(tmp_path: Path) -> None:
    ended = run(tmp_path, 'qFatal("the end of Qt")')
    assert ended.returncode != 0
    assert "the end of Qt" in logged(tmp_path)
    assert "Abort" in (log_file(tmp_path).parent / "faults.log").read_text()


def test_a_void_call_costs_no_reference() -> None:
    """PySide6 6.12.0 on Python 3.11 loses a reference to None with each call, and aborts after some thousands."""
    code = """
from PySide6.QtCore import QObject
thing = QObject()
for _ in range(200_000):
    thing.blockSignals(False)
    thing.setObjectName("x")
print("alive")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (0, "alive\n")
