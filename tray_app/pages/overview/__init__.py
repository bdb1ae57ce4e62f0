"""The first page: whether it works, and what it does."""

from tray_app.pages.overview.page import OverviewPage

__all__ = ["OverviewPage"]
