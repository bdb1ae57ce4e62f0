"""The Requests page, shown, over a real store."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pytestqt.qtbot import QtBot

from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.requests import RequestsPage


@pytest.fixture
async def page(context: Context, qtbot: QtBot, bugs: list[BaseException]) -> AsyncIterator[RequestsPage]:
    """The page, shown and active, with the log loaded."""
    page = RequestsPage(context)
    page.resize(920, 720)
    page.show()
    page.activate()
    await until(lambda: page.log.is_loaded)
    yield page
    page.deactivate()
    await page.finish_pending()
    await wait_until_loaded(page)
    page.close()
    page.deleteLater()


async def wait_until_loaded(page: RequestsPage) -> None:
    """Wait until nothing is loading."""
    await until(lambda: page.log.loading is None and page.detail.loading is None)


Wait = Callable[[], Awaitable[None]]


@pytest.fixture
def wait_loaded(page: RequestsPage) -> Wait:
    """A function that waits until nothing is loading."""
    return lambda: wait_until_loaded(page)
