"""How the window looks: colours, sizes, fonts and icons, all from `resources/`."""

from tray_app.theme.fonts import fixed_font
from tray_app.theme.restyle import restyle
from tray_app.theme.theme import Choice, Theme, current
from tray_app.theme.tokens import size

__all__ = ["Choice", "Theme", "current", "fixed_font", "restyle", "size"]
