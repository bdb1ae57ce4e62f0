"""The API key: created once, compared in constant time, replaced on request."""

import asyncio
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.config.settings import Settings
from server.core.errors import SettingsInvalid, SetupError
from server.secrets import KeyStore, open_key_store
from server.secrets.storage import FileStorage, MemoryStorage, StorageKind


def files_in(directory: Path) -> list[Path]:
    return list(directory.rglob("*"))


async def test_a_key_is_made_once_and_found_again(tmp_path: Path) -> None:
    key = await KeyStore(FileStorage(tmp_path)).get_or_create()
    assert re.fullmatch(r"dgm-[A-Za-z0-9_-]{43}", key)
    again = KeyStore(FileStorage(tmp_path))
    assert await again.get_or_create() == key
    assert await again.get_or_create() == key
    assert again.matches_key(key)
    assert again.kind == "file"


async def test_what_is_held_is_what_was_last_read_or_kept(tmp_path: Path) -> None:
    await KeyStore(FileStorage(tmp_path)).set("other", "secret")
    store = KeyStore(FileStorage(tmp_path))
    assert store.cached("other") is None
    await store.get("other")
    assert store.cached("other") == "secret"
    await store.set("other", None)
    assert store.cached("other") is None


async def test_two_places_have_two_keys(tmp_path: Path) -> None:
    first = await KeyStore(FileStorage(tmp_path / "a")).get_or_create()
    assert await KeyStore(FileStorage(tmp_path / "b")).get_or_create() != first


async def test_rotating_replaces_the_key(tmp_path: Path) -> None:
    store = KeyStore(FileStorage(tmp_path))
    old = await store.get_or_create()
    new = await store.rotate_key()
    assert new != old
    assert (store.matches_key(new), store.matches_key(old)) == (True, False)
    assert await KeyStore(FileStorage(tmp_path)).get_or_create() == new


async def test_nothing_matches_before_there_is_a_key() -> None:
    store = KeyStore(MemoryStorage())
    assert not any(store.matches_key(candidate) for candidate in ("", "None", "dgm-"))


async def test_only_the_key_itself_matches() -> None:
    store = KeyStore(MemoryStorage())
    key = await store.get_or_create()
    others = ["", " ", key[:-1], key + "x", key + "\n", key.upper(), f"Bearer {key}", key[4:], "\ud800", "ключ"]
    assert [candidate for candidate in [*others, key] if store.matches_key(candidate)] == [key]


@given(st.text() | st.text(st.characters(categories=["Cs"])))
def test_no_candidate_raises(candidate: str) -> None:
    assert not KeyStore(MemoryStorage(), fixed_key="dgm-fixed").matches_key(candidate)


async def test_other_secrets_are_kept_apart(tmp_path: Path) -> None:
    store = KeyStore(FileStorage(tmp_path))
    key = await store.get_or_create()
    assert await store.get("anthropic_api_key") is None
    await store.set("anthropic_api_key", "sk-ant-1")
    again = KeyStore(FileStorage(tmp_path))
    assert await again.get("anthropic_api_key") == "sk-ant-1"
    assert not again.matches_key("sk-ant-1")
    await again.set("anthropic_api_key", None)
    assert await KeyStore(FileStorage(tmp_path)).get("anthropic_api_key") is None
    assert await again.get_or_create() == key


async def test_a_key_from_the_environment_is_used_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_API_KEY", " my-own-key ")
    store = await open_key_store(Settings(data_dir=tmp_path / "data", key_storage="file"))
    assert await store.get_or_create() == "my-own-key"
    assert store.matches_key("my-own-key")
    assert not store.matches_key("")
    assert (store.kind, "DRAGOMAN_API_KEY" in store.description) == ("environment", True)
    with pytest.raises(SetupError, match="environment"):
        await store.rotate_key()
    assert files_in(tmp_path / "data") == []


@pytest.mark.parametrize("key", ["two words", "clé", "a\tb"])
async def test_a_key_that_no_header_can_carry_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("DRAGOMAN_API_KEY", key)
    with pytest.raises(SettingsInvalid) as error:
        await open_key_store(Settings(data_dir=tmp_path, key_storage="file"))
    assert error.value.source == "DRAGOMAN_API_KEY"
    assert key not in str(error.value)


