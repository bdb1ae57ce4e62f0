"""Unexpected errors from slots, threads and tasks: logged, and shown once.

The application runs in `with catch_crashes(...)` and calls `show_on` once there is a window. Errors of our own tree
(DragomanError) have causes outside the program and are no crashes: they are shown as themselves.
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

from server.core.errors import DragomanError
from server.logs import log_file
from tray_app.desktop.crashes import faults, qt_messages
from tray_app.desktop.crashes.report import CrashReport, crash_report
from tray_app.window.crash_dialog import CrashDialog

log = logging.getLogger(__name__)


class ErrorHost(Protocol):
    """The application that errors are shown in."""

    @property
    def window(self) -> QWidget: ...

    @property
    def context(self) -> Any: ...

    def quit(self) -> object: ...


class CrashHandlers(QObject):
    """The program's handlers of errors in any thread; shown in the GUI thread."""

    _caught = Signal(object)

    def __init__(self, data_dir: Path) -> None:
        super().__init__()
        self.log_file = log_file(data_dir)
        self._dialog: CrashDialog | None = None
        self.counts: dict[tuple[str, ...], int] = {}
        """Occurrences of each error, by fingerprint."""
        self._shell: ErrorHost | None = None
        self._suppressed_count = 0
        # Queued even within the GUI thread: a dialog must not open in the middle of the code that failed.
        self._caught.connect(self._show_report, Qt.ConnectionType.QueuedConnection)

    @property
    def dialog(self) -> CrashDialog | None:
        """The open dialog. A window destroys its own without `finished`."""
        return self._dialog if self._dialog is not None and isValid(self._dialog) else None

    def show_on(self, shell: ErrorHost | None) -> None:
        """Show errors over this window from now on; its "Quit" ends the application."""
        self._shell = shell

    def report_error(self, error: BaseException, where: str = "the application") -> None:
        """Log an unexpected error, and show it unless it was shown before."""
        self._handle_error(error, where, None)

    def on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """`sys.excepthook`: errors of slots, virtual functions and the outermost frame."""
        if isinstance(error, KeyboardInterrupt):
            self._on_interrupt(kind, error, trace)
        elif _left_outermost_frame(trace):
            sys.__excepthook__(kind, error, trace)
            self.show_fatal_error(error, trace)
        else:
            self._handle_error(error, "the window", trace)

    def on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        """`threading.excepthook`."""
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            name = args.thread.name if args.thread else "?"
            self._handle_error(args.exc_value, f"the thread {name}", args.exc_traceback)

    def on_unraisable(self, args: "sys.UnraisableHookArgs") -> None:
        """`sys.unraisablehook`: errors in finalizers. The object must not be kept."""
        if args.exc_value is not None and not sys.is_finalizing():
            self._handle_error(args.exc_value, args.err_msg or "a finalizer", args.exc_traceback)

    def on_loop_exception(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The event loop's handler: errors in callbacks and in unawaited tasks."""
        error = context.get("exception")
        message = str(context.get("message") or "the event loop")
        if isinstance(error, BaseException) and not isinstance(error, ConnectionError):
            self._handle_error(error, f"the event loop ({message})", None)
        else:
            # A broken connection is the peer's doing, and a message without an exception is no failure.
            log.warning("%s", message, exc_info=error)

    def _handle_error(self, error: BaseException, where: str, trace: TracebackType | None) -> None:
        if isinstance(error, DragomanError):
            log.warning("%s", error)
            if self._shell is not None:
                self._shell.context.problem.emit(error)
            return
        report = crash_report(error, where, trace)
        count = self.counts.get(report.fingerprint, 0) + 1
        self.counts[report.fingerprint] = count
        if count == 1:
            found = (type(error), error, error.__traceback__ or trace)
            log.critical("unexpected error in %s", where, exc_info=found)
            self._caught.emit(report)
        elif count & (count - 1) == 0:
            # At 2, 4, 8...: an error at each repaint must not fill the disk.
            log.error("the same error has occurred %d times, in %s: %s", count, where, report.summary)

    def _show_report(self, report: CrashReport) -> None:
        if self.dialog is not None:
            self._suppressed_count += 1
            self.dialog.add_more(self._suppressed_count)
            return
        if QApplication.instance() is None:
            return
        self._suppressed_count = 0
        window = self._shell.window if self._shell is not None else None
        # The dialog of a hidden window would be hidden as well.
        parent = window if window is not None and window.isVisible() else None
        dialog = self._dialog = CrashDialog(report, log=self.log_file, on_quit=self._quit_application, parent=parent)
        dialog.finished.connect(self._on_dialog_closed)
        # Not modal, so that the rest of the window stays usable.
        dialog.show()

    def _on_dialog_closed(self) -> None:
        self._dialog = None

    def _quit_application(self) -> None:
        if self._shell is not None:
            self._shell.quit()
        elif (app := QCoreApplication.instance()) is not None:
            app.quit()

    def _on_interrupt(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if self._shell is not None:
            self._shell.quit()
        else:
            sys.__excepthook__(kind, error, trace)

    def show_fatal_error(self, error: BaseException, trace: TracebackType | None = None) -> None:
        """Show an error that ends the program, until the user closes the dialog.

        A user who started the program from a menu would see no reason otherwise. Runs its own event loop.
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


def _left_outermost_frame(trace: TracebackType | None) -> bool:
    """Whether an error left the outermost frame; a slot has Qt's loop below it."""
    in_main = threading.current_thread() is threading.main_thread()
    return in_main and trace is not None and trace.tb_frame.f_back is None


# The hooks are the process's, so there is one set of handlers at most.
_installed: tuple[CrashHandlers, Callable[[], None]] | None = None


@contextlib.contextmanager
def catch_crashes(data_dir: Path) -> Iterator[CrashHandlers]:
    """Catch errors within the block.

    One that leaves it is shown and re-raised; a DragomanError is only re-raised.
    """
    crashes = install_handlers(data_dir)
    try:
        yield crashes
    except Exception as error:
        if not isinstance(error, DragomanError):
            crashes.show_fatal_error(error)
        raise
    finally:
        uninstall_handlers()


def install_handlers(data_dir: Path) -> CrashHandlers:
    """Install the handlers. The log must be configured already."""
    global _installed
    uninstall_handlers()
    crashes = CrashHandlers(data_dir)
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    sys.excepthook = crashes.on_exception
    threading.excepthook = crashes.on_thread_exception
    sys.unraisablehook = crashes.on_unraisable
    disable_fault_log = faults.enable_fault_log(crashes.log_file.parent)
    restore_messages = qt_messages.log_qt_messages()

    def restore_hooks() -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before
        restore_messages()
        disable_fault_log()

    _installed = (crashes, restore_hooks)
    return crashes


def uninstall_handlers() -> None:
    """Restore the handlers from before `install_handlers`; without it, do nothing."""
    global _installed
    if _installed is not None:
        crashes, restore_hooks = _installed
        _installed = None
        restore_hooks()
        if crashes.dialog is not None:
            crashes.dialog.close()
        crashes.deleteLater()


def show_on(shell: ErrorHost | None) -> None:
    """Show errors over this window, also those of event loop and context's tasks.

    None once the window is gone.
    """
    if _installed is None:
        return
    crashes = _installed[0]
    crashes.show_on(shell)
    if shell is not None:
        shell.context.report_bug = crashes.report_error
        asyncio.get_running_loop().set_exception_handler(crashes.on_loop_exception)
