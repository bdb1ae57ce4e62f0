"""Storages for secrets: a file, and memory. The system keyring is in `server.secrets.system_keyring`."""

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Literal, Protocol

from server.config.paths import write_private
from server.core.errors import SetupError

StorageKind = Literal["keyring", "file", "memory"]
SECRETS_FILE = "secrets.json"
ADVICE = (
    "; to keep it in a file that only you can read, "
    'set key_storage = "file" in settings.toml (`doctor` says where that is)'
)
"""Advice for users of the terminal."""
KEYRING_SECONDS = 10.0
"""How long the system keyring may take to answer without a user who unlocks it."""

log = logging.getLogger(__name__)


class SecretStorage(Protocol):
    """A storage for secrets. `description` says where it is, as the end of "The key is ...".

    Both calls raise SetupError if the storage cannot be read or written.
    """

    kind: StorageKind
    description: str

    async def get(self, name: str) -> str | None:
        """Return the secret of that name, or None."""
        ...

    async def set(self, name: str, value: str | None) -> None:
        """Store a secret; None removes it."""
        ...


class MemoryStorage:
    """Keeps secrets until the program ends. `reason` is why no permanent storage could be used, if so."""

    kind: StorageKind = "memory"

    def __init__(self, reason: str = "") -> None:
        self._secrets: dict[str, str] = {}
        self.description = "in memory only and will change at the next start"
        if reason:
            self.description += f": {reason[:1].lower()}{reason[1:]}{ADVICE}"

    async def get(self, name: str) -> str | None:
        return self._secrets.get(name)

    async def set(self, name: str, value: str | None) -> None:
        if value is None:
            self._secrets.pop(name, None)
        else:
            self._secrets[name] = value


class FileStorage:
    """Keeps secrets in `<data_dir>/secrets.json`, which only the user can read."""

    kind: StorageKind = "file"

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / SECRETS_FILE
        self.description = f"in the file {self._path}, which only you can read"
        self._lock = asyncio.Lock()

    async def get(self, name: str) -> str | None:
        async with self._lock:
            return (await asyncio.to_thread(self._read_secrets)).get(name)

    async def set(self, name: str, value: str | None) -> None:
        async with self._lock:
            await asyncio.to_thread(self._replace_secret, name, value)

    def _replace_secret(self, name: str, value: str | None) -> None:
        secrets = {key: kept for key, kept in self._read_secrets().items() if key != name}
        if value is not None:
            secrets[name] = value
        try:
            write_private(self._path, json.dumps(secrets, indent=2).encode())
        except OSError as error:
            raise self._file_error(f"cannot be written: {error.strerror or error}") from error

    def _read_secrets(self) -> dict[str, str]:
        try:
            self._make_private()
            secrets = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._file_error(f"cannot be read: {error.strerror or error}") from error
        except ValueError:
            raise self._file_error("is damaged: it is not valid JSON") from None
        if not isinstance(secrets, dict) or not all(isinstance(value, str) for value in secrets.values()):
            raise self._file_error("is damaged: it must map names to secrets")
        return secrets

    def _make_private(self) -> None:
        """Correct the mode, which a copy or a restored backup may have lost. Windows protects the user's folder."""
        if sys.platform != "win32" and self._path.stat().st_mode & 0o077:
            log.warning("other users could read %s; now only you can", self._path)
            self._path.chmod(0o600)

    def _file_error(self, reason: str) -> SetupError:
        hint = "Repair it, or delete it to create a new API key."
        return SetupError(f"The file of secrets {self._path} {reason}.", hint=hint)
