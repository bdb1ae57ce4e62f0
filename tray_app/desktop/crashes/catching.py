"""Errors that nobody expected, from wherever they come: logged with their trace, and shown once.

`with catching(...)` around everything, `show_on` when there is a window. Errors of the program's own
tree (TrayError) are the person's surroundings and no crashes: they are shown as what they are.
"""

import asyncio
import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from server.core.errors import TrayError
from server.logs import log_file
from tray_app.desktop.crashes import faults, qt_messages
from tray_app.desktop.crashes.report import CrashReport, crash_report
from tray_app.window.crash_dialog import CrashDialog

log = logging.getLogger(__name__)


class Shell(Protocol):
    """What errors are shown on."""

    @property
    def window(self) -> QWidget: ...

    @property
    def context(self) -> Any: ...

    def quit(self) -> object: ...


class Crashes(QObject):
    """One for the program. Takes errors from any thread; shows them in the GUI's."""

    _caught = Signal(object)

    def __init__(self, data_dir: Path) -> None:
        super().__init__()
        self.log_file = log_file(data_dir)
        self._dialog: CrashDialog | None = None
        self.counts: dict[tuple[str, ...], int] = {}
        """How often each error has happened, by its fingerprint."""
        self._shell: Shell | None = None
        self._more = 0
        # Queued, also from the GUI's own thread: no dialog is made in the middle of what failed.
        self._caught.connect(self._show, Qt.ConnectionType.QueuedConnection)

    @property
    def dialog(self) -> CrashDialog | None:
        """The dialog that is open. A window that is destroyed takes its own along, without a `finished`."""
        return self._dialog if self._dialog is not None and isValid(self._dialog) else None

    def show_on(self, shell: Shell | None) -> None:
        """Show errors over this window from now on, and let its "Quit" end the application."""
        self._shell = shell

    def report(self, error: BaseException, where: str = "the application") -> None:
        """An error that was not expected: log it, and show it unless it was shown before."""
        self._take(error, where, None)

    def on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """`sys.excepthook`: slots and Qt's virtual functions, and what comes out of the program's own first frame."""
        if isinstance(error, KeyboardInterrupt):
            self._interrupt(kind, error, trace)
        elif _is_the_end(trace):
            sys.__excepthook__(kind, error, trace)
            self.end(error, trace)
        else:
            self._take(error, "the window", trace)

    def on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        """`threading.excepthook`."""
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            name = args.thread.name if args.thread else "?"
            self._take(args.exc_value, f"the thread {name}", args.exc_traceback)

    def on_unraisable(self, args: "sys.UnraisableHookArgs") -> None:
        """`sys.unraisablehook`: errors in finalizers. The object itself must not be kept."""
        if args.exc_value is not None and not sys.is_finalizing():
            self._take(args.exc_value, args.err_msg or "a finalizer", args.exc_traceback)

    def on_loop_exception(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The event loop's handler: callbacks, and tasks whose failure nobody asked for."""
        error = context.get("exception")
        message = str(context.get("message") or "the event loop")
        if isinstance(error, BaseException) and not isinstance(error, ConnectionError):
            self._take(error, f"the event loop ({message})", None)
        else:
            # A connection that broke is the other side's doing, and what has no exception is a remark.
            log.warning("%s", message, exc_info=error)

    def _take(self, error: BaseException, where: str, trace: TracebackType | None) -> None:
        if isinstance(error, TrayError):
            log.warning("%s", error)
            if self._shell is not None:
                self._shell.context.problem.emit(error)
            return
        report = crash_report(error, where, trace)
        count = self.counts.get(report.fingerprint, 0) + 1
        self.counts[report.fingerprint] = count
        if count == 1:
            found = (type(error), error, error.__traceback__ or trace)
            log.critical("an error was not expected, in %s", where, exc_info=found)
            self._caught.emit(report)
        elif count & (count - 1) == 0:
            # At 2, 4, 8...: an error with each repaint must not fill the disk.
            log.error("it happened again, %d times by now, in %s: %s", count, where, report.summary)

    def _show(self, report: CrashReport) -> None:
        if self.dialog is not None:
            self._more += 1
            self.dialog.add_more(self._more)
            return
        if QApplication.instance() is None:
            return
        self._more = 0
        window = self._shell.window if self._shell is not None else None
        # Over a hidden window it would be hidden as well.
        parent = window if window is not None and window.isVisible() else None
        dialog = self._dialog = CrashDialog(report, log=self.log_file, on_quit=self._quit, parent=parent)
        dialog.finished.connect(self._closed)
        # Not modal: what still works can be used beside it.
        dialog.show()

    def _closed(self) -> None:
        self._dialog = None

    def _quit(self) -> None:
        if self._shell is not None:
            self._shell.quit()
        elif (app := QCoreApplication.instance()) is not None:
            app.quit()

    def _interrupt(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if self._shell is not None:
            self._shell.quit()
        else:
            sys.__excepthook__(kind, error, trace)

    def end(self, error: BaseException, trace: TracebackType | None = None) -> None:
        """The program is about to end with `error`: whoever started it from a menu would never know why.

        Returns when the person has seen it. Needs no loop, and waits with one of its own.
        """
        trace = error.__traceback__ or trace
        log.critical("an error ends the application", exc_info=(type(error), error, trace))
        if not isinstance(QCoreApplication.instance(), QApplication):
            return
        loop = QEventLoop()
        report = crash_report(error, "the start or the end", trace)
        dialog = self._dialog = CrashDialog(report, log=self.log_file, on_quit=loop.quit, fatal=True)
        dialog.finished.connect(loop.quit)
        with faults.default_signals():
            dialog.show()
            loop.exec()


def _is_the_end(trace: TracebackType | None) -> bool:
    """Whether an error has left the program's outermost frame. A slot has the frame below it that runs Qt's loop."""
    in_main = threading.current_thread() is threading.main_thread()
    return in_main and trace is not None and trace.tb_frame.f_back is None


_installed: tuple[Crashes, Callable[[], None]] | None = None


@contextlib.contextmanager
def catching(data_dir: Path) -> Iterator[Crashes]:
    """Catch everything in the block. An error that leaves it is shown before it goes on, unless it is a TrayError."""
    crashes = install(data_dir)
    try:
        yield crashes
    except Exception as error:
        if not isinstance(error, TrayError):
            crashes.end(error)
        raise
    finally:
        uninstall()


def install(data_dir: Path) -> Crashes:
    """Catch everything from now on. The log has to be configured already."""
    global _installed
    uninstall()
    crashes = Crashes(data_dir)
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    sys.excepthook = crashes.on_exception
    threading.excepthook = crashes.on_thread_exception
    sys.unraisablehook = crashes.on_unraisable
    undo_faults = faults.install(crashes.log_file.parent)
    undo_messages = qt_messages.install()

    def undo() -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before
        undo_messages()
        undo_faults()

    _installed = (crashes, undo)
    return crashes


def uninstall() -> None:
    """Put everything back as it was before `install`. Nothing happens without one."""
    global _installed
    if _installed is not None:
        crashes, undo = _installed
        _installed = None
        undo()
        if crashes.dialog is not None:
            crashes.dialog.close()
        crashes.deleteLater()


def show_on(shell: Shell | None) -> None:
    """Show errors over this window, and take those of the running event loop and of the context's tasks as well.

    None: the window is gone.
    """
    if _installed is None:
        return
    crashes = _installed[0]
    crashes.show_on(shell)
    if shell is not None:
        shell.context.report_bug = crashes.report
        asyncio.get_running_loop().set_exception_handler(crashes.on_loop_exception)
