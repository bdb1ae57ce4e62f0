"""Preferences of the window: its geometry, the theme, column widths. They are not settings of the server.

They are written in another thread, because the server runs in the window's and a disk may be slow.
"""

import base64
import binascii
import logging
from pathlib import Path
from threading import Thread
from typing import Any, Literal, TypeVar

import orjson
from PySide6.QtCore import QByteArray, QObject, QTimer, Signal

from server.config.paths import write_private

log = logging.getLogger(__name__)
T = TypeVar("T")
ThemeChoice = Literal["system", "light", "dark"]

PREFERENCES_FILE = "window.json"
THEMES: tuple[ThemeChoice, ...] = ("system", "light", "dark")
REST_MS = 500
"""Milliseconds without a change before a write: a dragged splitter changes with every pixel."""
_BYTES = "base64"


class Preferences(QObject):
    """The preferences in `<config_dir>/window.json`. Values of an unexpected type are ignored."""

    changed = Signal(str)
    """The name of the changed preference."""

    def __init__(self, config_dir: Path) -> None:
        super().__init__()
        self._file = config_dir / PREFERENCES_FILE
        self._values = _read_file(self._file)
        # Set in the window's thread at a change, and by the writing thread if a write fails, which is retried then.
        self._unwritten = False
        self._writing: Thread | None = None
        self._write_timer = QTimer(self, singleShot=True, interval=REST_MS)
        self._write_timer.timeout.connect(self._start_writing)

    def read_value(self, name: str, default: T) -> T:
        """The value of `name`, such as `requests/columns`, if it has the type of `default`; otherwise `default`."""
        kept = self._values.get(name)
        if isinstance(default, QByteArray):
            kept = _decode_bytes(kept)
        return kept if type(kept) is type(default) else default

    def set_value(self, name: str, value: Any) -> None:
        """Set a value: a QByteArray or a JSON type. It is written to the file after a delay."""
        self._values[name] = {_BYTES: _encode_bytes(value)} if isinstance(value, QByteArray) else value
        self._unwritten = True
        self._write_timer.start()
        self.changed.emit(name)

    @property
    def theme(self) -> ThemeChoice:
        """The colour theme."""
        kept = self.read_value("theme", "system")
        return next((choice for choice in THEMES if choice == kept), "system")

    @theme.setter
    def theme(self, choice: ThemeChoice) -> None:
        self.set_value("theme", choice)

    @property
    def guide_done(self) -> bool:
        """Whether the user has completed or skipped the first-run guide."""
        return self.read_value("guide_done", False)

    @guide_done.setter
    def guide_done(self, done: bool) -> None:
        self.set_value("guide_done", done)

    @property
    def geometry(self) -> QByteArray:
        """The window's position and size in Qt's format."""
        return self.read_value("window/geometry", QByteArray())

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self.set_value("window/geometry", geometry)

    def sync(self) -> None:
        """Write pending changes, and wait for that."""
        self._write_timer.stop()
        if self._writing is not None:
            self._writing.join()
        if self._unwritten:
            self._unwritten = False
            self._write_file(orjson.dumps(self._values))

    def _start_writing(self) -> None:
        if self._writing is not None and self._writing.is_alive():
            self._write_timer.start()
            return
        self._unwritten = False
        content = orjson.dumps(self._values)
        self._writing = Thread(target=self._write_file, args=(content,), name="write preferences")
        self._writing.start()

    def _write_file(self, content: bytes) -> None:
        try:
            write_private(self._file, content)
        except OSError as error:
            # Retried with the next change and at the end.
            self._unwritten = True
            log.warning("the window's preferences could not be written: %s", error)


def _read_file(file: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _encode_bytes(value: QByteArray) -> str:
    return base64.b64encode(value.data()).decode()


def _decode_bytes(kept: Any) -> QByteArray | None:
    try:
        return QByteArray(base64.b64decode(kept[_BYTES], validate=True))
    except (TypeError, KeyError, binascii.Error, ValueError):
        return None
