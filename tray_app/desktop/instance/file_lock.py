"""A lock on a file that the system itself takes away when its holder ends, however it ends."""

import os
import sys
from pathlib import Path

from server.config.paths import make_private_dir

# Windows keeps others from reading what is locked: the lock stands far behind the note.
_LOCKED_BYTE = 1 << 30
MAX_NOTE_BYTES = 1024


class FileLock:
    """Held by one process at a time; the file holds a note of the holder's for the others.

    A lock that is a file with a process number (QLockFile) would be taken for a living one when the number has
    gone to another program. The file is never removed: who waits for a removed one does not wait for the next.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Take the lock, without waiting; False if another process has it. Raises OSError."""
        if self._handle is None:
            make_private_dir(self._path.parent)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                taken = _lock(handle)
            except BaseException:
                os.close(handle)
                raise
            if not taken:
                os.close(handle)
                return False
            self._handle = handle
        return True

    def release(self) -> None:
        """Give the lock back, if it is held."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.ftruncate(handle, 0)
            os.close(handle)

    def write_note(self, note: str) -> None:
        """Put down what the others shall know. Only while the lock is held. Raises OSError."""
        if self._handle is None:
            raise RuntimeError("only the holder of the lock writes its note")
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)
        os.write(self._handle, note.encode())

    def read_note(self) -> str:
        """What the holder put down; empty if there is nothing yet. Raises OSError."""
        with self._path.open("rb") as file:
            return file.read(MAX_NOTE_BYTES).decode(errors="replace")


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
