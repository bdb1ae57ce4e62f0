"""One instance per data directory: a file lock, and a socket for later launches."""

import contextlib
import hashlib
import json
import logging
import os
import secrets
import stat
import sys
import tempfile
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from server.config.own_commands import flatpak_id, this_installation
from server.config.paths import make_private_dir, write_private
from server.core.errors import SetupError
from tray_app.desktop.instance.launch import MAX_LINE_BYTES, Launch, decode_launch, decode_line, encode_line

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 30.0
"""A second launch waits this long for a reply: on a busy computer the first may take that long to load its window."""
CONNECTION_MS = 5000
"""Time limit for one connection to send its request and read the reply."""
POLL_MS = 50
"""Short, so that Ctrl-C works between two waits."""
MAX_PATH_BYTES = 100
"""A socket's path is limited to 103 bytes on macOS and 107 on Linux; Qt needs some of them."""
_CONNECTED = QLocalSocket.LocalSocketState.ConnectedState


class SingleInstance(QObject):
    """The claim to a data directory.

    Call `claim_data_dir` first and, if it returns True, `start_listening` once there is a QApplication. The lock is in
    the data directory, so it holds even for launches with different environments. `instance.json` beside it names the
    holder's process and socket.
    """

    launch_received = Signal(object)
    """A `Launch`, from another launch that has had its reply."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__()
        self._data_dir = data_dir.resolve()
        # The system frees this lock when its holder ends, however that happens. The file stays.
        self._lock = FileLock(self._data_dir / "instance.lock", mode=0o600, thread_local=False)
        self._record = self._data_dir / "instance.json"
        self._address = ""
        self._server = QLocalServer(self)

    def claim_data_dir(self, launch: Launch, *, timeout: float = TIMEOUT_SECONDS) -> bool:
        """Become the running instance (True), or forward `launch` to it (False).

        Needs no QApplication. Blocks while the other instance is starting or ending. Raises SetupError if it does not
        reply within `timeout` seconds or runs another version, and if the data directory cannot be used.
        """
        deadline = time.monotonic() + timeout
        while not self._acquire_lock():
            # The record may be that of a crashed holder, until the new one has written its own: try again.
            address, process = self._read_record()
            answer = _forward_launch(launch, address, deadline) if address else ""
            if answer == "ok":
                return False
            if answer:
                raise SetupError(
                    f"Another version of Dragoman is running{process} and cannot talk to this one.",
                    hint="Quit it from its tray icon or its window, then start again.",
                )
            if time.monotonic() >= deadline:
                raise SetupError(
                    f"Dragoman is already running{process} but does not respond.",
                    hint="Wait a moment and try again. If that does not help, end that process first.",
                )
            time.sleep(POLL_MS / 1000)
        self._address = _choose_address(self._data_dir)
        self._write_record()
        return True

    def start_listening(self) -> None:
        """Take later launches' requests, or log why not. Needs a QApplication."""
        # On Unix Qt creates the socket elsewhere, sets its mode and renames it: this replaces one left by a crash.
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept_connections)
        if not self._address or not self._server.listen(self._address):
            reason = self._server.errorString() or "no private directory with a short path"
            log.warning("later launches cannot reach this one: %s %s", reason, self._address)
        elif sys.platform == "linux":
            # Sticky files are exempt from cleanup: https://specifications.freedesktop.org/basedir-spec
            with contextlib.suppress(OSError):
                os.chmod(self._address, 0o1600)

    def close(self) -> None:
        """Stop listening, so that a launch waits for our end and becomes the first."""
        self._server.close()
        for socket in self._server.findChildren(QLocalSocket):
            socket.abort()

    def release_claim(self) -> None:
        """Free the lock, as the last thing. The end of the process does so as well."""
        self.close()
        self._lock.release()

    def _acquire_lock(self) -> bool:
        try:
            make_private_dir(self._data_dir)
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        except OSError as error:
            raise SetupError(
                f"The data directory {self._data_dir} cannot be used: {error.strerror or error}.",
                hint="Check its permissions and free space, or choose another with --data-dir.",
            ) from error
        return True

    def _write_record(self) -> None:
        try:
            write_private(self._record, json.dumps({"address": self._address, "process": os.getpid()}).encode())
        except OSError as error:
            # On a full disk the application starts all the same, because the user can make room in it.
            log.warning("later launches cannot reach this one: %s", error)
            with contextlib.suppress(OSError):
                self._record.unlink()

    def _read_record(self) -> tuple[str, str]:
        """The holder's address, and its process for a message; empty if not recorded."""
        try:
            fields = json.loads(self._record.read_bytes())
            return str(fields["address"]), f" (process {int(fields['process'])})"
        except (OSError, ValueError, LookupError, TypeError):
            return "", ""

    def _accept_connections(self) -> None:
        while socket := self._server.nextPendingConnection():
            socket.setReadBufferSize(MAX_LINE_BYTES)
            socket.disconnected.connect(socket.deleteLater)
            socket.readyRead.connect(partial(self._send_reply, socket))
            QTimer.singleShot(CONNECTION_MS, socket, socket.deleteLater)
            # The request may have arrived before the signal was connected.
            self._send_reply(socket)

    def _send_reply(self, socket: QLocalSocket) -> None:
        complete = socket.canReadLine() or socket.bytesAvailable() >= MAX_LINE_BYTES
        # Not connected: it has had its reply, and what else it sends is ignored.
        if not complete or socket.state() is not _CONNECTED:
            return
        request = decode_launch(bytes(socket.readLine(MAX_LINE_BYTES).data()))
        socket.write(encode_line(answer="ok" if isinstance(request, Launch) else request))
        # Takes effect once the reply is written; the timer ends a connection that does not read it.
        socket.disconnectFromServer()
        if isinstance(request, Launch):
            self.launch_received.emit(request)


def _forward_launch(launch: Launch, address: str, deadline: float) -> str:
    """Send `launch` and return the answer; empty if none by `deadline` (monotonic)."""
    socket = QLocalSocket()
    socket.connectToServer(address)
    if not socket.waitForConnected(POLL_MS):
        return ""
    socket.write(encode_line(**asdict(launch)))
    while not socket.canReadLine() and socket.bytesAvailable() < MAX_LINE_BYTES:
        ended = socket.state() is not _CONNECTED or time.monotonic() >= deadline
        if not socket.waitForReadyRead(POLL_MS) and ended:
            break
    answer = decode_line(bytes(socket.readLine(MAX_LINE_BYTES).data())).get("answer")
    return answer if isinstance(answer, str) else ""


def _choose_address(data_dir: Path) -> str:
    """A path for the socket, empty if no private one is short enough; or a pipe."""
    if sys.platform == "win32":
        # Unpredictable, so that no other user's program can take the name first.
        return f"dragoman-{secrets.token_hex(16)}"
    name = f"dgm-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]}.socket"
    temporary = Path(tempfile.gettempdir()) / f"dragoman-{os.getuid()}"
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    if app_id := flatpak_id(this_installation()):
        # Each start has a sandbox of its own, and this is the one runtime folder that all of them see.
        runtime = runtime / "app" / app_id
    for directory in (runtime, data_dir, temporary):
        path = directory / name
        if not path.is_absolute() or len(os.fsencode(path)) > MAX_PATH_BYTES:
            continue
        with contextlib.suppress(OSError):
            directory.mkdir(mode=0o700, exist_ok=True)
            status = directory.lstat()
            # Another user who can write in the directory could replace the socket.
            if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022:
                return str(path)
    return ""
