"""The API key of this server, and other secrets by name, wherever they are kept."""

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
KEY_PREFIX = "dgm-"
KEY_VARIABLE = "DRAGOMAN_API_KEY"

log = logging.getLogger(__name__)

KeyKind = Literal["keyring", "file", "memory", "environment"]


def new_api_key() -> str:
    """`dgm-` and 43 characters that go into URLs and headers as they are: 256 bits."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


class KeyStore:
    """The server's API key and other secrets. `fixed_key` is a key that the environment gives.

    Secrets are read once and then held, so that `matches` costs nothing.
    """

    def __init__(self, storage: SecretStorage, *, fixed_key: str | None = None) -> None:
        self._storage = storage
        self._fixed_key = fixed_key
        self._cache: dict[str, str | None] = {}
        # A keyring takes its time: two that ask for a key at the first start must not make two.
        self._lock = asyncio.Lock()

    @property
    def kind(self) -> KeyKind:
        """Where the API key is."""
        return "environment" if self._fixed_key is not None else self._storage.kind

    @property
    def description(self) -> str:
        """Where the API key is in words, as the end of "The API key is ..."."""
        if self._fixed_key is not None:
            return f"in the environment variable {KEY_VARIABLE}"
        return self._storage.description

    @property
    def short_description(self) -> str:
        """The same without advice, for a window, which has a button for what can be done."""
        return self.description.removesuffix(ADVICE)

    async def get_or_create(self) -> str:
        """The API key; at the first start it is made.

        A keyring that can be read but takes nothing is given up for memory. Raises SetupError if a file fails.
        """
        if self._fixed_key is not None:
            return self._fixed_key
        if key := self._cache.get(API_KEY):
            return key
        async with self._lock:
            return await self._read_secret(API_KEY) or await self._replace_key()

    async def rotate_key(self) -> str:
        """Make a new API key; the old one is worth nothing from now on in this process.

        Raises SetupError if the environment gives the key, or the new one cannot be kept.
        """
        if self._fixed_key is not None:
            hint = f"Change {KEY_VARIABLE}, or unset it to have a key created and stored."
            raise SetupError("The API key comes from the environment and cannot be replaced here.", hint=hint)
        async with self._lock:
            return await self._replace_key()

    def matches_key(self, candidate: str) -> bool:
        """Whether `candidate` is the API key, in constant time. Nothing is, before `get_or_create`."""
        key = self._fixed_key if self._fixed_key is not None else self._cache.get(API_KEY)
        # As bytes: compare_digest refuses texts beyond ASCII, and clients may send anything.
        given = candidate.encode("utf-8", "surrogatepass")
        return hmac.compare_digest(given, (key or "").encode()) and bool(key)

    async def get(self, name: str) -> str | None:
        """The secret of that name, such as `anthropic_api_key`, or None. Raises SetupError."""
        if name in self._cache:
            return self._cache[name]
        async with self._lock:
            return await self._read_secret(name)

    def cached(self, name: str) -> str | None:
        """The secret of that name as it was last read or kept, without looking; None before the first look."""
        return self._cache.get(name)

    async def set(self, name: str, value: str | None) -> None:
        """Keep a secret; None forgets it. Raises SetupError if it cannot be kept, and then keeps the old one."""
        async with self._lock:
            await self._write_secret(name, value)

    async def move_to(
        self, storage: SecretStorage, names: Iterable[str] = (API_KEY, ANTHROPIC_API_KEY)
    ) -> "SecretMove":
        """Have the secrets of these names in another place from now on; `Move.finish` forgets them in the old one.

        What the other place has and this one has not is found there; so it is with what is in memory only, which the
        next start would not have had. Raises SetupError if the other place does not take them; all is as before then.
        """
        async with self._lock:
            ours = {name: await self._read_secret(name) for name in names}
            theirs = {name: await storage.get(name) for name in ours}
            weak = self._storage.kind == "memory"
            kept = {name: (theirs[name] if weak else ours[name]) or ours[name] or theirs[name] for name in ours}
            move = SecretMove(self, self._storage, storage, dict(self._cache), theirs)
            try:
                for name, value in kept.items():
                    if value != theirs[name]:
                        await storage.set(name, value)
            except BaseException:
                await move.clean_up()
                raise
            self.switch_storage(storage, kept)
        return move

    def switch_storage(self, storage: SecretStorage, held: Mapping[str, str | None]) -> None:
        """Have secrets in `storage` from now on, of which these are known. Nothing is read or written."""
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
    """A move of secrets that can be undone until it is finished: both places have them meanwhile.

    Whoever notes down where they are does so in between. If the program is killed there, nothing is lost.
    """

    store: KeyStore
    old: SecretStorage
    new: SecretStorage
    cached: Mapping[str, str | None]
    """What was known of the old place."""
    replaced: Mapping[str, str | None]
    """What was in the new place before."""

    async def complete_move(self) -> None:
        """Forget the secrets in the old place. What cannot be removed is logged."""
        await _restore_secrets(self.old, dict.fromkeys(self.replaced))

    async def undo_move(self) -> None:
        """Use the old place again, and leave the new one as it was."""
        self.store.switch_storage(self.old, self.cached)
        await self.clean_up()

    async def clean_up(self) -> None:
        """Put back what the new place had."""
        await _restore_secrets(self.new, self.replaced)


async def _restore_secrets(storage: SecretStorage, secrets: Mapping[str, str | None]) -> None:
    for name, value in secrets.items():
        try:
            if await storage.get(name) != value:
                await storage.set(name, value)
        except SetupError as error:
            log.warning("a secret could not be removed from where it was before: %s", error)
