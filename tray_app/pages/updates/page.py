"""The page of new versions: the check, its result, the notes, and how this installation is updated."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QStackedWidget, QWidget

from tray_app import theme
from tray_app.context import Context
from tray_app.formatting import exact_time, relative_time
from tray_app.pages.updates.notes_view import NotesView
from tray_app.pages.updates.summary import summarize_check
from tray_app.translation import tr
from tray_app.updates.instructions import Instructions
from tray_app.widgets import Card, CodeView, IconLabel, Spinner, announce, make_button
from tray_app.widgets.busy import SHOW_DELAY_MS
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column, make_row
from tray_app.window.page import Page

SIDE = 20


class UpdatesPage(Page):
    """Checks when the user asks for it; opening the page alone sends nothing."""

    key = "updates"

    def __init__(self, context: Context) -> None:
        super().__init__(context, tr("Updates"), tr("New versions of Dragoman and what changed in them."))
        self.open_url: Callable[[QUrl], bool] = QDesktopServices.openUrl
        """Opens a page in the browser. Returns False if there is none."""
        self._check = context.updates
        self._seen = False
        self._spoken = ""
        self._make_status()
        self.notes = NotesView(lambda url: self._open_page(url.toString()))
        self.notes_card = Card(tr("What is new"))
        self.notes_card.body.addWidget(self.notes)
        self._end = QWidget()
        self.body.addWidget(self.status_card)
        self.body.addWidget(self.notes_card, 1)
        self.body.addWidget(self._end, 1)
        # A quick answer must not make the card flicker.
        self._delay = QTimer(self, singleShot=True, interval=SHOW_DELAY_MS)
        self._delay.timeout.connect(self._show_state)
        self._check.changed.connect(self._follow_check)
        context.theme.changed.connect(self.notes.redraw)
        self._show_state()

    def _make_status(self) -> None:
        self.icon = IconLabel("mdi6.update", "muted", SIDE)
        self._spinner = Spinner(side=SIDE)
        self._sign = QStackedWidget()
        self._sign.addWidget(self.icon)
        self._sign.addWidget(self._spinner)
        self._sign.setFixedSize(SIDE, SIDE)
        self.headline = make_label(role="heading", wrap=True, selectable=True)
        self.detail = make_label(role="muted", wrap=True, selectable=True)
        self.checked = make_label(role="muted")
        self.button = make_button("", self._press_button, role="primary")
        self.release_page = make_button(tr("Open release page"), self._open_release)
        self.todo = make_label(wrap=True)
        self.line = CodeView()
        self.installed = make_label(role="muted", wrap=True, selectable=True)
        self.status_card = Card()
        buttons = make_row(self.button, self.release_page, self.checked, None)
        texts = make_column(self.headline, self.detail, self.installed, self.todo, self.line, buttons)
        row = make_row(self._sign, texts, spacing=12)
        row.setAlignment(self._sign, Qt.AlignmentFlag.AlignTop)
        row.setStretch(1, 1)
        self.status_card.body.addLayout(row)

    def activate(self) -> None:
        self._seen = True
        self.refresh()
        self._mark_seen()

    def deactivate(self) -> None:
        self._seen = False

    def refresh(self) -> None:
        """Show again when the last check was, and how the program was installed. Sends nothing."""
        self._show_state()
        self.context.run(self._show_instructions(), name="find out how the program was installed")

    def open_details(self, **details: Any) -> None:
        """Check, if the user chose that in the tray's menu or in Settings."""
        if details.get("check"):
            self._check.check_now()

    def _press_button(self) -> None:
        if self._check.state == "checking":
            self._check.cancel_check()
        else:
            self._check.check_now()

    def _follow_check(self) -> None:
        if self._check.state == "checking":
            self._delay.start()
            return
        self._delay.stop()
        self._show_state()
        self._mark_seen()
        if self._seen:
            self.context.run(self._show_instructions(), name="find out how the program was installed")

    def _mark_seen(self) -> None:
        """The page itself shows the new version, so the message above all pages is no longer needed."""
        if self._seen and self._check.is_announced:
            self._check.close_message()

    def _show_state(self) -> None:
        check = self._check
        checking = check.state == "checking"
        summary = summarize_check(check)
        self.icon.set_icon(summary.icon, summary.token)
        self._sign.setCurrentWidget(self._spinner if checking else self.icon)
        self.headline.setText(summary.headline)
        _set_text(self.detail, summary.detail)
        self._show_checked()
        self.button.setText(tr("Cancel") if checking else tr("Try again") if check.error else tr("&Check for updates"))
        self.button.setVisible(check.feed is not None)
        found = check.newest is not None
        theme.apply_style(self.button, role="primary" if check.state in ("idle", "failed") and not found else "")
        theme.apply_style(self.release_page, role="primary" if found and not checking else "")
        self.release_page.setVisible(check.feed is not None and (found or check.error is not None) and not checking)
        self.notes.show_releases(check.result.newer if check.result else ())
        self.notes_card.setVisible(found)
        self._end.setVisible(not found)
        self._speak(f"{summary.headline} {summary.detail}".strip())

    def _speak(self, text: str) -> None:
        self.status_card.setAccessibleName(text)
        if self._seen and text != self._spoken:
            announce(self, text)
        self._spoken = text

    def _show_checked(self) -> None:
        last = self._check.last_check if self._check.state in ("idle", "done") else None
        when = relative_time(last, self.context.clock())
        _set_text(self.checked, tr("Last check: {when}").format(when=when) if when else "")
        self.checked.setToolTip(exact_time(last))

    async def _show_instructions(self) -> None:
        instructions: Instructions = await self._check.find_instructions()
        found = self._check.newest is not None
        _set_text(self.todo, instructions.todo if found else "")
        self.line.set_text(instructions.line)
        self.line.setVisible(found and bool(instructions.line))
        self.installed.setText(instructions.installed)

    def _open_release(self) -> None:
        feed, newest = self._check.feed, self._check.newest
        if feed is not None:
            self._open_page(feed.release_page(newest.tag) if newest else feed.page)

    def _open_page(self, address: str) -> None:
        if self.open_url(QUrl(address)):
            self.banner.clear_message()
        else:
            self.banner.show_message("error", tr("No browser opened {address}").format(address=address))


def _set_text(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))
