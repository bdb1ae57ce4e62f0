"""The main window: the rail and the current page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QByteArray, Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QIcon, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from server.core.errors import DragomanError
from tray_app.assets import asset_path
from tray_app.context import Context
from tray_app.window.notice_bar import NoticeBar
from tray_app.window.page import Page
from tray_app.window.pages import PageEntry
from tray_app.window.rail import Rail
from tray_app.window.update_banner import UpdateBanner

SIZE = (1120, 720)
MINIMUM = (760, 520)
NARROW_BELOW = 900


class MainWindow(QWidget):
    """Shows the pages of `rail`, and `others`, which are reached from elsewhere.

    A page is created when it is first shown. Closing the window calls `may_close` first.
    """

    hidden = Signal()
    """The window was hidden."""

    def __init__(self, context: Context, rail: Sequence[PageEntry], others: Sequence[PageEntry] = ()) -> None:
        super().__init__()
        self._context = context
        self.may_close: Callable[[], bool] = lambda: True
        """False keeps the window open; the callback then asks the user."""
        self.entries: Mapping[str, PageEntry] = {entry.key: entry for entry in (*rail, *others)}
        self.pages: dict[str, Page] = {}
        """The pages created so far, by key."""
        self.setWindowTitle("Dragoman")
        self.setWindowIcon(QIcon(str(asset_path("icons/app.svg"))))
        self.setMinimumSize(*MINIMUM)
        self.rail = Rail(context, rail)
        self.rail.chosen.connect(self.go_to_page)
        self._stack = QStackedWidget()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        self.notices = NoticeBar(context)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(self.notices)
        self.update_banner = UpdateBanner(context)
        column.addWidget(self.update_banner)
        column.addWidget(self._stack, 1)
        row.addLayout(column, 1)
        self._add_shortcuts()
        context.page_requested.connect(self._open_requested_page)
        context.problem.connect(self._show_problem)
        self._active: Page | None = None
        # No control has the focus at first, so that Tab begins at the rail.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setFocus()
        self._key = rail[0].key
        self.rail.mark_current(self._key)
        self._restore_geometry()

    @property
    def current_page(self) -> Page:
        """The page that is shown, or will be when the window is."""
        return self._load_page(self._key)

    def go_to_page(self, key: str) -> None:
        """Show the page `key`."""
        if self.rail.isAncestorOf(self.focusWidget() or self):
            self.rail.focus_entry(key)
        self._key = key
        self.rail.mark_current(key)
        self._update_active()

    def bring_up(self) -> None:
        """Show the window in front of all others, even if it was minimized."""
        if self.isMinimized():
            self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    async def finish_pending(self) -> None:
        """Finish the pages' pending work, and store the window's geometry."""
        self._save_geometry()
        for page in self.pages.values():
            await page.finish_pending()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Hide to the tray, if `may_close` agrees."""
        if self.may_close():
            self._save_geometry()
            event.accept()
        else:
            event.ignore()

    def showEvent(self, event: Any) -> None:
        """Activate the current page."""
        super().showEvent(event)
        self._update_active()

    def hideEvent(self, event: Any) -> None:
        """Deactivate the current page."""
        super().hideEvent(event)
        self._update_active()
        self.hidden.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the rail's labels only if there is room."""
        super().resizeEvent(event)
        self.rail.set_narrow(event.size().width() < NARROW_BELOW)

    def _load_page(self, key: str) -> Page:
        if key not in self.pages:
            self.pages[key] = self.entries[key].make(self._context)
            self._stack.addWidget(self.pages[key])
        return self.pages[key]

    def _open_requested_page(self, key: str, details: Mapping[str, Any]) -> None:
        self.go_to_page(key)
        self.bring_up()
        if details:
            self.current_page.open_details(**details)

    def _show_problem(self, error: DragomanError) -> None:
        self.current_page.show_problem(error)

    def _update_active(self) -> None:
        seen = self.current_page if self.isVisible() else None
        if seen is not None:
            self._switch_to(seen)
        if seen is self._active:
            return
        if self._active is not None:
            self._active.deactivate()
        self._active = seen
        if seen is not None:
            seen.activate()

    def _switch_to(self, page: Page) -> None:
        """Show the page, and restore its own focus. Qt would focus any button."""
        focused = self.focusWidget()
        moves_focus = (
            focused is not None and self._stack.isAncestorOf(focused) and self._stack.currentWidget() is not page
        )
        if moves_focus:
            self.setFocus()
        self._stack.setCurrentWidget(page)
        if moves_focus:
            (page.focusWidget() or page).setFocus()

    def _add_shortcuts(self) -> None:
        for keys, action in (
            (QKeySequence.StandardKey.Find, lambda: self.current_page.go_to_filter()),
            (QKeySequence.StandardKey.Refresh, lambda: self.current_page.refresh()),
            (QKeySequence("Ctrl+W"), self.close),
        ):
            QShortcut(QKeySequence(keys), self, action, context=Qt.ShortcutContext.WindowShortcut)

    def _save_geometry(self) -> None:
        self._context.preferences.geometry = self.saveGeometry()

    def _restore_geometry(self) -> None:
        stored: QByteArray = self._context.preferences.geometry
        if stored.isEmpty() or not self.restoreGeometry(stored):
            self.resize(*SIZE)
            screen = QGuiApplication.primaryScreen().availableGeometry()
            self.resize(self.size().boundedTo(screen.size()))
            self.move(screen.center() - self.rect().center())
