"""A client's file on the disk: looked at, changed, and put back.

Everything here blocks: call it in a thread. A change is first prepared, so that it can be shown, and then made, if the
file is still the same. Links are followed, the mode of a file stays, and a new one is for the person alone (0600).
"""

import difflib
import os
import stat
import threading
from dataclasses import dataclass
from pathlib import Path

from server.config.paths import retry_while_open, write_private
from tray_app.clients.backups import Backup, Backups, digest
from tray_app.clients.client import Client, Configuration, Places
from tray_app.clients.configuring import State, plan, state_of
from tray_app.clients.connection import Connection
from tray_app.clients.errors import (
    ClientFileChanged,
    ClientFileDamaged,
    ClientFileUneditable,
    ClientFileUnwritable,
    Damaged,
    Uneditable,
)

_one_at_a_time = threading.Lock()
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class FileChange:
    """A change to be made to the file at `path`.

    `before` None: there is no file; `after` None: none is left. `undoes` is the change that this one takes back.
    """

    client: str
    path: Path
    before: bytes | None
    after: bytes | None
    mode: int | None
    undoes: Backup | None = None

    @property
    def is_needed(self) -> bool:
        """Whether it changes anything."""
        return self.before != self.after

    @property
    def shared(self) -> bool:
        """Whether other accounts of this computer can read the file, where its mode tells."""
        return os.name == "posix" and self.mode is not None and bool(self.mode & (stat.S_IRGRP | stat.S_IROTH))

    @property
    def diff(self) -> str:
        """The change as a unified diff."""
        name = str(self.path)
        before, after = _text(self.before).splitlines(), _text(self.after).splitlines()
        lines = difflib.unified_diff(before, after, name if self.before is not None else os.devnull, name, lineterm="")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class FileState:
    """What a client's file says, and what can be undone. `problem` is why it could not be read."""

    path: Path
    state: State
    last: Backup | None = None
    problem: ClientFileDamaged | ClientFileUnwritable | None = None


def look(client: Client, connection: Connection, places: Places, backups: Backups) -> FileState | None:
    """How a client's file is; None for clients that have none."""
    if client.configuration is None:
        return None
    path = client.configuration.file(places)
    last = backups.last(client.id, path)
    try:
        state = state_of(_decoded(path, _read(path)), client.configuration, connection)
    except Damaged as error:
        problem = ClientFileDamaged(path, reason=error.reason, line=error.line, column=error.column)
        return FileState(path, State("absent"), last, problem)
    except (ClientFileUnwritable, ClientFileDamaged) as error:
        return FileState(path, State("absent"), last, error)
    return FileState(path, state, last)


def prepare(client: Client, configuration: Configuration, connection: Connection, places: Places) -> FileChange:
    """The change that makes a client use this server. Nothing is written.

    Raises ClientFileDamaged, ClientFileUneditable and ClientFileUnwritable.
    """
    path = configuration.file(places)
    before = _read(path)
    try:
        after = plan(_decoded(path, before), configuration, connection)
    except Damaged as error:
        raise ClientFileDamaged(path, reason=error.reason, line=error.line, column=error.column) from None
    except Uneditable as error:
        hint = "Copy the text from here and paste it in by hand."
        raise ClientFileUneditable(f"{path} was not changed: {error}.", path=path, hint=hint) from None
    bom = _BOM if before is not None and before.startswith(_BOM) else b""
    mode = _writable_mode(path)
    return FileChange(client.id, path, before, bom + after.encode(), mode)


def prepare_undo(backup: Backup, backups: Backups) -> FileChange:
    """The change that puts a file back. Raises ClientFileUnwritable."""
    path = Path(backup.path)
    try:
        after = backups.read(backup)
    except OSError as error:
        raise ClientFileUnwritable(f"The backup of {path} cannot be read: {_why(error)}.", path=path) from error
    mode = _writable_mode(path)
    return FileChange(backup.client, path, _read(path), after, backup.mode if mode is None else mode, undoes=backup)


def is_as_left(change: FileChange) -> bool:
    """Whether nobody wrote the file since the change that `change` undoes."""
    return change.undoes is not None and change.before is not None and digest(change.before) == change.undoes.written


def make(change: FileChange, backups: Backups, *, at: float) -> None:
    """Make a change; `at` is in epoch seconds. Raises ClientFileChanged and ClientFileUnwritable."""
    with _one_at_a_time:
        _make(change, backups, at)


def _make(change: FileChange, backups: Backups, at: float) -> None:
    if _read(change.path) != change.before:
        message = f"{change.path} has just been changed by another program. It was left as it is."
        raise ClientFileChanged(message, path=change.path, hint="Review the change again.")
    _writable_mode(change.path)
    try:
        if change.undoes is None and change.after is not None:
            backups.keep(change.client, change.path, change.before, change.after, mode=change.mode, at=at)
        _write(change)
        if change.undoes is not None:
            backups.forget(change.undoes)
    except OSError as error:
        if change.undoes is None and (last := backups.last(change.client, change.path)) and last.at == at:
            backups.forget(last)
        raise ClientFileUnwritable(f"{change.path} cannot be written: {_why(error)}.", path=change.path) from error


def _write(change: FileChange) -> None:
    target = change.path.resolve()
    if change.after is None:
        retry_while_open(target, lambda: target.unlink(missing_ok=True))
        return
    write_private(target, change.after)
    if change.mode is not None:
        target.chmod(change.mode)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClientFileUnwritable(f"{path} cannot be read: {_why(error)}.", path=path) from error


def _decoded(path: Path, data: bytes | None) -> str:
    try:
        return (data or b"").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise ClientFileDamaged(path, reason="it is not UTF-8 text", line=line, column=column) from None


def _writable_mode(path: Path) -> int | None:
    """The mode of the file; None if there is none. Raises ClientFileUnwritable for one that is read-only."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    # Its directory would let it be replaced: whoever made it read-only did not want that.
    if not mode & stat.S_IWUSR or not os.access(path, os.W_OK):
        hint = "Make it writable, or copy the text from here."
        raise ClientFileUnwritable(f"{path} is read-only. It was not changed.", path=path, hint=hint)
    return mode


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8-sig", "replace")


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
