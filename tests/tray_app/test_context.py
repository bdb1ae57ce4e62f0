"""The application's parts together: settings apply at once, and the store outlives the server."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator

import httpx2
import pytest

from server.config.settings import Settings, load_settings, write_settings
from server.core.errors import DragomanError, KeyringUnavailable, PortUnavailable, SettingsInvalid
from server.secrets import API_KEY, KeyStore, open_key_store
from server.secrets.storage import FileStorage, MemoryStorage, StorageKind
from server.store.store import Store
from tests.ports import kept_port
from tests.tray_app.conftest import MakeContext
from tests.waiting import until
from tray_app.context import Context


async def status(url: str | None, key: str = "") -> int:
    async with httpx2.AsyncClient(base_url=url or "", headers={"x-api-key": key}, timeout=60) as client:
        return (await client.get("/v1/models")).status_code


async def test_the_store_is_open_whether_the_server_runs_or_not(context: Context) -> None:
    store = context.store
    assert store is not None
    await context.server.start()
    assert context.server.services is not None
    assert context.server.services.store is store
    await context.server.stop()
    assert (await store.list_sessions()).total == 0


async def test_the_key_of_the_context_opens_the_server(context: Context) -> None:
    await context.server.start()
    key = await context.api_key()
    assert key is not None
    assert await status(context.server.url, key) == 200
    assert await status(context.server.url, "wrong") == 401


async def test_a_setting_applies_at_once_and_is_written(context: Context, settings: Settings) -> None:
    await context.server.start()
    changed = asyncio.Event()
    context.settings_changed.connect(changed.set)
    await context.change_settings({"api_key_required": False, "session_ttl_hours": None})
    assert changed.is_set()
    assert await status(context.server.url) == 200
    assert await context.api_key() is None
    assert context.store is not None
    assert context.store.ttl_seconds is None
    written = load_settings({"config_dir": settings.config_dir})
    assert (written.api_key_required, written.session_ttl_hours) == (False, None)


async def test_none_brings_a_default_back(context: Context) -> None:
    await context.change_settings({"spares": 3})
    assert context.settings.spares == 3
    await context.change_settings({"spares": None})
    assert context.settings.spares == 1


async def test_a_port_moves_the_server(context: Context) -> None:
    with kept_port() as old, kept_port() as port:
        await context.change_settings({"port": old})
        await context.server.start()
        assert context.server.url == f"http://127.0.0.1:{old}"
        await context.change_settings({"port": port})
        assert context.server.url == f"http://127.0.0.1:{port}"
        assert await status(context.server.url, "wrong") == 401
        with pytest.raises(httpx2.ConnectError):
            await status(f"http://127.0.0.1:{old}")


async def test_a_port_that_is_taken_changes_nothing(context: Context, settings: Settings) -> None:
    await context.server.start()
    url, before = context.server.url, settings.settings_file.read_text()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortUnavailable):
            await context.change_settings({"port": other.getsockname()[1]})
    assert context.server.url == url
    assert context.settings.port == 0
    assert settings.settings_file.read_text() == before
    assert await status(url, "wrong") == 401


async def test_a_wrong_value_changes_nothing(context: Context, settings: Settings) -> None:
    before = settings.settings_file.read_text()
    with pytest.raises(SettingsInvalid):
        await context.change_settings({"spares": 99})
    with pytest.raises(SettingsInvalid):
        await context.change_settings({"no_such_setting": 1})
    assert context.settings.spares == 1
    assert settings.settings_file.read_text() == before


async def test_what_cannot_be_written_does_not_apply(context: Context, settings: Settings) -> None:
    await context.server.start()
    settings.settings_file.write_text("this is = not TOML [")
    with pytest.raises(SettingsInvalid):
        await context.change_settings({"api_key_required": False})
    assert context.settings.api_key_required
    assert await status(context.server.url) == 401


async def test_what_the_environment_fixes_changes_in_the_file_alone(
    context: Context, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGOMAN_SPARES", "2")
    await context.change_settings({"spares": 4})
    assert context.settings.spares == 1
    assert "spares = 4" in settings.settings_file.read_text()


async def test_what_other_hands_wrote_is_taken_over(context: Context, settings: Settings) -> None:
    with settings.settings_file.open("a") as file:
        file.write("history = false\n")
    await context.reload_settings()
    assert not context.settings.history


async def test_the_key_moves_with_its_storage(settings: Settings, make_context: MakeContext) -> None:
    context = make_context(overrides={"data_dir": settings.data_dir, "config_dir": settings.config_dir})
    key = await context.key_store.get_or_create()
    await context.change_settings({"key_storage": "file"})
    assert context.key_store.kind == "file"
    assert await context.key_store.get(API_KEY) == key
    assert key in (settings.data_dir / "secrets.json").read_text()
    assert key not in settings.settings_file.read_text()
    await context.close()


async def test_a_database_that_cannot_be_opened_is_told_and_tried_again(
    settings: Settings, make_context: MakeContext
) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "history.db").mkdir()
    context = make_context()
    await context.open()
    assert context.store is None
    assert context.store_problem is not None
    with pytest.raises(DragomanError) as caught:
        await context.server.start()
    assert context.server.state == "failed"
    assert context.server.problem is caught.value
    (settings.data_dir / "history.db").rmdir()
    await context.open()
    assert isinstance(context.store, Store)
    assert context.store_problem is None
    await context.close()


async def test_those_who_open_the_store_at_once_open_one(settings: Settings, make_context: MakeContext) -> None:
    """A page and a start of the server both try to open the store again."""
    context = make_context()

    def of_stores() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("store")]

    await until(lambda: of_stores() == [])  # a store of a test before may still be closing its database
    await asyncio.gather(context.open(), context.open(), context.open())
    store = context.store
    await context.open()
    assert context.store is store
    await context.close()
    await until(lambda: of_stores() == [])


async def test_errors_of_the_background_reach_the_window_or_who_asked(context: Context) -> None:
    shown: list[DragomanError] = []
    context.problem.connect(shown.append)

    async def fail() -> None:
        raise DragomanError("It went wrong.")

    taken: list[DragomanError] = []
    await context.run(fail(), name="fail")
    await context.run(fail(), name="fail", on_error=taken.append)
    assert [error.message for error in shown] == ["It went wrong."]
    assert [error.message for error in taken] == ["It went wrong."]


async def test_a_bug_of_the_background_is_reported_as_one(context: Context, caplog: pytest.LogCaptureFixture) -> None:
    bugs: list[BaseException] = []
    context.report_bug = bugs.append

    async def fail() -> None:
        raise ZeroDivisionError

    await asyncio.wait([context.run(fail(), name="fail")])
    assert [type(bug) for bug in bugs] == [ZeroDivisionError]
    assert "the task 'fail' failed" in caplog.text


async def test_work_that_is_cancelled_before_its_first_step_leaves_nothing(context: Context) -> None:
    begun: list[bool] = []

    async def work() -> None:
        begun.append(True)

    task = context.run(work(), name="work")
    task.cancel()
    await asyncio.wait([task])
    assert begun == []
    # A coroutine that is never awaited causes a warning, which fails the test.


class Stuck(MemoryStorage):
    """A locked keyring that waits for a password."""

    kind: StorageKind = "keyring"

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def get(self, name: str) -> str | None:
        self.asked.set()
        await asyncio.Event().wait()
        return None


@pytest.fixture
async def with_file(settings: Settings, make_context: MakeContext) -> AsyncIterator[Context]:
    """A context whose key is in a file, with a settings file that says so."""
    write_settings(settings.config_dir, {"key_storage": "file"})
    directories = {"data_dir": settings.data_dir, "config_dir": settings.config_dir}
    settings = load_settings(directories)
    context = make_context(settings=settings, key_store=await open_key_store(settings), overrides=directories)
    await context.key_store.get_or_create()
    yield context
    await context.close()


async def kept_in_file(context: Context) -> str | None:
    return await FileStorage(context.settings.data_dir).get(API_KEY)


async def test_a_change_that_is_refused_leaves_the_key_where_it_is(context: Context, settings: Settings) -> None:
    context.key_store = context.settings_service._key_store = KeyStore(MemoryStorage())
    key = await context.api_key()
    await context.server.start()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortUnavailable):
            await context.change_settings({"key_storage": "file", "port": other.getsockname()[1]})
    assert (context.key_store.kind, context.settings.key_storage) == ("memory", "keyring")
    assert await context.api_key() == key
    assert await FileStorage(settings.data_dir).get(API_KEY) is None


async def test_a_file_of_settings_that_cannot_be_written_leaves_the_key_where_it_is(with_file: Context) -> None:
    context = with_file
    key = await context.api_key()
    context.settings.settings_file.write_text("this is = not TOML [")
    with pytest.raises(SettingsInvalid):
        await context.change_settings({"key_storage": "memory"})
    assert (context.key_store.kind, context.settings.key_storage) == ("file", "file")
    assert await kept_in_file(context) == key


async def test_the_old_place_has_the_key_until_the_file_names_the_new_one(with_file: Context) -> None:
    """A program that is killed in between finds the key at the next start."""
    context = with_file
    key = await context.api_key()
    seen: list[tuple[str, bool]] = []

    def look() -> None:
        told = load_settings({"config_dir": context.settings.config_dir}).key_storage
        there = json.loads((context.settings.data_dir / "secrets.json").read_text())
        seen.append((told, there.get(API_KEY) == key))

    context.settings_changed.connect(look)
    await context.change_settings({"key_storage": "memory"})
    assert seen == [("file", True)]
    assert await kept_in_file(context) is None
    assert await context.api_key() == key


async def test_a_keyring_that_does_not_work_takes_no_key_out_of_its_file(with_file: Context) -> None:
    context = with_file
    key = await context.api_key()
    with pytest.raises(KeyringUnavailable):
        await context.change_settings({"key_storage": "keyring"})
    assert context.settings.key_storage == "file"
    assert await kept_in_file(context) == key


async def test_the_directory_of_the_data_stays_until_the_next_start(settings: Settings, with_file: Context) -> None:
    del with_file.settings_service.overrides["data_dir"]  # type: ignore[attr-defined]
    with settings.settings_file.open("a") as file:
        file.write(f"data_dir = '{settings.data_dir}-other'\nspares = 2\n")
    await with_file.reload_settings()
    assert (with_file.settings.data_dir, with_file.settings.spares) == (settings.data_dir, 2)


async def test_quitting_does_not_wait_for_a_start_that_hangs(settings: Settings, make_context: MakeContext) -> None:
    vault = Stuck()
    context = make_context(key_store=KeyStore(vault))
    await context.open()
    starting = context.run(context.server.start(), name="start")
    await vault.asked.wait()
    assert context.server.state == "starting"
    await context.close()
    assert starting.done()
    assert (context.server.state, context.server.problem) == ("stopped", None)


async def test_settings_that_change_while_it_starts_hold_when_it_runs(context: Context) -> None:
    changes = []

    def change() -> None:
        if context.server.state == "starting":
            changes.append(context.run(context.change_settings({"api_key_required": False}), name="change"))

    context.server.changed.connect(change)
    await context.server.start()
    await asyncio.wait(changes)
    assert await status(context.server.url) == 200


async def test_work_in_the_background_ends_before_the_store_is_closed(
    settings: Settings, make_context: MakeContext
) -> None:
    context = make_context()
    await context.open()
    ended: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(context.store is not None)

    task = context.run(work(), name="work")
    await asyncio.sleep(0)
    await context.close()
    assert task.done()
    assert ended == [True]


async def test_a_directory_that_cannot_be_made_is_a_problem_of_the_store(
    settings: Settings, make_context: MakeContext
) -> None:
    settings.data_dir.write_text("in the way")
    context = make_context()
    await context.open()
    assert context.store_problem is not None
    assert str(settings.data_dir) in context.store_problem.message
    await context.close()
