"""The theme: colours, sizes, fonts and icons, from `resources/`."""

from tray_app.theme.dynamic_style import apply_style
from tray_app.theme.fonts import fixed_font
from tray_app.theme.theme import Choice, Theme, current
from tray_app.theme.tokens import size

__all__ = ["Choice", "Theme", "apply_style", "current", "fixed_font", "size"]
