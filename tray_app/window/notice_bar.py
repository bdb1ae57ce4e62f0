"""The banners above every page that show standing notices."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QVBoxLayout, QWidget

from server.core.events import Event, Notice, NoticeCleared
from tray_app.context import Context
from tray_app.translation import tr
from tray_app.widgets import Banner
from tray_app.window.page import MARGIN


class NoticeBar(QWidget):
    """A banner for each standing notice, until the user closes it."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.open_url: Callable[[QUrl], object] = QDesktopServices.openUrl
        """Opens a folder in the desktop's file manager."""
        self.banners: dict[str, Banner] = {}
        """The banners by the keys of their notices, oldest first."""
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(MARGIN, MARGIN, MARGIN, 0)
        self.hide()
        # The bus repeats the standing notices, so none from before the window existed is lost.
        self.destroyed.connect(context.bus.subscribe(self._handle_event))

    def _handle_event(self, event: Event) -> None:
        match event:
            case Notice(level=level) if level != "info":
                self._show_notice(event)
            case NoticeCleared(topic):
                self._remove_banner(topic)

    def _show_notice(self, notice: Notice) -> None:
        banner = self.banners.get(notice.topic_key)
        if banner is None:
            banner = self.banners[notice.topic_key] = Banner()
            banner.close_button.clicked.connect(lambda: self._remove_banner(notice.topic_key))
            self._column.addWidget(banner)
        actions = []
        if (folder := notice.folder) is not None:
            actions.append((tr("Open folder"), lambda: self._open_folder(folder)))
        self.show()
        banner.show_message(notice.level, notice.message, notice.hint, actions)

    def _remove_banner(self, key: str) -> None:
        if (banner := self.banners.pop(key, None)) is not None:
            banner.hide()
            banner.deleteLater()
        self.setVisible(bool(self.banners))

    def _open_folder(self, folder: Path) -> None:
        self.open_url(QUrl.fromLocalFile(str(folder)))
