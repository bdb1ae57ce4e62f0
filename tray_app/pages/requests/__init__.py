"""The requests page: the live log, and one request in detail beside it."""

from tray_app.pages.requests.page import RequestsPage

__all__ = ["RequestsPage"]
