"""The second start's side of the talk between two starts. Blocks: it runs before there is a window."""

import enum
import time

from PySide6.QtNetwork import QLocalSocket

from tray_app.desktop.instance.launch import MAX_LINE_BYTES, Launch, decode_answer, encode

CONNECT_MS = 500
# Short, so that Ctrl-C is heard in between.
SLICE_MS = 100


class Verdict(enum.Enum):
    """What came of it."""

    TAKEN = "taken"
    REFUSED = "refused"
    """It runs, and does not understand."""
    ABSENT = "absent"
    """Nobody listens there, or it went away before it had answered."""
    SILENT = "silent"
    """It was there until the deadline, and did not answer."""


def deliver(launch: Launch, address: str, deadline: float) -> Verdict:
    """Say `launch` to the one that listens at `address`; `deadline` by the monotonic clock."""
    socket = QLocalSocket()
    socket.connectToServer(address)
    if not socket.waitForConnected(CONNECT_MS):
        return Verdict.ABSENT
    try:
        socket.write(encode(launch))
        return _verdict(_answer(socket, deadline), socket)
    finally:
        socket.abort()


def _verdict(answer: str, socket: QLocalSocket) -> Verdict:
    if answer == "ok":
        return Verdict.TAKEN
    if answer:
        return Verdict.REFUSED
    connected = socket.state() is QLocalSocket.LocalSocketState.ConnectedState
    return Verdict.SILENT if connected else Verdict.ABSENT


def _answer(socket: QLocalSocket, deadline: float) -> str:
    """The answer's word; empty if none comes."""
    while not socket.canReadLine() and socket.bytesAvailable() < MAX_LINE_BYTES:
        arrived = socket.waitForReadyRead(SLICE_MS)
        gone = socket.state() is not QLocalSocket.LocalSocketState.ConnectedState
        if not arrived and (gone or time.monotonic() >= deadline):
            break
    return decode_answer(bytes(socket.readLine(MAX_LINE_BYTES).data()))
