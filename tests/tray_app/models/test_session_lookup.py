import pytest

from server.core.events import EventBus
from server.store.store import Store
from tests.store.conversations import exchange, saved_as
from tray_app.models.sessions.lookup import find_summary


@pytest.fixture
async def store(tmp_path):
    # All at the same moment: the times alone do not tell them apart.
    store = await Store.open(tmp_path / "history.db", bus=EventBus(), clock=lambda: 1_000_000.0)
    yield store
    await store.close()


async def save(store, session_id, *texts, **options):
    await store.save_session(session_id, **saved_as(exchange(*texts)), **options)


async def test_a_session_is_found_by_its_id(store):
    for name in "abc":
        await save(store, name, "Hello", f"I am {name}")
    assert (await find_summary(store, "b")).id == "b"


async def test_a_former_id_leads_to_the_session_that_goes_on(store):
    await save(store, "ses_1", "Hello", "Hi", explicit=False)
    await save(store, "ses_2", "Hello", "Hi", "Go on", "Sure", explicit=False, prefix=2)
    await save(store, "other", "Something", "else", "entirely", "different")
    found = await find_summary(store, "ses_1")
    assert (found.id, found.turns) == ("ses_2", 4)


async def test_a_session_that_is_gone_is_not_found(store):
    await save(store, "a", "Hello", "Hi")
    await store.delete_session("a")
    assert await find_summary(store, "a") is None
    assert await find_summary(store, "never") is None
