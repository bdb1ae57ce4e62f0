"""The Requests page: the live log, with the details of one request beside it."""

from tray_app.pages.requests.page import RequestsPage

__all__ = ["RequestsPage"]
