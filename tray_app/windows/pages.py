"""The window's pages, in the order in which the rail shows them."""

from tray_app.context import Context
from tray_app.windows.clients.page import ClientsPage
from tray_app.windows.guide.page import GuidePage
from tray_app.windows.overview.page import OverviewPage
from tray_app.windows.page import Page
from tray_app.windows.requests.page import RequestsPage
from tray_app.windows.sessions.page import SessionsPage
from tray_app.windows.settings.page import SettingsPage


def make_pages(context: Context) -> tuple[list[Page], list[Page]]:
    """The pages of the rail, and those that are reached from elsewhere."""
    rail = [OverviewPage, RequestsPage, SessionsPage, ClientsPage, SettingsPage]
    return [page(context) for page in rail], [GuidePage(context)]
