"""The field for an expiry time, in hours or never."""

from typing import Any

from PySide6.QtWidgets import QCheckBox, QLineEdit

from tray_app.pages.settings.fields import SHORT, Field, as_text
from tray_app.translation import tr
from tray_app.widgets import FocusRing
from tray_app.window.labels import make_label


class ExpiryField(Field):
    """A number of hours, and a box for never."""

    def __init__(self) -> None:
        super().__init__()
        self.edit = QLineEdit()
        self.edit.setFixedWidth(SHORT)
        self.never = QCheckBox(tr("Never"))
        FocusRing(self.never)
        for widget in (self.edit, make_label(tr("hours"), "muted"), self.never):
            self.line.addWidget(widget)
        self.line.addStretch(1)
        self.setFocusProxy(self.edit)
        self.edit.installEventFilter(self)
        self.edit.textEdited.connect(self.edited)
        self.edit.editingFinished.connect(self.committed)
        self.never.toggled.connect(self.edit.setDisabled)
        self.never.clicked.connect(self._choose_never)

    def name_for_screen_readers(self, name: str, description: str) -> None:
        super().name_for_screen_readers(name, description)
        self.never.setAccessibleName(f"{name}: {self.never.text()}")

    def raw_value(self) -> str:
        return "never" if self.never.isChecked() else self.edit.text().strip()

    def format_value(self, value: Any) -> str:
        return tr("never") if value is None else tr("{hours} hours").format(hours=as_text(value))

    def _set_value(self, value: Any) -> None:
        self._set_raw_value("never" if value is None else as_text(value))

    def _set_raw_value(self, raw: Any) -> None:
        self.never.setChecked(raw == "never")
        if raw != "never":
            self.edit.setText(raw)

    def _choose_never(self, never: bool) -> None:
        self.edited.emit()
        if never or self.edit.text().strip():
            self.committed.emit()
        else:
            self.edit.setFocus()
