"""One running application for each data directory: a second start hands its wish to the first, and ends."""

import contextlib
import errno
import hashlib
import json
import logging
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer

from server.config.paths import make_private_dir
from server.core.errors import SetupError
from tray_app.desktop.instance.client import Verdict, deliver
from tray_app.desktop.instance.connection import Connection
from tray_app.desktop.instance.file_lock import FileLock
from tray_app.desktop.instance.launch import Launch

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 30.0
"""How long a second start waits for an answer: on a busy computer the first may load its window that long."""
MAX_CONNECTIONS = 8
MAX_PATH_BYTES = 100
"""A socket's path may have 103 bytes on macOS, 107 on Linux; Qt needs some for itself."""


class SingleInstance(QObject):
    """The claim to be the one that runs. First `claim`; if that is True, `listen` when there is a QApplication.

    The claim is a lock in the data directory, which is what must not be used twice: it holds whatever the
    environments of two starts are. The lock's note says where the holder listens.
    """

    message_received = Signal(object)
    """A `Launch`: another start was answered, and this is what it was meant to do."""

    def __init__(self, data_dir: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._data_dir = data_dir.resolve()
        self._lock = FileLock(self._data_dir / "instance.lock")
        self._server: QLocalServer | None = None
        self._connections: set[Connection] = set()

    def claim(self, launch: Launch, *, seconds: float = PATIENCE_SECONDS) -> bool:
        """Become the one that runs (True), or have the one that runs take `launch` over (False).

        Needs no QApplication. Blocks while the other starts or ends. Raises SetupError if the other does not answer
        within `seconds` or does not understand, and if the data directory cannot be used.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                if self._lock.acquire():
                    self._write_note("")
                    return True
                address, process = _parsed(self._lock.read_note())
            except OSError as error:
                raise _unusable(self._data_dir, error) from error
            if _delivered(launch, address, process, deadline):
                return False

    def listen(self) -> None:
        """Take the wishes of later starts. Needs a QApplication and the claim.

        Where no socket can be made, the log says so: later starts are told that one runs, and cannot reach it.
        """
        server = QLocalServer(self)
        # On Unix Qt makes the socket elsewhere, sets its mode and renames it: one that a crash left is replaced.
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        server.setMaxPendingConnections(MAX_CONNECTIONS)
        server.newConnection.connect(self._accept)
        self._server = server
        try:
            address = _address(self._data_dir)
            if not server.listen(address):
                log.warning("later starts cannot reach this one: %s (%s)", server.errorString(), address)
                address = ""
            _keep(address)
            self._write_note(address)
        except OSError as error:
            log.warning("later starts cannot reach this one: %s", error)

    def _write_note(self, address: str) -> None:
        """At the beginning as well: the number of an earlier holder, that was killed, is not this one's."""
        try:
            self._lock.write_note(json.dumps({"address": address, "process": os.getpid()}))
        except OSError as error:
            # On a full disk the note is empty at least, and the window can be used to make room.
            log.warning("later starts cannot reach this one: %s", error)

    def close(self) -> None:
        """Listen no more, because the application ends: a start from now on waits for that, and is then the first."""
        for connection in tuple(self._connections):
            connection.close()
        if self._server is not None:
            self._server.close()
            self._server.deleteLater()
            self._server = None

    def release(self) -> None:
        """Let the next start be the first: the last thing to do. The end of the process does it as well."""
        self.close()
        self._lock.release()

    def _accept(self) -> None:
        while self._server is not None and (socket := self._server.nextPendingConnection()) is not None:
            if len(self._connections) >= MAX_CONNECTIONS:
                socket.abort()
                socket.deleteLater()
                continue
            connection = Connection(socket)
            self._connections.add(connection)
            connection.understood.connect(self.message_received)
            connection.ended.connect(self._connections.discard)
            connection.begin()


def _delivered(launch: Launch, address: str, process: int, deadline: float) -> bool:
    """Whether the one that runs took it. False: it is not there (yet, or any more), so look again."""
    verdict = deliver(launch, address, deadline) if address else Verdict.ABSENT
    if verdict is Verdict.TAKEN:
        return True
    who = f" (process {process})" if process else ""
    if verdict is Verdict.REFUSED:
        raise SetupError(
            f"Another version of Dragoman is running{who} and cannot talk to this one.",
            hint="Quit it from its tray icon or its window, then start again.",
        )
    if time.monotonic() >= deadline:
        raise SetupError(
            f"Dragoman is already running{who} but does not respond.",
            hint="Wait a moment and try again. If that does not help, end that process first.",
        )
    if verdict is Verdict.ABSENT:
        time.sleep(0.05)
    return False


def _parsed(note: str) -> tuple[str, int]:
    """Address and process number of a note; empty and 0 while it is not written, or being written."""
    try:
        fields = json.loads(note)
        return str(fields["address"]), int(fields["process"])
    except (ValueError, LookupError, TypeError):
        return "", 0


def _address(data_dir: Path) -> str:
    """Where to listen: a socket's path, or a pipe's name on Windows, where one that nobody can take beforehand."""
    if sys.platform == "win32":
        return f"dragoman-{secrets.token_hex(16)}"
    name = f"dgm-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]}.socket"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    places = [Path(runtime), data_dir] if os.path.isabs(runtime) and _is_private(Path(runtime)) else [data_dir]
    for place in places:
        if len(os.fsencode(place / name)) <= MAX_PATH_BYTES:
            return str(place / name)
    return str(_short_place() / name)


def _short_place() -> Path:
    """A directory of the user's with a short path, for data directories that are too deep for a socket.

    Raises OSError.
    """
    place = Path(tempfile.gettempdir()) / f"dragoman-{os.getuid() if sys.platform != 'win32' else 0}"
    make_private_dir(place)
    if not _is_private(place):
        raise PermissionError(errno.EPERM, "other users can write there", str(place))
    return place


def _is_private(place: Path) -> bool:
    """Whether `place` is a directory of this user's that nobody else can change."""
    if sys.platform == "win32":
        return True
    try:
        status = place.lstat()
    except OSError:
        return False
    return place.is_dir() and not place.is_symlink() and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _keep(address: str) -> None:
    """Keep cleaners of the runtime directory from taking a socket that is in use: they leave what is sticky alone.

    https://specifications.freedesktop.org/basedir-spec
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.chmod(address, 0o1600)


def _unusable(data_dir: Path, error: OSError) -> SetupError:
    return SetupError(
        f"The data directory {data_dir} cannot be used: {error.strerror or error}.",
        hint="Check its permissions and free space, or choose another with --data-dir.",
    )
