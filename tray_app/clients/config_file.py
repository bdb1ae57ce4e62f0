"""Reading, changing and restoring a client's file.

Every function blocks: call it in a thread. A change is first prepared, so that it can be shown, and then applied if the
file is still the same. Links are followed, a file keeps its mode, and a new one is private to the user (0600). A second
file that the client's file names (`Companion`) changes together with it.
"""

import difflib
import os
import stat
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
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
    `companion` is the change of the second file, if that changes too.
    """

    client: str
    path: Path
    before: bytes | None
    after: bytes | None
    mode: int | None
    undoes: Backup | None = None
    companion: "FileChange | None" = None

    @property
    def is_needed(self) -> bool:
        """Whether the change has any effect."""
        return self.before != self.after or self.companion is not None

    @property
    def is_shared(self) -> bool:
        """Whether other accounts can read the file; False where there are no modes."""
        return os.name == "posix" and self.mode is not None and bool(self.mode & (stat.S_IRGRP | stat.S_IROTH))

    @property
    def diff(self) -> str:
        """The change as a unified diff, followed by that of the companion."""
        name = str(self.path)
        before, after = _decode_for_diff(self.before).splitlines(), _decode_for_diff(self.after).splitlines()
        lines = difflib.unified_diff(before, after, name if self.before is not None else os.devnull, name, lineterm="")
        return "\n".join([*lines, *([self.companion.diff] if self.companion is not None else [])])


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
        if state.kind == "configured" and _lacks_companion(client.configuration, places):
            state = replace(state, kind="outdated")
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
    mode, companion = _writable_mode(path), _prepare_companion(client, configuration, connection, places)
    return FileChange(client.id, path, before, bom + after.encode(), mode, companion=companion)


def _prepare_companion(
    client: Client, configuration: Configuration, connection: Connection, places: Places
) -> FileChange | None:
    """Prepare the change of the second file; None if there is none, or it is right already."""
    if configuration.companion is None:
        return None
    path = configuration.companion.file(places)
    after = configuration.companion.text(connection).encode()
    change = FileChange(client.id, path, _read_file(path), after, _writable_mode(path))
    return change if change.is_needed else None


def _lacks_companion(configuration: Configuration, places: Places) -> bool:
    return configuration.companion is not None and _read_file(configuration.companion.file(places)) is None


def prepare_undo(backup: Backup, backups: Backups) -> FileChange:
    """Prepare the change that restores a file. Raises ClientFileUnwritable."""
    change = _prepare_file_undo(backup, backups)
    if (companion := backups.find_companion(backup)) is None:
        return change
    return replace(change, companion=_prepare_file_undo(companion, backups))


def _prepare_file_undo(backup: Backup, backups: Backups) -> FileChange:
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
    """Whether the files were not written since the change that `change` undoes."""
    if change.companion is not None and not is_untouched_since(change.companion):
        return False
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
        companion = change.companion
        files = [change] if companion is None else [companion, change]
        for file in files:
            _check_unchanged(file)
        # A client does not start if its file names a missing one.
        _apply_all(files if change.undoes is None else files[::-1], backups, at)


def _apply_all(files: Sequence[FileChange], backups: Backups, at: float) -> None:
    for position, file in enumerate(files):
        try:
            if file.undoes is not None or file.before != file.after:
                _apply_change(file, backups, at)
        except ClientFileUnwritable:
            for written in files[:position]:
                if written.undoes is None:
                    _take_back(written, backups, at)
            raise


def _check_unchanged(change: FileChange) -> None:
    if _read_file(change.path) != change.before:
        message = f"{change.path} has just been changed by another program. It was left as it is."
        raise ClientFileChanged(message, path=change.path, hint="Review the change again.")
    # The file may have become read-only since the change was prepared.
    _writable_mode(change.path)


def _apply_change(change: FileChange, backups: Backups, at: float) -> None:
    try:
        if change.undoes is None and change.after is not None:
            backups.save_backup(change.client, change.path, change.before, change.after, mode=change.mode, at=at)
        _write_change(change)
        if change.undoes is not None:
            backups.delete_backup(change.undoes)
    except OSError as error:
        _delete_new_backup(change, backups, at)
        raise ClientFileUnwritable(
            f"{change.path} cannot be written: {_reason_of(error)}.", path=change.path
        ) from error


def _take_back(change: FileChange, backups: Backups, at: float) -> None:
    """Restore a file whose companion could not be written."""
    with suppress(OSError):
        _write_change(replace(change, after=change.before))
        _delete_new_backup(change, backups, at)


def _delete_new_backup(change: FileChange, backups: Backups, at: float) -> None:
    last = backups.find_last(change.client, change.path)
    if change.undoes is None and last is not None and last.at == at:
        backups.delete_backup(last)


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
