"""The store of secrets: this server's API key, and other secrets by name."""

import asyncio
import hmac
import logging
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from server.core.errors import KeyringUnavailable, SetupError
from server.secrets.anthropic_key import ANTHROPIC_API_KEY
from server.secrets.storage import ADVICE, MemoryStorage, SecretStorage

API_KEY = "api_key"
SEALING_KEY = "sealing_key"
"""The name of the key that seals what clients keep for the server."""
KEY_PREFIX = "dgm-"
KEY_VARIABLE = "DRAGOMAN_API_KEY"

log = logging.getLogger(__name__)

KeyKind = Literal["keyring", "file", "memory", "environment"]


def new_api_key() -> str:
    """Create a key: `dgm-` and 43 characters (256 bits) that need no escaping in URLs and headers."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


class KeyStore:
    """The server's API key and other secrets. `fixed_key` is an API key from the environment.

    Secrets are read once and then cached, so that `matches_key` needs no I/O.
    """

    def __init__(self, storage: SecretStorage, *, fixed_key: str | None = None) -> None:
        self._storage = storage
        self._fixed_key = fixed_key
        self._cache: dict[str, str | None] = {}
        # A keyring is slow: two calls at the first start must not create two keys.
        self._lock = asyncio.Lock()

    @property
    def kind(self) -> KeyKind:
        """The kind of storage that holds the API key."""
        return "environment" if self._fixed_key is not None else self._storage.kind

    @property
    def description(self) -> str:
        """The place of the API key, as the end of "The API key is ..."."""
        if self._fixed_key is not None:
            return f"in the environment variable {KEY_VARIABLE}"
        return self._storage.description

    @property
    def short_description(self) -> str:
        """`description` without advice, for the window, which has a button instead."""
        return self.description.removesuffix(ADVICE)

    def fell_back_to_memory(self, key_storage: str) -> bool:
        """Whether the API key is in memory although the setting `key_storage` names another storage."""
        return self.kind == "memory" and key_storage != "memory"

    async def get_or_create(self) -> str:
        """Return the API key, creating it at the first start.

        If a keyring can be read but not written, memory replaces it. Raises SetupError if a file fails.
        """
        if self._fixed_key is not None:
            return self._fixed_key
        if key := self._cache.get(API_KEY):
            return key
        async with self._lock:
            return await self._read_secret(API_KEY) or await self._replace_key()

    async def get_or_create_sealing_key(self) -> bytes:
        """Return the sealing key, creating it at the first start. Raises SetupError if the storage fails."""
        async with self._lock:
            stored = await self._read_secret(SEALING_KEY)
            if not stored:
                stored = secrets.token_hex(32)
                await self._write_secret(SEALING_KEY, stored)
        return stored.encode()

    async def rotate_key(self) -> str:
        """Replace the API key; this process no longer accepts the old one.

        Raises SetupError if the key comes from the environment, or the new one cannot be stored.
        """
        if self._fixed_key is not None:
            hint = f"Change {KEY_VARIABLE}, or unset it to have a key created and stored."
            raise SetupError("The API key comes from the environment and cannot be replaced here.", hint=hint)
        async with self._lock:
            return await self._replace_key()

    def matches_key(self, candidate: str) -> bool:
        """Whether `candidate` is the API key, in constant time. Always false before `get_or_create`."""
        key = self._fixed_key if self._fixed_key is not None else self._cache.get(API_KEY)
        # As bytes: compare_digest rejects non-ASCII strings, which clients may send.
        given = candidate.encode("utf-8", "surrogatepass")
        return hmac.compare_digest(given, (key or "").encode()) and bool(key)

    async def get(self, name: str) -> str | None:
        """Return the secret of that name, such as `anthropic_api_key`, or None. Raises SetupError."""
        if name in self._cache:
            return self._cache[name]
        async with self._lock:
            return await self._read_secret(name)

    def cached(self, name: str) -> str | None:
        """The secret of that name as last read or written, without I/O; None if it was not read yet."""
        return self._cache.get(name)

    async def set(self, name: str, value: str | None) -> None:
        """Store a secret; None removes it. Raises SetupError if that fails; the old one stays then."""
        async with self._lock:
            await self._write_secret(name, value)

    async def move_to(
        self, storage: SecretStorage, names: Iterable[str] = (API_KEY, ANTHROPIC_API_KEY, SEALING_KEY)
    ) -> "SecretMove":
        """Move the secrets of these names to another storage; `SecretMove.complete_move` removes them from the old one.

        A secret that the other storage already has takes precedence over one that is missing here or in memory only:
        a secret in memory would be lost at the next start. Raises SetupError if the other storage cannot be written;
        nothing has changed then.
        """
        async with self._lock:
            own = {name: await self._read_secret(name) for name in names}
            others = {name: await storage.get(name) for name in own}
            temporary = self._storage.kind == "memory"
            kept = {name: (others[name] if temporary else own[name]) or own[name] or others[name] for name in own}
            move = SecretMove(self, self._storage, storage, dict(self._cache), others)
            try:
                for name, value in kept.items():
                    if value != others[name]:
                        await storage.set(name, value)
            except BaseException:
                await move.clean_up()
                raise
            self.switch_storage(storage, kept)
        return move

    def switch_storage(self, storage: SecretStorage, held: Mapping[str, str | None]) -> None:
        """Use `storage`, with these cached secrets. Reads and writes nothing."""
        self._storage, self._cache = storage, dict(held)

    async def _read_secret(self, name: str) -> str | None:
        if name not in self._cache:
            self._cache[name] = await self._storage.get(name)
        return self._cache[name]

    async def _write_secret(self, name: str, value: str | None) -> None:
        await self._storage.set(name, value)
        self._cache[name] = value

    async def _replace_key(self) -> str:
        key = new_api_key()
        try:
            await self._write_secret(API_KEY, key)
        except KeyringUnavailable as error:
            if self._cache.get(API_KEY):
                raise
            self._storage = MemoryStorage(reason=error.message.rstrip("."))
            await self._write_secret(API_KEY, key)
        return key


@dataclass(frozen=True, slots=True)
class SecretMove:
    """A move of secrets that can be undone until it is complete. Both storages have them until then.

    The settings file is written in between, so that a program killed at that moment loses nothing.
    """

    store: KeyStore
    old: SecretStorage
    new: SecretStorage
    cached: Mapping[str, str | None]
    """The cached secrets of the old storage."""
    replaced: Mapping[str, str | None]
    """The secrets that the new storage had before."""

    async def complete_move(self) -> None:
        """Remove the secrets from the old storage. Failures are logged."""
        await _restore_secrets(self.old, dict.fromkeys(self.replaced))

    async def undo_move(self) -> None:
        """Use the old storage again, and restore the new one."""
        self.store.switch_storage(self.old, self.cached)
        await self.clean_up()

    async def clean_up(self) -> None:
        """Restore the new storage as it was before the move."""
        await _restore_secrets(self.new, self.replaced)


async def _restore_secrets(storage: SecretStorage, secrets: Mapping[str, str | None]) -> None:
    for name, value in secrets.items():
        try:
            if await storage.get(name) != value:
                await storage.set(name, value)
        except SetupError as error:
            log.warning("a secret could not be removed from its former storage: %s", error)
