"""A secret that is shown once, with a button that copies it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel

from tray_app import theme
from tray_app.translation import tr
from tray_app.widgets.buttons import CopyButton


class NewSecret(QFrame):
    """A frame with a new secret in the fixed font. `name` is the accessible name."""

    def __init__(self, secret: str, *, name: str) -> None:
        super().__init__()
        self.setProperty("role", "banner")
        self.text = QLabel(secret)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setProperty("role", "code")
        self.text.setFont(theme.fixed_font())
        self.text.setAccessibleName(name)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.copy = CopyButton(lambda: secret)
        self.copy.setAccessibleName(f"{name}: {tr('Copy')}")
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 8, 8, 8)
        line.addWidget(self.text, 1)
        line.addWidget(self.copy)
