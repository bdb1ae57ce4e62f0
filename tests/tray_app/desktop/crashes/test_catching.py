"""Unexpected errors, from slots, threads, callbacks, tasks and finalizers."""

import asyncio
import faulthandler
import gc
import logging
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, qWarning
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from shiboken6 import delete

from server.core.errors import DragomanError, SetupError
from server.logs import log_file
from tests.waiting import until
from tray_app.context import Context
from tray_app.desktop import crashes
from tray_app.desktop.crashes import CrashHandlers


class Shell:
    """A stand-in for the application."""

    def __init__(self, context: Context) -> None:
        self.window = QWidget()
        self.context = context
        self.quits = 0

    def quit(self) -> None:
        self.quits += 1


@pytest.fixture
def caught(tmp_path: Path) -> Iterator[CrashHandlers]:
    yield crashes.install_handlers(tmp_path / "data")
    crashes.uninstall_handlers()


@pytest.fixture
async def shell(context: Context, caught: CrashHandlers) -> AsyncIterator[Shell]:
    shell = Shell(context)
    crashes.show_on(shell)
    yield shell
    asyncio.get_running_loop().set_exception_handler(None)
    shell.window.deleteLater()


class Failing(QObject):
    """Raises an error in a virtual function."""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.User:
            self.deleteLater()
            raise LookupError("in a virtual function")
        return super().event(event)


class FailingFinalizer:
    def __del__(self) -> None:
        raise LookupError("in a finalizer")


def boom() -> None:
    raise LookupError("in a slot")


def in_a_slot() -> None:
    QTimer.singleShot(0, boom)


def in_a_virtual_function() -> None:
    QCoreApplication.postEvent(Failing(QCoreApplication.instance()), QEvent(QEvent.Type.User))


def in_a_thread() -> None:
    thread = threading.Thread(target=boom, name="worker")
    thread.start()
    thread.join()


def in_a_callback() -> None:
    asyncio.get_running_loop().call_soon(boom)


def in_a_task() -> None:
    async def fail() -> None:
        raise LookupError("in a task")

    # No reference to the task is kept, and its result is never read.
    asyncio.ensure_future(fail())  # noqa: RUF006
    asyncio.get_running_loop().call_later(0.05, gc.collect)


def in_a_finalizer() -> None:
    FailingFinalizer()
    gc.collect()


@pytest.mark.parametrize(
    "fail", [in_a_slot, in_a_virtual_function, in_a_thread, in_a_callback, in_a_task, in_a_finalizer]
)
async def test_error_is_logged_and_shown(
    shell: Shell, caught: CrashHandlers, caplog: pytest.LogCaptureFixture, fail: Any
) -> None:
    fail()
    await until(lambda: caught.dialog is not None)
    assert caught.dialog is not None
    assert caught.dialog.isVisible()
    assert not caught.dialog.isModal()
    record = next(record for record in caplog.records if record.levelno == logging.CRITICAL)
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LookupError)


async def test_an_error_of_a_task_of_the_context_is_shown(
    context: Context, shell: Shell, caught: CrashHandlers
) -> None:
    async def fail() -> None:
        raise LookupError("in the context's task")

    context.run(fail(), name="fail")
    await until(lambda: caught.dialog is not None)


