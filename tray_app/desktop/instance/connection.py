"""The first start's side of the talk between two starts: one message and one answer for each connection."""

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtNetwork import QLocalSocket

from tray_app.desktop.instance.launch import MAX_LINE_BYTES, Answer, Launch, decode, encode_answer

PATIENCE_MS = 5000
"""How long the other side may take to say what it wants, and to go."""


class Connection(QObject):
    """Reads one line, never more than its bound, answers, and ends."""

    understood = Signal(object)
    """The `Launch` that was said."""
    ended = Signal(object)
    """This connection is over."""

    def __init__(self, socket: QLocalSocket) -> None:
        super().__init__()
        self._socket = socket
        self._over = False
        self._answered = False
        socket.setParent(self)
        socket.setReadBufferSize(MAX_LINE_BYTES)
        socket.readyRead.connect(self._read)
        socket.disconnected.connect(self.close)
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self.close)

    def begin(self) -> None:
        """Look at what has come already: its signal was before there was anyone to hear it."""
        self._patience.start()
        self._read()
        if self._socket.state() is QLocalSocket.LocalSocketState.UnconnectedState:
            self.close()

    def close(self) -> None:
        """End the connection, whatever is missing."""
        if self._over:
            return
        self._over = True
        self._patience.stop()
        self._socket.abort()
        self.ended.emit(self)
        self.deleteLater()

    def _read(self) -> None:
        if self._answered:
            self._socket.readAll()
        elif self._socket.canReadLine() or self._socket.bytesAvailable() >= MAX_LINE_BYTES:
            self._answer(decode(bytes(self._socket.readLine(MAX_LINE_BYTES).data())))

    def _answer(self, message: Launch | Answer) -> None:
        self._answered = True
        self._socket.write(encode_answer("ok" if isinstance(message, Launch) else message))
        # Goes when the answer is written; a side that does not read it is cut off by the timer.
        self._socket.disconnectFromServer()
        if isinstance(message, Launch):
            self.understood.emit(message)
