"""What the first start walks through."""

from tray_app.pages.guide.page import GuidePage

__all__ = ["GuidePage"]
