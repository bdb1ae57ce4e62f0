"""Storages for secrets that need no keyring."""

import json
import logging
import stat
from pathlib import Path

import pytest

from server.core.errors import SetupError
from server.secrets import KeyStore
from server.secrets.storage import FileStorage, MemoryStorage
from tests.systems import posix_only


async def test_memory_keeps_and_forgets() -> None:
    storage = MemoryStorage()
    assert await storage.get("a") is None
    await storage.set("a", "1")
    assert await storage.get("a") == "1"
    await storage.set("a", None)
    assert await storage.get("a") is None


async def test_memory_says_why() -> None:
    assert ": it is locked" in MemoryStorage(reason="it is locked").description
    assert 'key_storage = "file"' in MemoryStorage(reason="it is locked").description
    assert "key_storage" not in MemoryStorage().description


async def test_a_window_needs_no_advice_for_a_terminal(tmp_path: Path) -> None:
    lost = KeyStore(MemoryStorage(reason="It is locked"))
    assert lost.short_description == "in memory only and will change at the next start: it is locked"
    kept = KeyStore(FileStorage(tmp_path))
    assert kept.short_description == kept.description


async def test_a_file_keeps_secrets_for_the_next_one(tmp_path: Path) -> None:
    await FileStorage(tmp_path / "new").set("a", "1")
    await FileStorage(tmp_path / "new").set("b", "ü")
    storage = FileStorage(tmp_path / "new")
    assert (await storage.get("a"), await storage.get("b"), await storage.get("c")) == ("1", "ü", None)
    await storage.set("a", None)
    assert json.loads((tmp_path / "new" / "secrets.json").read_text()) == {"b": "ü"}
    assert str(tmp_path / "new" / "secrets.json") in storage.description


@posix_only("Windows has no file modes")
async def test_the_file_is_the_users_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "secrets.json"
    await FileStorage(tmp_path).set("a", "1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert await FileStorage(tmp_path).get("a") == "1"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "other users could read" in caplog.text


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', "\x00"])
async def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(content)
    path.chmod(0o600)
    for call in (FileStorage(tmp_path).get("a"), FileStorage(tmp_path).set("a", "1")):
        with pytest.raises(SetupError, match="damaged") as error:
            await call
        assert str(path) in str(error.value)
    assert path.read_text() == content


async def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in its place")
    with pytest.raises(SetupError, match=r"cannot be (written|read)"):
        await FileStorage(tmp_path / "data").set("a", "1")
