"""Errors of a client's configuration file.

    SetupError
    └── ClientFileError           `path`, before links are followed
        ├── ClientFileDamaged     invalid in its format; `line` and `column` count from 1
        ├── ClientFileUneditable  valid, but a change could damage the rest
        ├── ClientFileChanged     another program wrote it in the meantime
        └── ClientFileUnwritable  permissions, a full disk

Nothing was written when one of these is raised.
"""

from pathlib import Path

from server.core.errors import SetupError


class Damaged(Exception):
    """A text is invalid in its format. `line` and `column` count from 1."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column


class Uneditable(Exception):
    """A text is valid, but cannot be changed without touching other parts of it."""


class ClientFileError(SetupError):
    """Base class; nothing was written."""

    def __init__(self, message: str, *, path: Path, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path = path


class ClientFileDamaged(ClientFileError):
    """The file is invalid in its format."""

    def __init__(self, path: Path, *, reason: str, line: int, column: int) -> None:
        message = f"{path} has an error at line {line}, column {column}: {reason}. It was not changed."
        super().__init__(message, path=path, hint="Correct it and try again.")
        self.line = line
        self.column = column


class ClientFileUneditable(ClientFileError):
    """A change could damage the rest of the file."""


class ClientFileChanged(ClientFileError):
    """Another program wrote the file after it was read."""


class ClientFileUnwritable(ClientFileError):
    """The file cannot be read or written."""
