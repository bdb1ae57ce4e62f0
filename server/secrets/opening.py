"""Choice of the storage for secrets: the one that the settings name, or memory if no system keyring works."""

import logging
import os

from server.config.former_name import FORMER_APP_NAME, copy_secrets
from server.config.settings import Settings
from server.core.errors import KeyringUnavailable, SettingsInvalid
from server.secrets.anthropic_key import ANTHROPIC_API_KEY
from server.secrets.key_store import API_KEY, KEY_VARIABLE, KeyStore
from server.secrets.storage import KEYRING_SECONDS, FileStorage, MemoryStorage, SecretStorage

log = logging.getLogger(__name__)


async def open_key_store(settings: Settings, *, keyring_seconds: float = KEYRING_SECONDS) -> KeyStore:
    """Open the store of secrets that `settings.key_storage` names; its `kind` tells whether it is memory instead.

    A system keyring has `keyring_seconds` to answer, since a locked one asks the user for a password. Raises
    SettingsInvalid if the environment has a key that cannot be sent in a header.
    """
    fixed_key = key_from_environment()
    storage = await open_storage(settings, keyring_seconds=keyring_seconds)
    return KeyStore(storage, fixed_key=fixed_key, directory=settings.data_dir)


def key_from_environment() -> str | None:
    """Read the API key from the environment, if any. Raises SettingsInvalid if it cannot be sent in a header."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if key and (not key.isascii() or not key.isprintable() or " " in key):
        raise SettingsInvalid(
            f"The API key in {KEY_VARIABLE} cannot be sent in an HTTP header.",
            name=API_KEY,
            source=KEY_VARIABLE,
            hint="Use only ASCII letters, digits and punctuation, without spaces.",
        )
    return key or None


async def open_storage(
    settings: Settings, *, keyring_seconds: float = KEYRING_SECONDS, or_memory: bool = True
) -> SecretStorage:
    """Open the storage that `settings.key_storage` names, or memory if the system keyring does not work.

    Raises KeyringUnavailable instead if `or_memory` is false.
    """
    if settings.key_storage == "file":
        return FileStorage(settings.data_dir)
    if settings.key_storage == "memory":
        return MemoryStorage()
    # Importing keyring and its backends is slow, and other storages do not need it.
    from server.secrets.system_keyring import KeyringStorage

    storage = KeyringStorage(settings.data_dir, timeout=keyring_seconds)
    former = KeyringStorage(settings.data_dir, timeout=keyring_seconds, service=FORMER_APP_NAME)
    try:
        await copy_secrets(storage, former, (API_KEY, ANTHROPIC_API_KEY))
    except KeyringUnavailable as error:
        if not or_memory:
            raise
        log.warning("secrets are kept in memory only: %s", error.message)
        return MemoryStorage(reason=error.message.rstrip("."))
    return storage
