"""Secrets: this server's API key and the user's Anthropic API key. The settings file never holds them.

`open_key_store(settings)` opens the storage that the settings name, or memory if the system keyring does not work.
`KeyStore.description` tells the user where the secrets are.
"""

from server.secrets.key_store import API_KEY, KeyStore
from server.secrets.opening import open_key_store, open_storage
from server.secrets.storage import SecretStorage

__all__ = ["API_KEY", "KeyStore", "SecretStorage", "open_key_store", "open_storage"]
