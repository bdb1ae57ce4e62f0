"""The running instances of a data folder, and requests to quit them.

Each process, with a window or without, has two files in the folder `running`: a lock, which the system frees when the
process ends, however that happens, and a record of the loopback port on which it takes requests to quit. The record
has mode 0600, and its secret authenticates the requests. Several instances may share a data folder.

A request and its reply are one JSON line each. Only the lock tells whether an instance runs: a record may be left from
a killed process, whose process id and port may belong to other programs.
"""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hmac import compare_digest
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from server.config.paths import make_private_dir, retry_while_open, write_private

log = logging.getLogger(__name__)

DIRECTORY = "running"
"""Name in the data directory."""
VERSION = 1
LOOPBACK = "127.0.0.1"
MAX_LINE_BYTES = 4096
REQUEST_SECONDS = 5.0
"""Time limit for one connection: to send the request, and to read the reply."""
LOCK_SECONDS = 5.0
"""How long to wait for the guard, which others hold for an instant."""

QuitHandler = Callable[[bool], object]
"""Called with True if running requests are to be cut off, with False if they are to finish first."""


@dataclass(frozen=True, slots=True)
class Record:
    """How to reach an instance. `process` is for messages only."""

    process: int
    port: int
    secret: str


class OwnInstance:
    """This process as an instance: `listen` on the event loop, and `stop_listening` before the loop is closed."""

    def __init__(self, record_path: Path | None) -> None:
        self._record_path = record_path
        self._secret = secrets.token_hex(32)
        self._server: asyncio.Server | None = None
        self._on_quit: QuitHandler = lambda _: None

    async def listen(self, on_quit: QuitHandler) -> None:
        """Take requests to quit, or log why not."""
        self._on_quit = on_quit
        if self._record_path is None:  # logged by `register_instance`
            return
        try:
            self._server = await asyncio.start_server(self._serve_connection, LOOPBACK, 0, limit=MAX_LINE_BYTES)
            port = self._server.sockets[0].getsockname()[1]
            record = Record(os.getpid(), port, self._secret)
            await asyncio.to_thread(write_private, self._record_path, json.dumps(asdict(record)).encode())
        except OSError as error:
            _log_unreachable(error)

    def stop_listening(self) -> None:
        """Take no more requests."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                request = _decode_line(await reader.readline())
                answer = self._check_request(request)
                writer.write(_encode_line(answer=answer))
                await writer.drain()
        except (OSError, ValueError):  # gone, too slow, or a line that is too long
            return
        finally:
            writer.close()
        if answer == "ok":
            self._on_quit(request.get("now") is True)

    def _check_request(self, request: dict[str, Any]) -> Literal["ok", "unsupported", "invalid"]:
        given = request.get("secret")
        if not isinstance(given, str) or not compare_digest(given.encode(), self._secret.encode()):
            return "invalid"
        version = request.get("v")
        if type(version) is int and version > VERSION:
            return "unsupported"
        return "ok" if version == VERSION and request.get("command") == "quit" else "invalid"


@contextmanager
def register_instance(data_dir: Path) -> Iterator[OwnInstance]:
    """Hold the lock of this process; enter and leave at the very start and end, outside of the event loop.

    Where no file can be locked, such as on a full disk, the program starts all the same, and a warning is logged.
    """
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    directory = data_dir / DIRECTORY
    lock = FileLock(directory / f"{name}.lock", mode=0o600, thread_local=False)
    record: Path | None = directory / f"{name}.json"
    try:
        make_private_dir(directory)
        with _guard(directory):
            lock.acquire(blocking=False)
    except (OSError, NotImplementedError) as error:
        _log_unreachable(error)
        record = None
    try:
        yield OwnInstance(record)
    finally:
        if record is not None:
            with contextlib.suppress(OSError), _guard(directory):
                _remove(lock)
            lock.release()


class RunningInstance:
    """An instance of a data folder, this process or another one, that ran when it was found."""

    def __init__(self, lock_path: Path) -> None:
        self._lock_path = lock_path
        self._record_path = lock_path.with_suffix(".json")
        self._accepted: bool | None = None
        record = self._read_record()
        self.process = record.process if record else None
        """Its process id; None until it has written its record."""

    def is_running(self) -> bool:
        """Whether it still runs. Removes the files of one that does not."""
        return _is_locked(self._lock_path)

    def request_quit(self, *, now: bool, timeout: float) -> None:
        """Ask it to quit, unless it has agreed to that before; blocks for `timeout` seconds at most.

        Does nothing if it cannot be reached, because it is starting, ending, or hung.
        """
        record = self._read_record()
        if self._accepted or record is None:
            return
        self.process = record.process
        line = _encode_line(command="quit", now=now, secret=record.secret)
        with contextlib.suppress(OSError):
            self._accepted = _send_line(record.port, line, timeout).get("answer") == "ok"

    @property
    def accepted(self) -> bool | None:
        """Whether it has agreed to quit; None without a reply."""
        return self._accepted

    def _read_record(self) -> Record | None:
        try:
            fields = json.loads(self._record_path.read_bytes())
            return Record(int(fields["process"]), int(fields["port"]), str(fields["secret"]))
        except (OSError, ValueError, LookupError, TypeError):
            return None


def find_instances(data_dir: Path) -> list[RunningInstance]:
    """Find the running instances of a data folder, and remove the files of killed ones. Raises OSError."""
    try:
        with os.scandir(data_dir / DIRECTORY) as entries:
            locks = sorted(Path(entry.path) for entry in entries if entry.name.endswith(".lock"))
    except FileNotFoundError:
        return []
    return [RunningInstance(lock) for lock in locks if _is_locked(lock)]


def _is_locked(path: Path) -> bool:
    """Whether the instance of this lock runs. Removes the files of one that does not."""
    with _guard(path.parent):
        if not path.exists():  # locking would create it
            return False
        lock = FileLock(path, mode=0o600)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return True
        with contextlib.suppress(OSError):
            _remove(lock)
        return False


def _remove(lock: FileLock) -> None:
    """Remove the files of an instance whose lock is held, and release it."""
    path = Path(lock.lock_file)
    record = path.with_suffix(".json")
    # `quit` may be reading it, and without its lock nobody would find it again.
    retry_while_open(record, lambda: record.unlink(missing_ok=True))
    lock.release()  # Windows removes no open file
    path.unlink(missing_ok=True)


def _guard(directory: Path) -> FileLock:
    """Lock to hold while the locks of `directory` are created, tried and removed.

    Without it a lock could be removed by who finds it not yet locked, or created again by who tries it at its end.
    """
    return FileLock(directory.with_suffix(".lock"), mode=0o600, timeout=LOCK_SECONDS, thread_local=False)


def _send_line(port: int, line: bytes, timeout: float) -> dict[str, Any]:
    with socket.create_connection((LOOPBACK, port), timeout) as connection:
        connection.sendall(line)
        with connection.makefile("rb") as reply:
            return _decode_line(reply.readline(MAX_LINE_BYTES))


def _encode_line(**fields: object) -> bytes:
    return json.dumps({"v": VERSION, **fields}).encode() + b"\n"


def _decode_line(line: bytes) -> dict[str, Any]:
    """The fields of a line, which any program can send; empty if it is invalid."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _log_unreachable(error: BaseException) -> None:
    log.warning("`quit` cannot reach this process: %s", error)
