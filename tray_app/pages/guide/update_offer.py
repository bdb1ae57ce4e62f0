"""The guide's offer to check for updates."""

from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QWidget

from tray_app.context import Context
from tray_app.translation import tr
from tray_app.updates import built_in
from tray_app.widgets import FocusRing


class UpdateOffer(QWidget):
    """A switch for `check_updates`, hidden where it would have no effect."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        feed = context.updates.feed
        self.box = QCheckBox()
        if feed is not None:
            self.box.setText(
                tr("Check for updates once a day. This asks {host} and sends nothing about you.").format(host=feed.host)
            )
        FocusRing(self.box)
        self.box.clicked.connect(self._save_choice)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 8, 0, 0)
        row.addWidget(self.box)
        row.addStretch(1)
        context.settings_changed.connect(self._show_setting)
        self._show_setting()
        fixed = "check_updates" in context.settings_service.fixed
        self.setVisible(built_in.UPDATE_CHECKS and feed is not None and not fixed)

    def _save_choice(self, wanted: bool) -> None:
        self._context.run(
            self._context.change_settings({"check_updates": wanted}), name="save check_updates"
        ).add_done_callback(lambda _: self._show_setting())

    def _show_setting(self) -> None:
        self.box.setChecked(self._context.settings.check_updates)
