"""The theme in force: light or dark, as the system says or as the person chose, switched at once."""

from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon
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
    """Dresses the application. Needs a QApplication; the last one made is what `current()` gives."""

    changed = Signal()
    """The colours have changed; palette and style sheet are in force already."""

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
    def choice(self) -> Choice:
        """What the person chose."""
        return self._choice

    @property
    def dark(self) -> bool:
        """Whether the dark scheme is in force."""
        return self._dark

    def set_choice(self, choice: Choice) -> None:
        """Follow the system, or be light or dark whatever it says."""
        self._choice = choice
        # The system's own parts of the window, such as its frame, follow this one.
        self._hints.setColorScheme(_SCHEMES[choice])
        self._set_dark(self._wants_dark())

    def colour(self, token: str) -> QColor:
        """A colour of the scheme in force. Raises KeyError for an unknown token."""
        return QColor(tokens().scheme(self._dark)[token])

    def icon(self, name: str, token: str = "text") -> QIcon:  # noqa: S107 - a colour
        """An icon of qtawesome's fonts (`mdi6.server`); it is drawn in the colours in force at that time."""
        return glyph_icon(name, token, _colour_in_force)

    def fixed_font(self) -> QFont:
        """The font for ids, URLs and code."""
        return fonts.fixed_font()

    def _follow_system(self, scheme: Qt.ColorScheme) -> None:
        # Also emitted for what `set_choice` asked for: then it is not the system that speaks.
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
        # Setting it again would polish every widget once more.
        if isinstance(application, QApplication) and application.styleSheet() != sheet:
            application.setStyleSheet(sheet)


_current: Theme | None = None


def current() -> Theme:
    """The theme in force, for widgets that paint themselves. The first call makes one, if nobody has."""
    return Theme() if _current is None else _current


def _colour_in_force(token: str) -> QColor:
    return current().colour(token)
