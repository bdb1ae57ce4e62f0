"""The key of seals outlives restarts and moves with the other secrets."""

from pathlib import Path

import pytest

from server.core.errors import SetupError
from server.secrets import KeyStore
from server.secrets.storage import FileStorage, MemoryStorage


async def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    key = await KeyStore(FileStorage(tmp_path)).get_or_create_sealing_key()
    assert len(key) >= 32
    again = KeyStore(FileStorage(tmp_path))
    assert await again.get_or_create_sealing_key() == key
    assert await again.get_or_create_sealing_key() == key
    await again.rotate_key()
    assert await again.get_or_create_sealing_key() == key, "a new API key changes no seal"


async def test_each_installation_has_its_own(tmp_path: Path) -> None:
    assert await KeyStore(MemoryStorage()).get_or_create_sealing_key() != (
        await KeyStore(MemoryStorage()).get_or_create_sealing_key()
    )


async def test_it_moves_with_the_other_secrets(tmp_path: Path) -> None:
    store = KeyStore(MemoryStorage())
    key = await store.get_or_create_sealing_key()
    await (await store.move_to(FileStorage(tmp_path))).complete_move()
    assert await KeyStore(FileStorage(tmp_path)).get_or_create_sealing_key() == key


async def test_a_storage_that_fails_is_reported(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(SetupError):
        await KeyStore(FileStorage(tmp_path)).get_or_create_sealing_key()
