"""The composition root: creation, start and stop of the server."""

import os
from pathlib import Path

import pytest

from server.backends.claude_cli.backend import ClaudeCliBackend
from server.backends.routing import RoutedBackend
from server.composition import Server, open_store
from server.config.paths import DATABASE_FILE
from server.config.settings import Settings
from server.config.settings_in_force import SettingsInForce
from server.core.errors import SetupError
from server.core.events import EventBus
from server.core.records import RequestRecord
from server.secrets import KeyStore
from server.secrets.storage import MemoryStorage
from tests.scripted_backend import ScriptedBackend


async def build(tmp_path: Path, **changes: object) -> Server:
    settings = Settings(data_dir=tmp_path / "data", config_dir=tmp_path / "config", **changes)
    return await Server.create(
        SettingsInForce(settings), EventBus(), key_store=KeyStore(MemoryStorage()), backend=ScriptedBackend()
    )


async def test_nothing_is_started_or_written_before_start(tmp_path: Path) -> None:
    server = await build(tmp_path)
    assert not server.services.backend.status().ready
    assert "data" not in os.listdir(tmp_path)
    with pytest.raises(RuntimeError):
        _ = server.services.store


async def test_start_and_stop(tmp_path: Path) -> None:
    server = await build(tmp_path)
    await server.start()
    assert server.services.backend.status().ready
    assert server.services.key_store.matches_key(await server.services.key_store.get_or_create())
    assert (await server.services.store.list_sessions()).total == 0
    await server.stop()
    assert not server.services.backend.status().ready
    await server.stop()


@pytest.mark.parametrize(("hours", "seconds"), [(24, 86400), (0.5, 1800), (None, None)])
async def test_how_long_sessions_are_kept(tmp_path: Path, hours: float | None, seconds: float | None) -> None:
    server = await build(tmp_path, session_ttl_hours=hours)
    await server.start()
    assert server.services.store.ttl_seconds == seconds
    await server.stop()


async def test_a_start_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    server = await build(tmp_path)

    async def start() -> None:
        raise SetupError("Not today.")

    server.services.backend.start = start  # type: ignore[method-assign]
    with pytest.raises(SetupError):
        await server.start()
    await server.stop()
    with pytest.raises(RuntimeError):
        await server.services.store.list_sessions()


@pytest.mark.parametrize("fetch", [False, True])
async def test_images_are_fetched_only_if_that_is_switched_on(tmp_path: Path, fetch: bool) -> None:
    assert ((await build(tmp_path, fetch_images=fetch)).services.images is not None) is fetch


async def test_the_database_is_in_the_data_directory(tmp_path: Path) -> None:
    server = await build(tmp_path)
    await server.start()
    assert server.services.store.path == tmp_path / "data" / DATABASE_FILE
    await server.stop()


async def test_claude_code_is_served_by_itself_and_at_hand(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", config_dir=tmp_path / "config")
    server = await Server.create(SettingsInForce(settings), EventBus(), key_store=KeyStore(MemoryStorage()))
    assert isinstance(server.services.backend, RoutedBackend)
    assert isinstance(server.cli, ClaudeCliBackend)
    assert server.services.backend.name == server.cli.name
    assert (await build(tmp_path)).cli is None


async def test_a_store_of_the_callers_outlives_the_services(tmp_path: Path) -> None:
    bus = EventBus()
    settings = Settings(data_dir=tmp_path / "data", session_ttl_hours=1)
    store = await open_store(settings, bus)
    purged: list[None] = []
    store.purge_expired = lambda: purged.append(None)  # type: ignore[assignment,method-assign,return-value]
    for hours in (2, 3):
        server = await Server.create(
            SettingsInForce(settings.model_copy(update={"session_ttl_hours": hours})),
            bus,
            key_store=KeyStore(MemoryStorage()),
            backend=ScriptedBackend(),
            store=store,
        )
        assert server.services.store is store
        await server.start()
        assert server.services.store is store
        assert store.ttl_seconds == hours * 3600
        server.services.writes.add_write(
            store.record_request(RequestRecord(f"r{hours}", 1.0, "/v1/messages", "c")), "record"
        )
        await server.stop()
        assert await store.get_request(f"r{hours}") is not None
    assert purged == []
    await store.close()


async def test_a_start_that_fails_leaves_the_callers_store_open(tmp_path: Path) -> None:
    bus, settings, backend = EventBus(), Settings(data_dir=tmp_path / "data"), ScriptedBackend()
    store = await open_store(settings, bus)
    server = await Server.create(
        SettingsInForce(settings), bus, key_store=KeyStore(MemoryStorage()), backend=backend, store=store
    )

    async def start() -> None:
        raise SetupError("Not today.")

    backend.start = start  # type: ignore[method-assign]
    with pytest.raises(SetupError):
        await server.start()
    await server.stop()
    assert (await store.list_sessions()).total == 0
    await store.close()


async def test_seals_are_made_with_the_stored_key(tmp_path: Path) -> None:
    server = await build(tmp_path)
    before = server.services.sealing_key
    await server.start()
    assert server.services.sealing_key == await server.services.key_store.get_or_create_sealing_key() != before
    await server.stop()


async def test_a_storage_that_fails_does_not_stop_the_server(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = await build(tmp_path, api_key_required=False)

    async def fail() -> bytes:
        raise SetupError("The keyring is locked.")

    server.services.key_store.get_or_create_sealing_key = fail  # type: ignore[method-assign]
    await server.start()
    assert len(server.services.sealing_key) == 32
    assert "The keyring is locked." in caplog.text
    await server.stop()
