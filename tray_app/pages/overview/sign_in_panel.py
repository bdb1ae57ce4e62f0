"""Signing in to Claude Code, from here: its page, the code that the page may show, and a way out."""

import asyncio
import os
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from server.core.errors import TrayError
from tray_app.claude.sign_in import SignIn
from tray_app.context import Context
from tray_app.pages.overview.problem_panel import ProblemPanel
from tray_app.translation import tr
from tray_app.widgets import CopyButton, ElidedLabel, Spinner, make_button


class SignInPanel(QWidget):
    """Hidden until `begin`. What Claude Code is signed in with it keeps itself; nothing of it is read or kept here."""

    signed_in = Signal()
    closed = Signal()
    """It is over, well or not, and hidden again."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._sign_in: SignIn | None = None
        self._task: asyncio.Task[Any] | None = None
        self._begun_with: tuple[Path, bool] | None = None
        self._state = QLabel()
        self._state.setWordWrap(True)
        self._url = ElidedLabel()
        self._url.setProperty("role", "code")
        self._url.setAccessibleName(tr("Sign-in page"))
        self._open = make_button(tr("Open"), self._open_page, icon="mdi6.open-in-new")
        self._copy = CopyButton(lambda: self._sign_in.url if self._sign_in else "")
        self._copy.setAccessibleName(tr("Copy sign-in link"))
        self._code = QLineEdit()
        self._code.setPlaceholderText(tr("Code, if the page shows one"))
        self._code.setAccessibleName(tr("Code from the sign-in page"))
        self._code.returnPressed.connect(self._submit)
        self._send = make_button(tr("Continue"), self._submit)
        self._complaint = QLabel()
        self._complaint.setWordWrap(True)
        self._complaint.setTextFormat(Qt.TextFormat.PlainText)
        self._complaint.setProperty("role", "error")
        self._spinner = Spinner()
        self._cancel = make_button(tr("Cancel"), self.cancel, role="quiet")
        self._problem_panel = ProblemPanel()
        self._lay_out()
        self.hide()

    @property
    def running(self) -> bool:
        """Whether a sign-in is under way."""
        return self._task is not None

    def begin(self, path: Path, *, console: bool = False) -> None:
        """Start the CLI's own login; with `console` for an account that pays by use. Nothing happens while one runs."""
        if self._task is not None:
            return
        self._begun_with = (path, console)
        self._problem_panel.clear()
        self._code.clear()
        self._sign_in = SignIn(path, os.environ, console=console, on_change=self._show)
        self._task = self._context.run(self._run(self._sign_in), name="sign in to claude", on_error=self._fail)
        self._show()
        self.show()

    def cancel(self) -> None:
        """Give up; the CLI's process is ended."""
        if self._task is not None:
            self._task.cancel()
        else:
            self._close()

    async def settle(self) -> None:
        """Give up, and return when the process is gone."""
        if (task := self._task) is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self, sign_in: SignIn) -> None:
        try:
            await sign_in.run()
        except asyncio.CancelledError:
            self._end()
            self._close()
            raise
        except TrayError:
            self._end()
            raise
        self._end()
        self._close()
        self.signed_in.emit()

    def _end(self) -> None:
        self._task = self._sign_in = None
        self._code.clear()

    def _close(self) -> None:
        self.hide()
        self.closed.emit()

    def _fail(self, error: TrayError) -> None:
        self._problem_panel.show_problem(error)
        self._problem_panel.offer(error, [(tr("Try again"), self._again), (tr("Close"), self._close)])
        self._show()

    def _again(self) -> None:
        if self._begun_with is not None:
            path, console = self._begun_with
            self.begin(path, console=console)

    def _show(self) -> None:
        sign_in = self._sign_in
        url = sign_in.url if sign_in else ""
        self._running.setVisible(sign_in is not None)
        self._page.setVisible(bool(url))
        self._url.setText(url)
        self._state.setText(_state(sign_in))
        complaint = sign_in.code_error if sign_in else ""
        self._complaint.setText(complaint)
        self._complaint.setVisible(bool(complaint) and bool(url))

    def _submit(self) -> None:
        if self._sign_in is not None and self._code.text().strip():
            self._sign_in.submit_code(self._code.text())
            # It is of use once, and to the CLI alone.
            self._code.clear()

    def _open_page(self) -> None:
        if self._sign_in is not None:
            QDesktopServices.openUrl(QUrl(self._sign_in.url))

    def _lay_out(self) -> None:
        self._page = QWidget()
        page = _bare(QVBoxLayout(self._page))
        page.addLayout(_row(self._url, self._open, self._copy))
        page.addLayout(_row(self._code, self._send))
        page.addWidget(self._complaint)
        self._running = QWidget()
        running = _bare(QVBoxLayout(self._running))
        running.addLayout(_row(self._state, self._spinner, self._cancel))
        running.addWidget(self._page)
        column = _bare(QVBoxLayout(self))
        column.addWidget(self._running)
        column.addWidget(self._problem_panel)


def _state(sign_in: SignIn | None) -> str:
    if sign_in is None or not sign_in.url:
        return tr("Starting the sign-in...")
    if sign_in.checking_code:
        return tr("Checking the code...")
    return tr("Sign in in your browser. If no page opened, use this link:")


def _bare(column: QVBoxLayout) -> QVBoxLayout:
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    return column


def _row(first: QWidget, *others: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(first, 1)
    for widget in others:
        row.addWidget(widget)
    return row
