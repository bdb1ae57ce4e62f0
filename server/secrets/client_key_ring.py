"""The client keys: stored as one secret beside the API key, looked up by digest, changed while the server runs.

Another process (`dragoman key add`) may change them too. A keyring reports no changes, and reading one for each request
would be slow. So each change also rewrites a small file, `client-keys.revision`, whose time of change is compared at
each lookup: one `stat` call.
"""

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from filelock import AsyncFileLock, Timeout

from server.config.paths import make_private_dir, write_private
from server.core.errors import SetupError
from server.secrets.client_keys import (
    MAX_REVOKED,
    ClientKey,
    digest_of,
    dump_keys,
    load_keys,
    make_client_key,
    with_rules,
)

CLIENT_KEYS = "client_keys"
"""Their name among the secrets."""
REVISION_FILE = "client-keys.revision"
"""Name in the data directory. It holds no secret."""
LOCK_SECONDS = 20.0
FAILURE_SECONDS = 5.0
"""How long a failed read counts: a keyring that does not answer takes 10 s for each attempt."""

Revision = tuple[int, int] | None


class Secrets(Protocol):
    """The access to secrets that the client keys need."""

    async def read_again(self, name: str) -> str | None: ...

    async def set(self, name: str, value: str | None) -> None: ...


class ClientKeyRing:
    """The client keys of one data directory; without a directory, those of this process alone.

    Every method raises SetupError if the secrets cannot be read or written.
    """

    def __init__(
        self,
        secrets: Secrets,
        directory: Path | None,
        *,
        new_key: Callable[[], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._secrets = secrets
        self._directory = directory
        self._new_key = new_key
        self._clock = clock
        self._keys: tuple[ClientKey, ...] | None = None
        self._by_digest: dict[str, ClientKey] = {}
        self._revision: Revision = None
        """The revision that was read. It is taken before the secret: a change during the read leads to another one."""
        self._failure: tuple[float, SetupError] | None = None
        # Two lookups after one change read the keyring once, and a change must not be lost to a concurrent one.
        self._lock = asyncio.Lock()

    async def list_keys(self) -> list[ClientKey]:
        """The keys that are not revoked, by name; expired ones included."""
        await self._refresh()
        return sorted(_in_use(self._keys or ()), key=lambda key: key.name.casefold())

    async def find_key(self, candidate: str) -> ClientKey | None:
        """The entry of a key as a client sent it, even if it is revoked or has expired."""
        await self._refresh()
        # The lookup's time depends on the digest alone, which a guess does not steer.
        return self._by_digest.get(digest_of(candidate))

    async def add_key(self, name: str, **rules: Any) -> tuple[ClientKey, str]:
        """Make a key; returns its entry and the key itself, which is stored nowhere.

        Raises SetupError if the name is taken or a rule is invalid.
        """
        key = self._new_key()
        entry = make_client_key(name, key, now=self._clock(), **rules)
        async with self._changing() as keys:
            _refuse_taken_name(entry.name, keys)
            keys.append(entry)
        return entry, key

    async def change_key(self, key_id: str, **rules: Any) -> ClientKey:
        """Change the rules of a key; they apply from the next request on."""
        async with self._changing() as keys:
            index = _index_of(key_id, keys)
            keys[index] = with_rules(keys[index], **rules)
            return keys[index]

    async def revoke_key(self, key_id: str) -> ClientKey:
        """Refuse the key from now on. Running requests finish."""
        return await self.change_key(key_id, revoked_at=self._clock())

    async def restore_key(self, key_id: str) -> ClientKey:
        """Undo `revoke_key`. Raises SetupError if the name has been given to another key."""
        async with self._changing() as keys:
            index = _index_of(key_id, keys)
            _refuse_taken_name(keys[index].name, keys)
            keys[index] = with_rules(keys[index], revoked_at=None)
            return keys[index]

    def forget_read(self) -> None:
        """Read again at the next use, because the secrets have moved."""
        self._keys, self._failure = None, None

    async def _refresh(self) -> None:
        if self._is_current():
            return
        async with self._lock:
            if not self._is_current():
                await self._read_keys()

    def _is_current(self) -> bool:
        return self._keys is not None and self._revision == self._read_revision()

    async def _read_keys(self) -> None:
        if self._failure is not None and self._clock() - self._failure[0] < FAILURE_SECONDS:
            raise self._failure[1]
        revision = self._read_revision()
        try:
            keys = load_keys(await self._secrets.read_again(CLIENT_KEYS))
        except SetupError as error:
            # Not the old keys: one of them may have been revoked.
            self._keys, self._failure = None, (self._clock(), error)
            raise
        self._use_keys(keys, revision)

    def _use_keys(self, keys: Iterable[ClientKey], revision: Revision) -> None:
        self._keys, self._revision, self._failure = tuple(keys), revision, None
        self._by_digest = {key.digest: key for key in self._keys}

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[list[ClientKey]]:
        """The stored keys, to be changed and written back; nothing is written after an error."""
        async with self._lock, self._locked_file():
            keys = load_keys(await self._secrets.read_again(CLIENT_KEYS))
            yield keys
            kept = _without_old_revoked(keys)
            await self._secrets.set(CLIENT_KEYS, dump_keys(kept) if kept else None)
            await asyncio.to_thread(self._write_revision)
            self._use_keys(kept, self._read_revision())

    @asynccontextmanager
    async def _locked_file(self) -> AsyncIterator[None]:
        """The lock against another process that changes the keys at the same moment."""
        if self._directory is None:
            yield
            return
        path = self._directory / f"{REVISION_FILE}.lock"
        try:
            await asyncio.to_thread(make_private_dir, self._directory)
            lock = AsyncFileLock(path, timeout=LOCK_SECONDS)
            await lock.acquire()
        except (OSError, Timeout) as error:
            hint = "Check that the folder can be written, then try again."
            raise SetupError(f"The client keys cannot be changed: {path} cannot be locked.", hint=hint) from error
        try:
            yield
        finally:
            await lock.release()

    def _read_revision(self) -> Revision:
        if self._directory is None:
            return None
        try:
            status = os.stat(self._directory / REVISION_FILE)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino

    def _write_revision(self) -> None:
        if self._directory is None:
            return
        path = self._directory / REVISION_FILE
        try:
            write_private(path, uuid.uuid4().hex.encode())
        except OSError as error:
            hint = "Restart a running server, so that it reads the keys again."
            raise SetupError(
                f"The client keys are changed, but {path} cannot be written: {error.strerror or error}.", hint=hint
            ) from error


def _in_use(keys: Iterable[ClientKey]) -> list[ClientKey]:
    return [key for key in keys if key.revoked_at is None]


def _index_of(key_id: str, keys: list[ClientKey]) -> int:
    for index, key in enumerate(keys):
        if key.id == key_id:
            return index
    raise SetupError("This client key no longer exists.", hint="Another program may have removed it.")


def _refuse_taken_name(name: str, keys: list[ClientKey]) -> None:
    if any(key.name.casefold() == name.casefold() for key in _in_use(keys)):
        raise SetupError(
            f"There is a client key named '{name}' already.", hint="Choose another name, or revoke that key first."
        )


def _without_old_revoked(keys: list[ClientKey]) -> list[ClientKey]:
    revoked = sorted((key for key in keys if key.revoked_at is not None), key=lambda key: key.revoked_at or 0.0)
    dropped = {key.id for key in revoked[:-MAX_REVOKED]}
    return [key for key in keys if key.id not in dropped]
