"""The table of pages, in the order of the rail."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from tray_app.context import Context
from tray_app.translation import tr
from tray_app.updates import built_in
from tray_app.window.page import Page


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page that can be shown. `icon` is a qtawesome icon name."""

    key: str
    title: str
    icon: str
    make: Callable[[Context], Page]


def rail_entries() -> list[PageEntry]:
    """The pages of the rail."""
    return [
        PageEntry("overview", tr("Overview"), "mdi6.view-dashboard-outline", _page_maker("overview", "OverviewPage")),
        PageEntry("requests", tr("Requests"), "mdi6.swap-horizontal", _page_maker("requests", "RequestsPage")),
        PageEntry("sessions", tr("Sessions"), "mdi6.forum-outline", _page_maker("sessions", "SessionsPage")),
        PageEntry("clients", tr("Clients"), "mdi6.connection", _page_maker("clients", "ClientsPage")),
        PageEntry("settings", tr("Settings"), "mdi6.cog-outline", _page_maker("settings", "SettingsPage")),
    ]


def other_entries() -> list[PageEntry]:
    """The pages that are reached from other pages only."""
    guide = PageEntry("guide", tr("Welcome"), "mdi6.map-outline", _page_maker("guide", "GuidePage"))
    updates = PageEntry("updates", tr("Updates"), "mdi6.update", _page_maker("updates", "UpdatesPage"))
    return [guide, updates] if built_in.UPDATE_CHECKS else [guide]


def _page_maker(folder: str, name: str) -> Callable[[Context], Page]:
    """Return a function that imports and creates a page.

    Importing all pages at startup would take a good part of a second and some 30 MB.
    """

    def make_page(context: Context) -> Page:
        made: Page = getattr(import_module(f"tray_app.pages.{folder}.page"), name)(context)
        return made

    return make_page
