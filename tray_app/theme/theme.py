"""The current theme: light or dark, as the system or the user chooses."""

from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from tray_app.theme import fonts
from tray_app.theme.icon import glyph_icon
from tray_app.theme.palette import make_palette
from tray_app.theme.style_sheet import make_style_sheet
from tray_app.theme.tokens import tokens

Choice = Literal["system", "light", "dark"]

_SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}


class Theme(QObject):
    """Applies palette and style sheet; `current()` returns the last instance."""

    changed = Signal()
    """Emitted after a change of colours, when palette and style sheet are already applied."""

    def __init__(self, choice: Choice = "system", parent: QObject | None = None) -> None:
        super().__init__(parent)
        global _current
        _current = self
        self._choice: Choice = choice
        self._dark = False
        QApplication.setStyle("Fusion")
        QApplication.setFont(fonts.text_font())
        self._hints = QGuiApplication.styleHints()
        self._hints.colorSchemeChanged.connect(self._follow_system)
        self._hints.setColorScheme(_SCHEMES[choice])
        self._dark = self._wants_dark()
        self._apply_style()

    @property
    def dark(self) -> bool:
        """Whether the dark scheme is current."""
        return self._dark

    def set_choice(self, choice: Choice) -> None:
        """Follow the system, or stay light or dark."""
        self._choice = choice
        # The system's parts of the window, such as its frame, follow this.
        self._hints.setColorScheme(_SCHEMES[choice])
        self._set_dark(self._wants_dark())

    def colour(self, token: str) -> QColor:
        """Return a colour of the current scheme. Raises KeyError for an unknown token."""
        return QColor(tokens().scheme(self._dark)[token])

    def icon(self, name: str, token: str = "text") -> QIcon:  # noqa: S107 - a colour
        """Return an icon of qtawesome's fonts (`mdi6.server`) in the current colours."""
        return glyph_icon(name, token, _colour_in_force)

    def _follow_system(self, scheme: Qt.ColorScheme) -> None:
        # Qt also emits this for the scheme that `set_choice` has set.
        if self._choice == "system":
            self._set_dark(scheme == Qt.ColorScheme.Dark)

    def _set_dark(self, dark: bool) -> None:
        if dark == self._dark:
            return
        self._dark = dark
        self._apply_style()
        self.changed.emit()

    def _wants_dark(self) -> bool:
        if self._choice == "system":
            return self._hints.colorScheme() == Qt.ColorScheme.Dark
        return self._choice == "dark"

    def _apply_style(self) -> None:
        QApplication.setPalette(make_palette(tokens().scheme(self._dark)))
        application = QApplication.instance()
        sheet = make_style_sheet(self._dark)
        # Setting the same sheet again would polish every widget.
        if isinstance(application, QApplication) and application.styleSheet() != sheet:
            application.setStyleSheet(sheet)


_current: Theme | None = None


def current() -> Theme:
    """Return the current theme; creates one if there is none."""
    return Theme() if _current is None else _current


def _colour_in_force(token: str) -> QColor:
    return current().colour(token)
