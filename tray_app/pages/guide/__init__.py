"""The guide of the first start."""

from tray_app.pages.guide.page import GuidePage

__all__ = ["GuidePage"]
