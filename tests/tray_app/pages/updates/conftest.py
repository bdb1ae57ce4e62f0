"""The page of updates over a real context, with a server that stands for GitHub."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from packaging.version import Version

from tests.release_server import ReleaseServer
from tray_app.context import Context
from tray_app.pages.updates import UpdatesPage
from tray_app.updates.check import UpdateCheck
from tray_app.updates.install_method import InstallMethod

DEB = InstallMethod("deb", Path("/usr/lib/dragoman/dragoman"))


@pytest.fixture
def server() -> Iterator[ReleaseServer]:
    """A running server that lists no releases at first."""
    with ReleaseServer().running() as running:
        yield running


@pytest.fixture
def has_feed() -> bool:
    """Whether the build names a place for releases."""
    return True


@pytest.fixture
async def updates_context(
    make_context: Callable[..., Context], server: ReleaseServer, has_feed: bool
) -> AsyncIterator[Context]:
    """A context of version 0.1.0, installed as a Debian package."""

    def make_check(context: Context) -> UpdateCheck:
        check = UpdateCheck(context, lambda: server.feed() if has_feed else None, lambda: DEB)
        check.running = Version("0.1.0")
        return check

    context = make_context(updates=make_check)
    bugs: list[BaseException] = []
    context.report_bug = bugs.append
    yield context
    await context.close()
    assert not bugs


@pytest.fixture
async def page(updates_context: Context) -> AsyncIterator[UpdatesPage]:
    """The page, visible."""
    page = UpdatesPage(updates_context)
    page.resize(860, 620)
    page.show()
    page.activate()
    yield page
    page.close()
    page.deleteLater()
