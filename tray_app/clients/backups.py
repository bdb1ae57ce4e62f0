"""Backups of clients' files from before each change.

They are kept in the application's own directory, readable by the user only (0600), and not beside the files: clients
read and watch those directories, many users keep them in repositories, and the files contain keys. An index maps
backups to files.
"""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from server.config.paths import write_private

MAX_BACKUPS = 10
"""Limit for each client; the oldest are deleted."""
_INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class Backup:
    """One change. `name` is None if there was no file before."""

    client: str
    path: str
    at: float
    """Epoch seconds."""
    name: str | None
    mode: int | None
    written: str
    """SHA-256 of the file after the change."""


def content_digest(data: bytes) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class Backups:
    """The backups in `directory`, created on demand. Every method blocks."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find_last(self, client: str, path: Path) -> Backup | None:
        """Find the newest change of a client's file that was not undone."""
        return next((backup for backup in reversed(self._read_index()) if _belongs_to(backup, client, path)), None)

    def find_companion(self, change: Backup) -> Backup | None:
        """Find the change of another file that was made together with `change`."""
        return next(
            (
                backup
                for backup in self._read_index()
                if (backup.client, backup.at) == (change.client, change.at) and backup.path != change.path
            ),
            None,
        )

    def save_backup(
        self, client: str, path: Path, before: bytes | None, after: bytes, *, mode: int | None, at: float
    ) -> None:
        """Save a change that is about to be made. Raises OSError."""
        backups = self._read_index()
        name = None if before is None else f"{client}-{int(at * 1000)}-{content_digest(before)[:8]}.backup"
        if name is not None and before is not None:
            write_private(self._directory / name, before)
        backups.append(Backup(client, str(path), at, name, mode, content_digest(after)))
        outdated = [backup for backup in backups if backup.client == client][:-MAX_BACKUPS]
        # The index first: it must never name a deleted file.
        self._write_index([backup for backup in backups if backup not in outdated])
        for backup in outdated:
            self._delete_content(backup)

    def read_content(self, backup: Backup) -> bytes | None:
        """Read the file from before the change; None if there was none. Raises OSError."""
        return None if backup.name is None else (self._directory / backup.name).read_bytes()

    def delete_backup(self, backup: Backup) -> None:
        """Delete the backup of a change that was undone or failed. Raises OSError."""
        self._write_index([other for other in self._read_index() if other != backup])
        self._delete_content(backup)

    def _read_index(self) -> list[Backup]:
        try:
            return [Backup(**item) for item in orjson.loads((self._directory / _INDEX).read_bytes())]
        except (OSError, ValueError, TypeError):
            return []

    def _write_index(self, backups: list[Backup]) -> None:
        write_private(self._directory / _INDEX, orjson.dumps([asdict(backup) for backup in backups]))

    def _delete_content(self, backup: Backup) -> None:
        if backup.name is not None:
            (self._directory / backup.name).unlink(missing_ok=True)


def _belongs_to(backup: Backup, client: str, path: Path) -> bool:
    return backup.client == client and backup.path == str(path)