@pytest.mark.parametrize("kind", ["file", "memory"])
async def test_the_place_is_the_one_that_was_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    settings = Settings(data_dir=tmp_path, key_storage=kind)
    store = await open_key_store(settings)
    key = await store.get_or_create()
    assert store.kind == kind
    assert (await (await open_key_store(settings)).get_or_create() == key) == (kind == "file")


class SlowStorage(MemoryStorage):
    """A slow storage, like a keyring, that rejects the secret named `fails_at`."""

    kind: StorageKind = "keyring"

    def __init__(self, fails_at: str = "", **secrets: str) -> None:
        super().__init__()
        self.fails_at = fails_at
        self._secrets |= secrets

    async def get(self, name: str) -> str | None:
        found = await super().get(name)
        await asyncio.sleep(0)
        return found

    async def set(self, name: str, value: str | None) -> None:
        await asyncio.sleep(0)
        if name == self.fails_at:
            raise SetupError("It is full.")
        await super().set(name, value)


async def test_those_who_ask_at_once_get_one_key() -> None:
    store = KeyStore(SlowStorage())
    keys = await asyncio.gather(*(store.get_or_create() for _ in range(5)))
    assert len(set(keys)) == 1
    assert store.matches_key(keys[0])


async def test_a_key_that_is_replaced_while_it_is_read_is_the_new_one() -> None:
    store = KeyStore(SlowStorage(api_key="dgm-old"))
    _, new = await asyncio.gather(store.get_or_create(), store.rotate_key())
    assert await store.get_or_create() == new


async def test_a_move_leaves_both_places_until_it_is_finished() -> None:
    old, new = SlowStorage(api_key="dgm-1", anthropic_api_key="sk-ant-1"), SlowStorage()
    store = KeyStore(old)
    move = await store.move_to(new)
    assert (await old.get("api_key"), await new.get("api_key")) == ("dgm-1", "dgm-1")
    assert store.cached("anthropic_api_key") == "sk-ant-1"
    await move.complete_move()
    assert (await old.get("api_key"), await old.get("anthropic_api_key")) == (None, None)
    assert await new.get("anthropic_api_key") == "sk-ant-1"


async def test_a_move_can_be_undone() -> None:
    old, new = SlowStorage(api_key="dgm-1"), SlowStorage(api_key="dgm-there-before", anthropic_api_key="sk-ant-1")
    store = KeyStore(old)
    move = await store.move_to(new)
    assert await new.get("api_key") == "dgm-1"
    await move.undo_move()
    assert (await new.get("api_key"), await new.get("anthropic_api_key")) == ("dgm-there-before", "sk-ant-1")
    assert await store.rotate_key() == await old.get("api_key")


async def test_a_place_that_takes_half_is_left_as_it_was() -> None:
    old, new = SlowStorage(api_key="dgm-1", anthropic_api_key="sk-ant-1"), SlowStorage(fails_at="anthropic_api_key")
    store = KeyStore(old)
    with pytest.raises(SetupError, match="full"):
        await store.move_to(new)
    assert await new.get("api_key") is None
    assert await old.get("api_key") == "dgm-1"
    assert await store.rotate_key() == await old.get("api_key")


async def test_a_move_takes_no_secret_away_from_where_it_goes() -> None:
    store = KeyStore(SlowStorage(api_key="dgm-1"))
    move = await store.move_to(SlowStorage(anthropic_api_key="sk-ant-there"))
    await move.complete_move()
    assert await store.get("anthropic_api_key") == "sk-ant-there"
    assert await store.get_or_create() == "dgm-1"


async def test_what_is_in_memory_gives_way_to_what_was_kept() -> None:
    """Memory replaced a locked keyring; clients use the key in the keyring."""
    store = KeyStore(MemoryStorage("the keyring was locked"))
    await store.get_or_create()
    await (await store.move_to(SlowStorage(api_key="dgm-kept"))).complete_move()
    assert await store.get_or_create() == "dgm-kept"
    assert store.matches_key("dgm-kept")
