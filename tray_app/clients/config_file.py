"""Reading, changing and restoring a client's file.

Every function blocks: call it in a thread. A change is first prepared, so that it can be shown, and then applied if the
file is still the same. Links are followed, a file keeps its mode, and a new one is private to the user (0600).
"""

import difflib
import os
import stat
import threading
from dataclasses import dataclass
from pathlib import Path

from server.config.paths import retry_while_open, write_private
from tray_app.clients.backups import Backup, Backups, content_digest
from tray_app.clients.client import Client, Configuration, Places
from tray_app.clients.configuring import State, configure_text, state_of
from tray_app.clients.connection import Connection
from tray_app.clients.errors import (
    ClientFileChanged,
    ClientFileDamaged,
    ClientFileUneditable,
    ClientFileUnwritable,
    Damaged,
    Uneditable,
)

# Changes run in worker threads: two at once would overwrite each other's entry in the index of backups.
_change_lock = threading.Lock()
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class FileChange:
    """A prepared change of the file at `path`.

    `before` is None if there is no file, `after` if it is to be deleted. `undoes` is the change that is reverted.
    """

    client: str
    path: Path
    before: bytes | None
    after: bytes | None
    mode: int | None
    undoes: Backup | None = None

    @property
    def is_needed(self) -> bool:
        """Whether the change has any effect."""
        return self.before != self.after

    @property
    def is_shared(self) -> bool:
        """Whether other accounts can read the file; False where there are no modes."""
        return os.name == "posix" and self.mode is not None and bool(self.mode & (stat.S_IRGRP | stat.S_IROTH))

    @property
    def diff(self) -> str:
        """The change as a unified diff."""
        name = str(self.path)
        before, after = _decode_for_diff(self.before).splitlines(), _decode_for_diff(self.after).splitlines()
        lines = difflib.unified_diff(before, after, name if self.before is not None else os.devnull, name, lineterm="")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class FileState:
    """The state and last change of a client's file, or the `problem` in reading it."""

    path: Path
    state: State
    last: Backup | None = None
    problem: ClientFileDamaged | ClientFileUnwritable | None = None


def read_state(client: Client, connection: Connection, places: Places, backups: Backups) -> FileState | None:
    """Read the state of a client's file; None for clients without one."""
    if client.configuration is None:
        return None
    path = client.configuration.file(places)
    last = backups.find_last(client.id, path)
    try:
        state = state_of(_decode_text(path, _read_file(path)), client.configuration, connection)
    except Damaged as error:
        problem = ClientFileDamaged(path, reason=error.reason, line=error.line, column=error.column)
        return FileState(path, State("absent"), last, problem)
    except (ClientFileUnwritable, ClientFileDamaged) as error:
        return FileState(path, State("absent"), last, error)
    return FileState(path, state, last)


def prepare_change(client: Client, configuration: Configuration, connection: Connection, places: Places) -> FileChange:
    """Prepare the change that makes a client use this server. Nothing is written.

    Raises ClientFileDamaged, ClientFileUneditable and ClientFileUnwritable.
    """
    path = configuration.file(places)
    before = _read_file(path)
    try:
        after = configure_text(_decode_text(path, before), configuration, connection)
    except Damaged as error:
        raise ClientFileDamaged(path, reason=error.reason, line=error.line, column=error.column) from None
    except Uneditable as error:
        hint = "Copy the text from here and paste it in by hand."
        raise ClientFileUneditable(f"{path} was not changed: {error}.", path=path, hint=hint) from None
    bom = _BOM if before is not None and before.startswith(_BOM) else b""
    mode = _writable_mode(path)
    return FileChange(client.id, path, before, bom + after.encode(), mode)


def prepare_undo(backup: Backup, backups: Backups) -> FileChange:
    """Prepare the change that restores a file. Raises ClientFileUnwritable."""
    path = Path(backup.path)
    try:
        after = backups.read_content(backup)
    except OSError as error:
        raise ClientFileUnwritable(f"The backup of {path} cannot be read: {_reason_of(error)}.", path=path) from error
    mode = _writable_mode(path)
    return FileChange(
        backup.client, path, _read_file(path), after, backup.mode if mode is None else mode, undoes=backup
    )


def is_untouched_since(change: FileChange) -> bool:
    """Whether the file was not written since the change that `change` undoes."""
    return (
        change.undoes is not None
        and change.before is not None
        and content_digest(change.before) == change.undoes.written
    )


def apply_change(change: FileChange, backups: Backups, *, at: float) -> None:
    """Write a change; `at` is in epoch seconds.

    Raises ClientFileChanged and ClientFileUnwritable.
    """
    with _change_lock:
        _apply_change(change, backups, at)


def _apply_change(change: FileChange, backups: Backups, at: float) -> None:
    if _read_file(change.path) != change.before:
        message = f"{change.path} has just been changed by another program. It was left as it is."
        raise ClientFileChanged(message, path=change.path, hint="Review the change again.")
    # The file may have become read-only since the change was prepared.
    _writable_mode(change.path)
    try:
        if change.undoes is None and change.after is not None:
            backups.save_backup(change.client, change.path, change.before, change.after, mode=change.mode, at=at)
        _write_change(change)
        if change.undoes is not None:
            backups.delete_backup(change.undoes)
    except OSError as error:
        if change.undoes is None and (last := backups.find_last(change.client, change.path)) and last.at == at:
            backups.delete_backup(last)
        raise ClientFileUnwritable(
            f"{change.path} cannot be written: {_reason_of(error)}.", path=change.path
        ) from error


def _write_change(change: FileChange) -> None:
    target = change.path.resolve()
    if change.after is None:
        retry_while_open(target, lambda: target.unlink(missing_ok=True))
        return
    write_private(target, change.after)
    if change.mode is not None:
        target.chmod(change.mode)


def _read_file(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClientFileUnwritable(f"{path} cannot be read: {_reason_of(error)}.", path=path) from error


def _decode_text(path: Path, data: bytes | None) -> str:
    try:
        return (data or b"").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise ClientFileDamaged(path, reason="it is not UTF-8 text", line=line, column=column) from None


def _writable_mode(path: Path) -> int | None:
    """The mode of a file, None if missing. Raises ClientFileUnwritable."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    # Replacing it would succeed all the same, against the intention of the user who made it read-only.
    if not mode & stat.S_IWUSR or not os.access(path, os.W_OK):
        hint = "Make it writable, or copy the text from here."
        raise ClientFileUnwritable(f"{path} is read-only. It was not changed.", path=path, hint=hint)
    return mode


def _decode_for_diff(data: bytes | None) -> str:
    return (data or b"").decode("utf-8-sig", "replace")


def _reason_of(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