async def test_the_same_error_is_shown_once_and_counted(
    shell: Shell, caught: CrashHandlers, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(100):
        QTimer.singleShot(0, boom)
    await until(lambda: caught.dialog is not None and sum(caught.counts.values()) == 100)
    assert caught.dialog is not None
    assert not caught.dialog.more.isVisible()
    caught.dialog.go_on.click()
    assert caught.dialog is None
    QTimer.singleShot(0, boom)
    await until(lambda: sum(caught.counts.values()) == 101)
    await asyncio.sleep(0)
    assert caught.dialog is None
    assert len([record for record in caplog.records if record.name == "tray_app.desktop.crashes.catching"]) == 7


async def test_there_is_one_dialog_at_a_time_and_it_counts_the_others(shell: Shell, caught: CrashHandlers) -> None:
    kinds = (KeyError, ValueError, OSError)
    for kind in kinds:
        caught.report_error(kind("one after the other"))
    await until(lambda: caught.dialog is not None and caught.dialog.more.isVisible())
    dialog = caught.dialog
    assert dialog is not None
    await until(lambda: "2 more errors" in dialog.more.text())
    dialog.go_on.click()
    caught.report_error(TypeError("later"))
    await until(lambda: caught.dialog is not None)
    assert caught.dialog is not dialog
    assert not caught.dialog.more.isVisible()


async def test_the_dialogs_quit_quits(shell: Shell, caught: CrashHandlers) -> None:
    caught.report_error(ValueError("x"))
    await until(lambda: caught.dialog is not None)
    assert caught.dialog is not None
    caught.dialog.quit.click()
    assert shell.quits == 1
    assert caught.dialog is None


async def test_tray_error_is_no_crash(context: Context, shell: Shell, caught: CrashHandlers) -> None:
    problems: list[DragomanError] = []
    context.problem.connect(problems.append)
    QTimer.singleShot(0, lambda: (_ for _ in ()).throw(SetupError("The disk is full.")))
    await until(lambda: problems)
    assert problems[0].message == "The disk is full."
    assert caught.counts == {}


async def test_broken_connection_is_no_crash(
    shell: Shell, caught: CrashHandlers, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": "reading failed", "exception": ConnectionResetError("gone")})
    loop.call_exception_handler({"message": "a remark"})
    assert caught.counts == {}
    assert [record.getMessage() for record in caplog.records] == ["reading failed", "a remark"]


async def test_ctrl_c_in_a_slot_quits(shell: Shell, caught: CrashHandlers) -> None:
    caught.on_exception(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert shell.quits == 1
    assert caught.counts == {}


async def test_error_without_a_window_is_shown(caught: CrashHandlers) -> None:
    caught.report_error(ValueError("early"))
    await until(lambda: caught.dialog is not None)
    assert caught.dialog is not None
    assert caught.dialog.isVisible()


async def test_dialog_belongs_to_the_window(shell: Shell, caught: CrashHandlers) -> None:
    shell.window.show()
    caught.report_error(ValueError("x"))
    await until(lambda: caught.dialog is not None)
    assert caught.dialog is not None
    assert caught.dialog.parent() is shell.window
    caught.dialog.close()


def test_messages_of_qt_are_logged(caught: CrashHandlers, caplog: pytest.LogCaptureFixture) -> None:
    qWarning("the widget is upside down")
    (record,) = caplog.records
    assert (record.name, record.levelno, record.getMessage()) == (
        "tray_app.qt",
        logging.WARNING,
        "the widget is upside down",
    )


def test_uninstalling_restores_all_handlers(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook, faulthandler.is_enabled())
    crashes.install_handlers(tmp_path)
    crashes.install_handlers(tmp_path)
    assert sys.excepthook != before[0]
    crashes.uninstall_handlers()
    crashes.uninstall_handlers()
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook, faulthandler.is_enabled()) == before


def test_faults_of_the_last_run_are_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    logs = log_file(tmp_path).parent
    logs.mkdir()
    (logs / "faults.log").write_text("Fatal Python error: Segmentation fault")
    crashes.install_handlers(tmp_path)
    crashes.uninstall_handlers()
    assert (logs / "faults.log").read_text() == ""
    assert (logs / "faults.log.1").read_text() == "Fatal Python error: Segmentation fault"
    assert "the last run crashed below Python" in caplog.text


def test_unwritable_fault_log_does_not_prevent_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "logs").write_text("in the way")
    crashes.install_handlers(tmp_path)
    crashes.uninstall_handlers()
    assert "faults cannot be written" in caplog.text


async def test_the_report_can_be_copied(caught: CrashHandlers) -> None:
    caught.report_error(ValueError("with dgm-abcdefghijklmnopqrstuvwxyz in it"))
    await until(lambda: caught.dialog is not None)
    assert caught.dialog is not None
    caught.dialog.copy.click()
    text = QGuiApplication.clipboard().text()
    assert "ValueError: with dgm-[redacted] in it" in text


async def test_dialog_of_a_destroyed_window_is_not_open(caught: CrashHandlers, shell: Shell) -> None:
    """As after SIGTERM with an open dialog: neither the next error nor the shutdown may touch it."""
    shell.window.show()
    caught.report_error(LookupError("first"))
    await until(lambda: caught.dialog is not None and caught.dialog.isVisible())
    delete(shell.window)
    assert caught.dialog is None
    shell.window = QWidget()
    caught.report_error(ValueError("second"))
    await until(lambda: caught.dialog is not None and caught.dialog.isVisible())
    delete(caught.dialog)
    crashes.uninstall_handlers()
