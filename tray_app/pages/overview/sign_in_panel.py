"""The panel for signing in to Claude Code."""

import asyncio
import os
from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLineEdit, QWidget

from server.core.errors import DragomanError
from tray_app.claude.sign_in import SignIn
from tray_app.context import Context
from tray_app.pages.overview.problem_panel import ProblemPanel
from tray_app.translation import tr
from tray_app.widgets import CopyButton, ElidedLabel, Spinner, make_button
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column, make_row


class SignInPanel(QWidget):
    """Runs Claude Code's own login. The credentials never pass through here."""

    signed_in = Signal()
    closed = Signal()
    """The sign-in has ended, with or without success, and the panel is hidden again."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._sign_in: SignIn | None = None
        self._task: asyncio.Task[Any] | None = None
        self._begun_with: tuple[Path, bool] | None = None
        self._progress = make_label(wrap=True)
        self._url = ElidedLabel()
        self._url.setProperty("role", "code")
        self._url.setAccessibleName(tr("Sign-in page"))
        self._open = make_button(tr("Open"), self._open_page, icon="mdi6.open-in-new")
        self._copy = CopyButton(lambda: self._sign_in.url if self._sign_in else "")
        self._copy.setAccessibleName(tr("Copy sign-in link"))
        self._code = QLineEdit()
        self._code.setPlaceholderText(tr("Code, if the page shows one"))
        self._code.setAccessibleName(tr("Code from the sign-in page"))
        self._code.returnPressed.connect(self._submit_code)
        self._send = make_button(tr("Continue"), self._submit_code)
        self._complaint = make_label(role="error", wrap=True)
        self._spinner = Spinner()
        self._cancel = make_button(tr("Cancel"), self.cancel_sign_in, role="quiet")
        self._problem_panel = ProblemPanel()
        self._arrange_panel()
        self.hide()

    @property
    def running(self) -> bool:
        """Whether a sign-in is running."""
        return self._task is not None

    def begin_sign_in(self, path: Path, *, console: bool = False) -> None:
        """Start the CLI's login, unless it runs. `console`: a pay-as-you-go account."""
        if self._task is not None:
            return
        self._begun_with = (path, console)
        self._problem_panel.clear_problem()
        self._code.clear()
        self._sign_in = SignIn(path, os.environ, console=console, on_change=self._show_progress)
        self._task = self._context.run(
            self._run_sign_in(self._sign_in), name="sign in to claude", on_error=self._show_sign_in_error
        )
        self._show_progress()
        self.show()

    def cancel_sign_in(self) -> None:
        """Cancel the sign-in and end the CLI's process."""
        if self._task is not None:
            self._task.cancel()
        else:
            self._close_panel()

    async def cancel_and_wait(self) -> None:
        """Cancel the sign-in, and wait until the CLI's process has ended."""
        if (task := self._task) is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run_sign_in(self, sign_in: SignIn) -> None:
        try:
            await sign_in.run()
        except asyncio.CancelledError:
            self._end_sign_in()
            self._close_panel()
            raise
        except DragomanError:
            self._end_sign_in()
            raise
        self._end_sign_in()
        self._close_panel()
        self.signed_in.emit()

    def _end_sign_in(self) -> None:
        self._task = self._sign_in = None
        self._code.clear()

    def _close_panel(self) -> None:
        self.hide()
        self.closed.emit()

    def _show_sign_in_error(self, error: DragomanError) -> None:
        self._problem_panel.show_problem(error)
        self._problem_panel.offer_actions(
            error, [(tr("Try again"), self._retry_sign_in), (tr("Close"), self._close_panel)]
        )
        self._show_progress()

    def _retry_sign_in(self) -> None:
        if self._begun_with is not None:
            path, console = self._begun_with
            self.begin_sign_in(path, console=console)

    def _show_progress(self) -> None:
        sign_in = self._sign_in
        url = sign_in.url if sign_in else ""
        self._running.setVisible(sign_in is not None)
        self._page.setVisible(bool(url))
        self._url.setText(url)
        self._progress.setText(_progress_text(sign_in))
        complaint = sign_in.code_error if sign_in else ""
        self._complaint.setText(complaint)
        self._complaint.setVisible(bool(complaint) and bool(url))

    def _submit_code(self) -> None:
        if self._sign_in is not None and self._code.text().strip():
            self._sign_in.submit_code(self._code.text())
            # The code is a secret, and valid only once.
            self._code.clear()

    def _open_page(self) -> None:
        if self._sign_in is not None:
            QDesktopServices.openUrl(QUrl(self._sign_in.url))

    def _arrange_panel(self) -> None:
        address = make_row(self._url, self._open, self._copy)
        code = make_row(self._code, self._send)
        progress = make_row(self._progress, self._spinner, self._cancel)
        for row in (address, code, progress):
            row.setStretch(0, 1)
        self._page = QWidget()
        self._page.setLayout(make_column(address, code, self._complaint))
        self._running = QWidget()
        self._running.setLayout(make_column(progress, self._page))
        self.setLayout(make_column(self._running, self._problem_panel))


def _progress_text(sign_in: SignIn | None) -> str:
    if sign_in is None or not sign_in.url:
        return tr("Starting the sign-in...")
    if sign_in.checking_code:
        return tr("Checking the code...")
    return tr("Sign in in your browser. If no page opened, use this link:")
