"""The API key of this server, and other secrets by name, wherever they are kept."""

import hmac
import logging
import secrets
from collections.abc import Iterable
from typing import Literal

from server.errors import KeyringUnavailable, SetupError
from server.secrets.anthropic_key import ANTHROPIC_API_KEY
from server.secrets.vaults import MemoryVault, Vault

API_KEY = "api_key"
KEY_PREFIX = "cct-"
KEY_VARIABLE = "CLAUDE_CODE_TRAY_API_KEY"

log = logging.getLogger(__name__)

KeyKind = Literal["keyring", "file", "memory", "environment"]


def new_api_key() -> str:
    """`cct-` and 43 characters that go into URLs and headers as they are: 256 bits."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


class KeyStore:
    """The server's API key and other secrets. `fixed_key` is a key that the environment gives.

    Secrets are read once and then held, so that `matches` costs nothing.
    """

    def __init__(self, vault: Vault, *, fixed_key: str | None = None) -> None:
        self._vault = vault
        self._fixed_key = fixed_key
        self._held: dict[str, str | None] = {}

    @property
    def kind(self) -> KeyKind:
        """Where the API key is."""
        return "environment" if self._fixed_key is not None else self._vault.kind

    @property
    def description(self) -> str:
        """Where the API key is in words, as the end of "The API key is ..."."""
        if self._fixed_key is not None:
            return f"from the environment ({KEY_VARIABLE})"
        return self._vault.description

    async def get_or_create(self) -> str:
        """The API key; at the first start it is made.

        A keyring that can be read but takes nothing is given up for memory. Raises SetupError if a file fails.
        """
        if self._fixed_key is not None:
            return self._fixed_key
        key = await self.get(API_KEY)
        return key if key else await self._replace_key()

    async def rotate(self) -> str:
        """Make a new API key; the old one is worth nothing from now on in this process.

        Raises SetupError if the environment gives the key, or the new one cannot be kept.
        """
        if self._fixed_key is not None:
            hint = f"Change {KEY_VARIABLE}, or unset it to have a key made and kept."
            raise SetupError("The API key comes from the environment and cannot be replaced here.", hint=hint)
        return await self._replace_key()

    def matches(self, candidate: str) -> bool:
        """Whether `candidate` is the API key, in constant time. Nothing is, before `get_or_create`."""
        key = self._fixed_key if self._fixed_key is not None else self._held.get(API_KEY)
        # As bytes: compare_digest refuses texts beyond ASCII, and clients may send anything.
        given = candidate.encode("utf-8", "surrogatepass")
        return hmac.compare_digest(given, (key or "").encode()) and bool(key)

    async def get(self, name: str) -> str | None:
        """The secret of that name, such as `anthropic_api_key`, or None. Raises SetupError."""
        if name not in self._held:
            self._held[name] = await self._vault.get(name)
        return self._held[name]

    def held(self, name: str) -> str | None:
        """The secret of that name as it was last read or kept, without looking; None before the first look."""
        return self._held.get(name)

    async def set(self, name: str, value: str | None) -> None:
        """Keep a secret; None forgets it. Raises SetupError if it cannot be kept, and then keeps the old one."""
        await self._vault.set(name, value)
        self._held[name] = value

    async def move(self, vault: Vault, names: Iterable[str] = (API_KEY, ANTHROPIC_API_KEY)) -> None:
        """Keep the secrets of these names in another place from now on, and forget them in the old one.

        Raises SetupError if the new place does not take them; the old one is used as before then.
        """
        kept = {name: await self.get(name) for name in names}
        for name, value in kept.items():
            await vault.set(name, value)
        old, self._vault = self._vault, vault
        for name in kept:
            try:
                await old.set(name, None)
            except SetupError as error:
                log.warning("a secret could not be removed from where it was before: %s", error)

    async def _replace_key(self) -> str:
        key = new_api_key()
        try:
            await self.set(API_KEY, key)
        except KeyringUnavailable as error:
            if self._held.get(API_KEY):
                raise
            self._vault = MemoryVault(reason=error.message.rstrip("."))
            await self.set(API_KEY, key)
        return key
