from contextlib import closing

import pytest

from server.core.events import EventBus
from server.store.database import open_database
from server.store.store import Store


class Clock:
    """A clock that tests set."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock(1_000_000.0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "history.db"


@pytest.fixture
def connection(path):
    with closing(open_database(path).connection) as connection:
        yield connection


@pytest.fixture
def bus():
    return EventBus()


@pytest.fixture
def events(bus):
    """Collect all events."""
    events = []
    bus.subscribe(events.append)
    return events


@pytest.fixture
async def open_store(path, bus, clock):
    """Open stores at `path`; they are closed after the test."""
    stores = []

    async def open_store(**options):
        stores.append(await Store.open(path, **{"bus": bus, "clock": clock, **options}))
        return stores[-1]

    yield open_store
    for store in stores:
        await store.close()


@pytest.fixture
async def store(open_store):
    return await open_store()
