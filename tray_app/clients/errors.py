"""What can be wrong with a client's configuration file.

    SetupError
    └── ClientFileError           `path`, as the person knows it
        ├── ClientFileDamaged     not what its format says; `line` and `column` count from 1
        ├── ClientFileUneditable  sound, but not to be changed without a risk
        ├── ClientFileChanged     somebody else wrote it in the meantime
        └── ClientFileUnwritable  rights, a full disk

Nothing was written when one of these is raised.
"""

from pathlib import Path

from server.core.errors import SetupError


class Damaged(Exception):
    """A text is not of its format. `line` and `column` count from 1."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column


class Uneditable(Exception):
    """A text is sound, but cannot be changed without touching what does not concern us."""


class ClientFileError(SetupError):
    """Something about a client's file; nothing was written."""

    def __init__(self, message: str, *, path: Path, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path = path


class ClientFileDamaged(ClientFileError):
    """The file is not what its format says."""

    def __init__(self, path: Path, *, reason: str, line: int, column: int) -> None:
        message = f"{path} has an error at line {line}, column {column}: {reason}. It was not changed."
        super().__init__(message, path=path, hint="Correct it and try again.")
        self.line = line
        self.column = column


class ClientFileUneditable(ClientFileError):
    """The file cannot be changed without a risk for the rest of it."""


class ClientFileChanged(ClientFileError):
    """Somebody else wrote the file after it was looked at."""


class ClientFileUnwritable(ClientFileError):
    """The file cannot be read or written."""
