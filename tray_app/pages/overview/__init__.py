"""The Overview page: server, key, account, usage and processes."""

from tray_app.pages.overview.page import OverviewPage

__all__ = ["OverviewPage"]
