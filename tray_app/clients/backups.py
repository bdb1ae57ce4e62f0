"""The files of clients as they were before they were changed, and what they became.

They are kept in the application's own directory, for the person alone (0600), and not beside the files: those
directories are read by the clients, watched by them, and kept in repositories by many people, and the files hold keys.
An index tells what belongs where.
"""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from server.config.paths import write_private

MOST = 10
"""Backups that are kept for each client."""
_INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class Backup:
    """One change that was made. `name` None: there was no file before."""

    client: str
    path: str
    at: float
    """Epoch seconds."""
    name: str | None
    mode: int | None
    written: str
    """SHA-256 of the file as the change left it."""


def digest(data: bytes) -> str:
    """What tells whether a file is still as it was left."""
    return hashlib.sha256(data).hexdigest()


class Backups:
    """The backups in `directory`, which is made with the first one. Everything here reads or writes the disk."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def last(self, client: str, path: Path) -> Backup | None:
        """The newest change of a client's file that was not undone."""
        return next((one for one in reversed(self._all()) if _is_of(one, client, path)), None)

    def keep(self, client: str, path: Path, before: bytes | None, after: bytes, *, mode: int | None, at: float) -> None:
        """Remember a change that is about to be made. Raises OSError."""
        kept = self._all()
        name = None if before is None else f"{client}-{int(at * 1000)}-{digest(before)[:8]}.backup"
        if name is not None and before is not None:
            write_private(self._directory / name, before)
        kept.append(Backup(client, str(path), at, name, mode, digest(after)))
        mine = [one for one in kept if one.client == client]
        self._write([one for one in kept if one not in mine[:-MOST]])
        for old in mine[:-MOST]:
            self._delete(old)

    def read(self, backup: Backup) -> bytes | None:
        """The file as it was; None if there was none. Raises OSError."""
        return None if backup.name is None else (self._directory / backup.name).read_bytes()

    def forget(self, backup: Backup) -> None:
        """Drop a backup that was put back, or whose change was not made. Raises OSError."""
        self._write([one for one in self._all() if one != backup])
        self._delete(backup)

    def _all(self) -> list[Backup]:
        try:
            return [Backup(**item) for item in orjson.loads((self._directory / _INDEX).read_bytes())]
        except (OSError, ValueError, TypeError):
            return []

    def _write(self, backups: list[Backup]) -> None:
        write_private(self._directory / _INDEX, orjson.dumps([asdict(one) for one in backups]))

    def _delete(self, backup: Backup) -> None:
        if backup.name is not None:
            (self._directory / backup.name).unlink(missing_ok=True)


def _is_of(backup: Backup, client: str, path: Path) -> bool:
    return backup.client == client and backup.path == str(path)
