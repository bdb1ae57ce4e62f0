"""Secrets: this server's API key, and others' keys that the user entrusts to it. They never go to the settings file.

`open_key_store(settings)` opens the place that the settings name, or memory where no system keyring works;
`KeyStore.description` says in words where the secrets are.
"""

from server.secrets.key_store import API_KEY, KeyStore
from server.secrets.opening import open_key_store, open_storage
from server.secrets.storage import SecretStorage

__all__ = ["API_KEY", "KeyStore", "SecretStorage", "open_key_store", "open_storage"]
