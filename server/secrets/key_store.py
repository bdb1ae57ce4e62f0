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
from server.secrets.vaults import ADVICE, MemoryVault, Vault

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

    def __init__(self, vault: Vault, *, fixed_key: str | None = None) -> None:
        self._vault = vault
        self._fixed_key = fixed_key
        self._held: dict[str, str | None] = {}
        # A keyring takes its time: two that ask for a key at the first start must not make two.
        self._lock = asyncio.Lock()

    @property
    def kind(self) -> KeyKind:
        """Where the API key is."""
        return "environment" if self._fixed_key is not None else self._vault.kind

    @property
    def description(self) -> str:
        """Where the API key is in words, as the end of "The API key is ..."."""
        if self._fixed_key is not None:
            return f"in the environment variable {KEY_VARIABLE}"
        return self._vault.description

    @property
    def place(self) -> str:
        """The same without advice, for a window, which has a button for what can be done."""
        return self.description.removesuffix(ADVICE)

    async def get_or_create(self) -> str:
        """The API key; at the first start it is made.

        A keyring that can be read but takes nothing is given up for memory. Raises SetupError if a file fails.
        """
        if self._fixed_key is not None:
            return self._fixed_key
        if key := self._held.get(API_KEY):
            return key
        async with self._lock:
            return await self._get(API_KEY) or await self._replace_key()

    async def rotate(self) -> str:
        """Make a new API key; the old one is worth nothing from now on in this process.

        Raises SetupError if the environment gives the key, or the new one cannot be kept.
        """
        if self._fixed_key is not None:
            hint = f"Change {KEY_VARIABLE}, or unset it to have a key created and stored."
            raise SetupError("The API key comes from the environment and cannot be replaced here.", hint=hint)
        async with self._lock:
            return await self._replace_key()

    def matches(self, candidate: str) -> bool:
        """Whether `candidate` is the API key, in constant time. Nothing is, before `get_or_create`."""
        key = self._fixed_key if self._fixed_key is not None else self._held.get(API_KEY)
        # As bytes: compare_digest refuses texts beyond ASCII, and clients may send anything.
        given = candidate.encode("utf-8", "surrogatepass")
        return hmac.compare_digest(given, (key or "").encode()) and bool(key)

    async def get(self, name: str) -> str | None:
        """The secret of that name, such as `anthropic_api_key`, or None. Raises SetupError."""
        if name in self._held:
            return self._held[name]
        async with self._lock:
            return await self._get(name)

    def held(self, name: str) -> str | None:
        """The secret of that name as it was last read or kept, without looking; None before the first look."""
        return self._held.get(name)

    async def set(self, name: str, value: str | None) -> None:
        """Keep a secret; None forgets it. Raises SetupError if it cannot be kept, and then keeps the old one."""
        async with self._lock:
            await self._set(name, value)

    async def move(self, vault: Vault, names: Iterable[str] = (API_KEY, ANTHROPIC_API_KEY)) -> "Move":
        """Have the secrets of these names in another place from now on; `Move.finish` forgets them in the old one.

        What the other place has and this one has not is found there; so it is with what is in memory only, which the
        next start would not have had. Raises SetupError if the other place does not take them; all is as before then.
        """
        async with self._lock:
            ours = {name: await self._get(name) for name in names}
            theirs = {name: await vault.get(name) for name in ours}
            weak = self._vault.kind == "memory"
            kept = {name: (theirs[name] if weak else ours[name]) or ours[name] or theirs[name] for name in ours}
            move = Move(self, self._vault, vault, dict(self._held), theirs)
            try:
                for name, value in kept.items():
                    if value != theirs[name]:
                        await vault.set(name, value)
            except BaseException:
                await move.clean_up()
                raise
            self.use(vault, kept)
        return move

    def use(self, vault: Vault, held: Mapping[str, str | None]) -> None:
        """Have secrets in `vault` from now on, of which these are known. Nothing is read or written."""
        self._vault, self._held = vault, dict(held)

    async def _get(self, name: str) -> str | None:
        if name not in self._held:
            self._held[name] = await self._vault.get(name)
        return self._held[name]

    async def _set(self, name: str, value: str | None) -> None:
        await self._vault.set(name, value)
        self._held[name] = value

    async def _replace_key(self) -> str:
        key = new_api_key()
        try:
            await self._set(API_KEY, key)
        except KeyringUnavailable as error:
            if self._held.get(API_KEY):
                raise
            self._vault = MemoryVault(reason=error.message.rstrip("."))
            await self._set(API_KEY, key)
        return key


@dataclass(frozen=True, slots=True)
class Move:
    """A move of secrets that can be undone until it is finished: both places have them meanwhile.

    Whoever notes down where they are does so in between. If the program is killed there, nothing is lost.
    """

    store: KeyStore
    old: Vault
    new: Vault
    held: Mapping[str, str | None]
    """What was known of the old place."""
    replaced: Mapping[str, str | None]
    """What was in the new place before."""

    async def finish(self) -> None:
        """Forget the secrets in the old place. What cannot be removed is logged."""
        await _put(self.old, dict.fromkeys(self.replaced))

    async def undo(self) -> None:
        """Use the old place again, and leave the new one as it was."""
        self.store.use(self.old, self.held)
        await self.clean_up()

    async def clean_up(self) -> None:
        """Put back what the new place had."""
        await _put(self.new, self.replaced)


async def _put(vault: Vault, secrets: Mapping[str, str | None]) -> None:
    for name, value in secrets.items():
        try:
            if await vault.get(name) != value:
                await vault.set(name, value)
        except SetupError as error:
            log.warning("a secret could not be removed from where it was before: %s", error)
