"""The system keyring: a real Secret Service if there is one, and all ways in which it can fail."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import InitError, KeyringLocked, PasswordSetError

from server.config.former_name import FORMER_APP_NAME
from server.config.paths import default_data_dir
from server.config.settings import Settings
from server.core.errors import KeyringUnavailable
from server.secrets import KeyStore, open_key_store
from server.secrets.long_secrets import WINDOWS_BYTES, Entries, read_long, write_long
from server.secrets.system_keyring import KeyringStorage
from tests.files import files_below

Use = Callable[[KeyringBackend], None]


class Dictionary(KeyringBackend):
    """A keyring that works."""

    priority = 0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class Failing(Dictionary):
    """A keyring that answers every call with `error`."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error


class ReadOnly(Dictionary):
    """A keyring that rejects every write."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise PasswordSetError("read-only")


class Dialog(Dictionary):
    """A locked keyring that waits for a password."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.closed.wait()
        return None


@pytest.fixture
def use() -> Iterator[Use]:
    """Sets the keyring for a test."""
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def files_in(directory: Path) -> list[Path]:
    return list(directory.rglob("*"))


async def test_the_key_is_kept_in_the_keyring(use: Use, tmp_path: Path) -> None:
    backend = Dictionary()
    use(backend)
    data_dir = tmp_path / "data"
    settings = Settings(data_dir=data_dir)
    store = await open_key_store(settings)
    key = await store.get_or_create()
    assert store.kind == "keyring"
    assert backend.name in store.description
    assert backend.kept == {("dragoman", f"api_key@{data_dir}"): key}
    assert await (await open_key_store(settings)).get_or_create() == key
    assert files_in(data_dir) == []


async def test_a_key_under_the_former_name_is_taken_over(use: Use) -> None:
    backend = Dictionary()
    use(backend)
    backend.set_password(FORMER_APP_NAME, "api_key", "cct-the-key-that-clients-have")
    store = await open_key_store(Settings())
    assert await store.get_or_create() == "cct-the-key-that-clients-have"
    assert backend.kept["dragoman", "api_key"] == backend.kept[FORMER_APP_NAME, "api_key"]


async def test_each_data_directory_has_its_own_key(use: Use, tmp_path: Path) -> None:
    backend = Dictionary()
    use(backend)
    keys = [
        await (await open_key_store(settings)).get_or_create()
        for settings in (Settings(), Settings(data_dir=tmp_path / "a"), Settings(data_dir=tmp_path / "b"))
    ]
    assert len(set(keys)) == 3
    assert backend.kept["dragoman", "api_key"] == keys[0]
    assert Settings().data_dir == default_data_dir()


async def test_secrets_are_forgotten(use: Use, tmp_path: Path) -> None:
    backend = Dictionary()
    use(backend)
    storage = KeyringStorage(tmp_path)
    await storage.set("a", "1")
    await storage.set("a", None)
    await storage.set("a", None)
    assert backend.kept == {}


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        (fail.Keyring(), "no system keyring"),
        (null.Keyring(), "no system keyring"),
        (Failing(KeyringLocked("Failed to unlock the collection!")), "locked"),
        (Failing(InitError("Failed to create the collection")), "Failed to create the collection"),
        (Failing(RuntimeError("No recommended backend")), "No recommended backend"),
        (Failing(OSError(5, "I/O error")), "I/O error"),
    ],
)
async def test_without_a_keyring_that_works_memory_is_used_and_says_so(
    use: Use, tmp_path: Path, backend: KeyringBackend, reason: str
) -> None:
    use(backend)
    store = await open_key_store(Settings(data_dir=tmp_path))
    key = await store.get_or_create()
    assert store.kind == "memory"
    assert reason.lower() in store.description.lower()
    assert "in memory only" in store.description
    assert 'key_storage = "file"' in store.description
    assert store.matches_key(key)
    assert await (await open_key_store(Settings(data_dir=tmp_path))).get_or_create() != key
    with pytest.raises(KeyringUnavailable):
        await KeyringStorage(tmp_path).get("api_key")


async def test_a_keyring_that_takes_nothing_is_given_up(use: Use, tmp_path: Path) -> None:
    use(ReadOnly())
    store = await open_key_store(Settings(data_dir=tmp_path))
    key = await store.get_or_create()
    assert store.kind == "memory"
    assert "read-only" in store.description
    assert store.matches_key(key)


async def test_a_key_that_cannot_be_replaced_stays(use: Use, tmp_path: Path) -> None:
    backend = ReadOnly()
    backend.kept["dragoman", f"api_key@{tmp_path}"] = "dgm-old"
    use(backend)
    store = await open_key_store(Settings(data_dir=tmp_path))
    assert await store.get_or_create() == "dgm-old"
    with pytest.raises(KeyringUnavailable, match="read-only"):
        await store.rotate_key()
    assert (store.matches_key("dgm-old"), store.kind) == (True, "keyring")


async def test_a_secret_that_cannot_be_kept_is_not_held(use: Use, tmp_path: Path) -> None:
    use(ReadOnly())
    store = await open_key_store(Settings(data_dir=tmp_path))
    with pytest.raises(KeyringUnavailable):
        await store.set("anthropic_api_key", "sk-ant-1")
    assert await store.get("anthropic_api_key") is None


