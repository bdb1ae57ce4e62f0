"""The requests page over a real store, shown."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pytestqt.qtbot import QtBot

from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.requests import RequestsPage


@pytest.fixture
async def page(context: Context, qtbot: QtBot, bugs: list[BaseException]) -> AsyncIterator[RequestsPage]:
    """The page, shown and active, with the log read."""
    page = RequestsPage(context)
    page.resize(920, 720)
    page.show()
    page.activate()
    await until(lambda: page.log.is_loaded)
    yield page
    page.deactivate()
    await page.finish_pending()
    await settled(page)
    page.close()
    page.deleteLater()


async def settled(page: RequestsPage) -> None:
    """Nothing is being read any more."""
    await until(lambda: page.log.settled() is None and page.detail.settled() is None)


Settled = Callable[[], Awaitable[None]]


@pytest.fixture
def settle(page: RequestsPage) -> Settled:
    """Waits until nothing is being read any more."""
    return lambda: settled(page)
