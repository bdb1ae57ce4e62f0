"""The system's keyring: Secret Service or KWallet on Linux, Keychain on macOS, Credential Manager on Windows."""

import asyncio
import contextlib
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import keyring
import keyring.backend
import keyring.errors

from server.config.paths import APP_NAME, default_data_dir
from server.core.errors import KeyringUnavailable
from server.secrets.long_secrets import WINDOWS_BYTES, delete_long, read_long, write_long
from server.secrets.storage import KEYRING_SECONDS, StorageKind

T = TypeVar("T")

NO_BACKENDS = ("keyring.backends.fail", "keyring.backends.null")
"""Backends that store nothing: one rejects every call, the other ignores it."""
BUS_SECONDS = 60.0
"""How long a busy message bus may take to accept a connection."""


class KeyringStorage:
    """Keeps secrets in the system keyring. Every call raises KeyringUnavailable if that fails.

    A locked keyring may wait for a password dialog that nobody sees, so each call runs in its own thread and fails
    after `timeout` seconds. Secrets of more than `entry_bytes` are split over several entries; None: never.
    """

    kind: StorageKind = "keyring"

    def __init__(
        self,
        data_dir: Path,
        *,
        timeout: float = KEYRING_SECONDS,
        service: str = APP_NAME,
        entry_bytes: int | None = WINDOWS_BYTES if sys.platform == "win32" else None,
    ) -> None:
        self._data_dir = data_dir
        self._service = service
        self._timeout = timeout
        self._entry_bytes = entry_bytes
        self.description = "in the system keyring"

    async def get(self, name: str) -> str | None:
        return await self._call_backend(lambda backend: read_long(self._entries(backend), name))

    async def set(self, name: str, value: str | None) -> None:
        await self._call_backend(lambda backend: self._write_secret(self._entries(backend), name, value))

    def _write_secret(self, entries: "_BackendEntries", name: str, value: str | None) -> None:
        if value is None:
            delete_long(entries, name)
        elif self._entry_bytes is None:
            entries.write(name, value)
        else:
            write_long(entries, name, value, max_bytes=self._entry_bytes)

    def _entries(self, backend: keyring.backend.KeyringBackend) -> "_BackendEntries":
        return _BackendEntries(backend, self._service, self._user_name)

    def _user_name(self, name: str) -> str:
        """The entry's user name. Servers with another data directory have their own keys."""
        return name if self._data_dir == default_data_dir() else f"{name}@{self._data_dir}"

    async def _call_backend(self, work: Callable[[keyring.backend.KeyringBackend], T]) -> T:
        try:
            return await in_daemon_thread(lambda: work(self._find_backend()), self._timeout)
        except TimeoutError as error:
            # A TimeoutError of the backend itself has a text.
            reason = str(error) or f"it did not answer within {self._timeout:g} seconds; it may be locked"
        except keyring.errors.KeyringLocked as error:
            reason = f"it is locked: {error}"
        except KeyringUnavailable:
            raise
        except Exception as error:  # backends raise the errors of the system libraries unchanged
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise KeyringUnavailable(f"The system keyring cannot be used: {reason}.", hint=HINT)

    def _find_backend(self) -> keyring.backend.KeyringBackend:
        _extend_bus_timeout()
        backend = keyring.get_keyring()
        if type(backend).__module__ in NO_BACKENDS:
            raise KeyringUnavailable("No system keyring is available.", hint=HINT)
        self.description = f"in the system keyring ({backend.name})"
        return backend


@dataclass(frozen=True, slots=True)
class _BackendEntries:
    """The entries of this program in a keyring."""

    backend: keyring.backend.KeyringBackend
    service: str
    user_name: Callable[[str], str]

    def read(self, name: str) -> str | None:
        return self.backend.get_password(self.service, self.user_name(name))

    def write(self, name: str, value: str) -> None:
        self.backend.set_password(self.service, self.user_name(name), value)

    def delete(self, name: str) -> None:
        if self.read(name) is not None:
            self.backend.delete_password(self.service, self.user_name(name))


HINT = 'Unlock or install one, or set key_storage = "file".'


def _extend_bus_timeout() -> None:
    """Extend SecretStorage's one second for connecting to the bus on Linux; keyring never tries again."""
    try:
        storage: Any = importlib.import_module("secretstorage")
        connect = importlib.import_module("jeepney.io.blocking").open_dbus_connection
    except ImportError:
        return
    if hasattr(storage, "open_dbus_connection"):
        storage.open_dbus_connection = partial(connect, auth_timeout=BUS_SECONDS)


async def in_daemon_thread(work: Callable[[], T], seconds: float) -> T:
    """Run `work` in a daemon thread. Raises TimeoutError, and what it raises.

    asyncio.to_thread will not do: the program cannot end while one of its threads hangs in a dialog.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def deliver(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)  # type: ignore[arg-type]
        else:
            future.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:
            error = raised
        # The loop may have been closed before this call returned.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(deliver, result, error)

    Thread(target=run, name="keyring", daemon=True).start()
    async with asyncio.timeout(seconds):
        return await future
