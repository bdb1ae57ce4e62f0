"""What the window remembers of itself: its place, the theme, column widths. The server has settings of its own."""

from pathlib import Path
from typing import Any, Literal, TypeVar

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

T = TypeVar("T")
ThemeChoice = Literal["system", "light", "dark"]

PREFERENCES_FILE = "window.ini"
THEMES: tuple[ThemeChoice, ...] = ("system", "light", "dark")


class Preferences(QObject):
    """The preferences in `<config_dir>/window.ini`. A value of another type than expected counts as not there."""

    changed = Signal(str)
    """The name of what has changed."""

    def __init__(self, config_dir: Path) -> None:
        super().__init__()
        self._settings = QSettings(str(config_dir / PREFERENCES_FILE), QSettings.Format.IniFormat)

    def value(self, name: str, default: T) -> T:
        """What is kept under `name` (`requests/columns`), as the type that `default` has."""
        kept = self._settings.value(name, default, type(default)) if self._settings.contains(name) else default
        return kept if isinstance(kept, type(default)) else default

    def set_value(self, name: str, value: Any) -> None:
        """Keep a value; it is written soon after."""
        self._settings.setValue(name, value)
        self.changed.emit(name)

    @property
    def theme(self) -> ThemeChoice:
        """How the window is coloured."""
        kept = self.value("theme", "system")
        return next((choice for choice in THEMES if choice == kept), "system")

    @theme.setter
    def theme(self, choice: ThemeChoice) -> None:
        self.set_value("theme", choice)

    @property
    def guide_done(self) -> bool:
        """Whether the person has been through the first-run guide, or has skipped it."""
        return self.value("guide_done", False)

    @guide_done.setter
    def guide_done(self, done: bool) -> None:
        self.set_value("guide_done", done)

    @property
    def geometry(self) -> QByteArray:
        """The window's place and size, as Qt saves them."""
        return self.value("window/geometry", QByteArray())

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self.set_value("window/geometry", geometry)

    def sync(self) -> None:
        """Write what is not written yet."""
        self._settings.sync()
