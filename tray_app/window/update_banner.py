"""The message above every page that a new version is available."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from tray_app.context import Context
from tray_app.translation import tr
from tray_app.widgets import Banner
from tray_app.window.page import MARGIN


class UpdateBanner(QWidget):
    """Shown from the check that found a version until the user closes it or looks at the page of updates."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.banner = Banner()
        self.banner.close_button.clicked.connect(context.updates.close_message)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, 0)
        column.addWidget(self.banner)
        context.updates.changed.connect(self._show_update)
        self._show_update()

    def _show_update(self) -> None:
        updates = self._context.updates
        self.setVisible(updates.is_announced)
        if updates.is_announced and updates.newest is not None:
            text = tr("Dragoman {version} is available.").format(version=updates.newest.version)
            self.banner.show_message("info", text, "", [(tr("See what is new"), self._open_page)])

    def _open_page(self) -> None:
        self._context.show_page("updates")