async def test_a_dialog_that_nobody_answers_is_given_up(use: Use, tmp_path: Path) -> None:
    backend = Dialog()
    use(backend)
    before = set(threading.enumerate())
    try:
        with pytest.raises(KeyringUnavailable, match="may be locked"):
            await KeyStore(KeyringStorage(tmp_path, timeout=0.05)).get("api_key")
        (thread,) = (new for new in set(threading.enumerate()) - before if new.name == "keyring")
        assert thread.daemon
    finally:
        backend.closed.set()
    thread.join()


CHILD = """
import asyncio, json, sys, threading
from server.secrets import open_key_store
from server.config.settings import Settings

async def main():
    async def opened():  # a daemon that was just started may take its time, on a busy machine
        return await open_key_store(Settings(), keyring_seconds=60)

    first = await opened()
    key = await first.get_or_create()
    found = await (await opened()).get_or_create()
    rotated = await first.rotate_key()
    last = await opened()
    await last.set("anthropic_api_key", "sk-ant-1")
    await last.set("anthropic_api_key", None)
    json.dump({"key": key, "found": found, "rotated": rotated, "last": await last.get_or_create(),
               "forgotten": await (await opened()).get("anthropic_api_key") is None,
               "kind": last.kind, "description": last.description}, sys.stdout)

asyncio.run(main())
"""

secret_service = pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is Linux's")


def run_with_secret_service(home: Path, start: str) -> dict[str, str]:
    """Run the child in its own D-Bus session, where the command `start` starts the keyring daemon; return its output.

    Needs the packages dbus and gnome-keyring.
    """
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    environment = {
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(runtime),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    (home / "child.py").write_text(CHILD)
    # The daemon briefly outlives the session's bus and would keep the pipes open.
    command = f"{start} >/dev/null 2>&1 && exec '{sys.executable}' '{home / 'child.py'}'"
    result = subprocess.run(
        ["dbus-run-session", "--", "bash", "-c", command],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    said: dict[str, str] = json.loads(result.stdout)
    return said


@secret_service
def test_the_real_secret_service_keeps_the_key(tmp_path: Path) -> None:
    unlock = "echo -n testpw | gnome-keyring-daemon --unlock --components=secrets"
    said = run_with_secret_service(tmp_path, unlock)
    assert said["kind"] == "keyring"
    assert "SecretService" in said["description"]
    assert said["found"] == said["key"]
    assert said["last"] == said["rotated"] != said["key"]
    assert said["forgotten"]
    # The daemon may still be ending, and remove its files.
    kept = b"".join(held for _, held in files_below(tmp_path))
    assert said["rotated"].encode() not in kept


@secret_service
def test_a_locked_secret_service_leaves_memory(tmp_path: Path) -> None:
    said = run_with_secret_service(tmp_path, "gnome-keyring-daemon --start --components=secrets")
    assert said["kind"] == "memory"
    assert "in memory only" in said["description"]
    assert len({said["key"], said["found"], said["last"]}) == 3


@pytest.mark.parametrize("text", ["x" * 1280, "x" * 1281, "x" * 20_000, "\N{GRINNING FACE}" * 3000, "ü" * 1200])
async def test_a_long_secret_is_split_and_joined(use: Use, tmp_path: Path, text: str) -> None:
    backend = Dictionary()
    use(backend)
    storage = KeyringStorage(tmp_path, entry_bytes=WINDOWS_BYTES)
    await storage.set("a", text)
    assert all(len(value.encode("utf-16-le")) <= WINDOWS_BYTES for value in backend.kept.values())
    assert (len(backend.kept) > 1) == (len(text.encode("utf-16-le")) > WINDOWS_BYTES)
    assert await KeyringStorage(tmp_path).get("a") == text
    for other in ("short", text[::-1], None):
        await storage.set("a", other)
        assert await storage.get("a") == other
    assert backend.kept == {}, "no part is left behind"


async def test_many_client_keys_fit_into_windows_keyring(use: Use, tmp_path: Path) -> None:
    backend = Dictionary()
    use(backend)
    store = KeyStore(KeyringStorage(tmp_path, entry_bytes=WINDOWS_BYTES))
    made = [await store.clients.add_key(f"key {number}", system="Be brief. " * 100) for number in range(20)]
    assert all(len(value.encode("utf-16-le")) <= WINDOWS_BYTES for value in backend.kept.values())
    again = KeyStore(KeyringStorage(tmp_path)).clients
    assert [await again.find_key(key) for _, key in made] == [entry for entry, _ in made]


async def test_a_reader_beside_a_writer_sees_the_old_or_the_new_secret(use: Use, tmp_path: Path) -> None:
    class Interrupted(Dictionary):
        """Reads as another process does between two writes of this one."""

        seen: ClassVar[set[str | None]] = set()

        def set_password(self, service: str, username: str, password: str) -> None:
            super().set_password(service, username, password)
            self.seen.add(read_long(_entries(self), "a"))

        def delete_password(self, service: str, username: str) -> None:
            super().delete_password(service, username)
            self.seen.add(read_long(_entries(self), "a"))

    backend = Interrupted()
    old, new = "o" * 5000, "n" * 5000
    for text in (old, new):
        write_long(_entries(backend), "a", text, max_bytes=WINDOWS_BYTES)
    assert backend.seen == {None, old, new}


def _entries(backend: KeyringBackend) -> Entries:
    class Plain:
        def read(self, name: str) -> str | None:
            return Dictionary.get_password(backend, "s", name)  # type: ignore[arg-type]

        def write(self, name: str, value: str) -> None:
            backend.set_password("s", name, value)

        def delete(self, name: str) -> None:
            backend.delete_password("s", name)

    return Plain()
