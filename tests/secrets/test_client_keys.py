"""The client keys and their storage."""

import asyncio
from pathlib import Path

import pytest

from server.core.errors import SetupError
from server.secrets import KeyStore
from server.secrets.client_key_ring import CLIENT_KEYS
from server.secrets.client_keys import MAX_REVOKED, digest_of
from server.secrets.storage import FileStorage, MemoryStorage


def opened(directory: Path) -> KeyStore:
    """The secrets of a directory, as another process opens them."""
    return KeyStore(FileStorage(directory), directory=directory)


async def test_a_key_is_returned_once_and_stored_as_a_digest(tmp_path: Path) -> None:
    entry, key = await opened(tmp_path).clients.add_key("Zed", model="opus", requests_a_minute=5)
    assert key.startswith("dgm-")
    assert len(key) == 47
    assert entry.digest == digest_of(key)
    stored = tmp_path.joinpath("secrets.json").read_text()
    assert entry.digest in stored
    assert key not in stored
    assert all(key.encode() not in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())


async def test_it_survives_a_restart_with_its_rules(tmp_path: Path) -> None:
    rules = {
        "model": "opus", "effort": "low", "system": "Be brief.", "system_position": "append", "requests_a_minute": 5,
        "tokens_a_day": 1000, "usd_a_day": 0.5, "concurrent": 2, "models": ("opus", "haiku"), "expires_at": 4e9,
    }  # fmt: skip
    entry, key = await opened(tmp_path).clients.add_key("Zed", **rules)
    found = await opened(tmp_path).clients.find_key(key)
    assert found == entry
    assert {name: getattr(found, name) for name in rules} == rules


async def test_another_process_sees_each_change(tmp_path: Path) -> None:
    server, other = opened(tmp_path).clients, opened(tmp_path).clients
    assert await server.list_keys() == []
    entry, key = await other.add_key("Zed")
    assert await server.find_key(key) == entry
    await other.change_key(entry.id, concurrent=3)
    assert (await server.list_keys())[0].concurrent == 3
    await other.revoke_key(entry.id)
    found = await server.find_key(key)
    assert found is not None
    assert found.revoked_at is not None
    assert await server.list_keys() == []


async def test_lookups_do_not_read_the_storage_again(tmp_path: Path) -> None:
    reads = 0

    class Counting(FileStorage):
        async def get(self, name: str) -> str | None:
            nonlocal reads
            reads += 1
            return await super().get(name)

    clients = KeyStore(Counting(tmp_path), directory=tmp_path).clients
    for _ in range(5):
        assert await clients.find_key("dgm-wrong") is None
    assert reads == 1


async def test_a_revoked_key_can_be_restored_unless_its_name_was_given_away(tmp_path: Path) -> None:
    clients = opened(tmp_path).clients
    first, _ = await clients.add_key("Zed")
    await clients.revoke_key(first.id)
    assert (await clients.restore_key(first.id)).revoked_at is None
    await clients.revoke_key(first.id)
    await clients.add_key("zed")
    with pytest.raises(SetupError, match="already"):
        await clients.restore_key(first.id)


async def test_names_are_distinct_without_regard_to_case() -> None:
    clients = KeyStore(MemoryStorage()).clients
    await clients.add_key("Zed")
    with pytest.raises(SetupError, match="already"):
        await clients.add_key("ZED")
    assert [key.name for key in await clients.list_keys()] == ["Zed"]


@pytest.mark.parametrize("name", ["", "  ", "main", "Main", "a\x00b", "x" * 41])
async def test_invalid_names(name: str) -> None:
    with pytest.raises(SetupError, match="as name"):
        await KeyStore(MemoryStorage()).clients.add_key(name)


@pytest.mark.parametrize(
    "rules",
    [
        {"requests_a_minute": 0}, {"tokens_a_day": -1}, {"usd_a_day": 0}, {"usd_a_day": float("nan")},
        {"concurrent": 0}, {"effort": "extreme"}, {"system": "x" * 20_001}, {"system_position": "beside"},
    ],
)  # fmt: skip
async def test_invalid_rules(rules: dict[str, object]) -> None:
    clients = KeyStore(MemoryStorage()).clients
    with pytest.raises(SetupError, match="A client key cannot have"):
        await clients.add_key("Zed", **rules)
    entry, _ = await clients.add_key("Zed")
    with pytest.raises(SetupError, match="A client key cannot have"):
        await clients.change_key(entry.id, **rules)
    assert await clients.list_keys() == [entry]


async def test_changes_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    rings = [opened(tmp_path).clients for _ in range(4)]
    await asyncio.gather(*(ring.add_key(f"key {number}") for number, ring in enumerate(rings)))
    assert len(await rings[0].list_keys()) == 4


async def test_old_revoked_keys_are_forgotten() -> None:
    store = KeyStore(MemoryStorage())
    for number in range(MAX_REVOKED + 3):
        entry, _ = await store.clients.add_key("Zed")
        await store.clients.revoke_key(entry.id)
        assert number < 3 or (await store.get(CLIENT_KEYS) or "").count("digest") <= MAX_REVOKED


async def test_damaged_keys_are_an_error_and_not_an_empty_list(tmp_path: Path) -> None:
    store = opened(tmp_path)
    await store.set(CLIENT_KEYS, "[{")
    for call in (store.clients.list_keys(), store.clients.find_key("dgm-x"), store.clients.add_key("Zed")):
        with pytest.raises(SetupError, match="damaged"):
            await call
    assert await store.get(CLIENT_KEYS) == "[{"


async def test_they_move_to_another_storage(tmp_path: Path) -> None:
    store = KeyStore(MemoryStorage(), directory=tmp_path)
    entry, key = await store.clients.add_key("Zed")
    move = await store.move_to(FileStorage(tmp_path))
    await move.complete_move()
    assert await store.clients.find_key(key) == entry
    assert await opened(tmp_path).clients.find_key(key) == entry


async def test_rules_of_a_newer_version_are_kept(tmp_path: Path) -> None:
    store = opened(tmp_path)
    entry, _ = await store.clients.add_key("Zed")
    text = await store.get(CLIENT_KEYS)
    assert text is not None
    await store.set(CLIENT_KEYS, text.replace('"name"', '"moon_phase":"full","name"'))
    await opened(tmp_path).clients.change_key(entry.id, concurrent=2)
    assert '"moon_phase":"full"' in tmp_path.joinpath("secrets.json").read_text().replace("\\", "")
