"""What the first start walks through."""

from tray_app.windows.guide.page import GuidePage

__all__ = ["GuidePage"]
