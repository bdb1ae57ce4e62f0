"""Detects changes of the CLI and its login by the state of their files.

No file is read and no process is started. On macOS the login is in the keychain, where changes are not detected.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from server.backends.claude_cli.transport.locate import locate_cli
from server.backends.claude_cli.transport.user_settings import config_directory
from server.core.errors import CliNotFound

FileState = tuple[str, int, int, int]
"""Path, inode, modification time in ns, size in bytes."""


class CliWatch:
    """Locates the CLI and detects changes. `outer` names its home.

    `on_program` is called if the program has changed or is missing since the last check, `on_login` if the login file
    has changed.
    """

    def __init__(
        self,
        claude_path: Path | None,
        outer: Mapping[str, str],
        *,
        on_program: Callable[[], None],
        on_login: Callable[[], None],
    ) -> None:
        self._claude_path = claude_path
        # https://code.claude.com/docs/en/iam#credential-management
        self._credentials = config_directory(outer) / ".credentials.json"
        self._on_program = on_program
        self._on_login = on_login
        self._program: FileState | None = None
        self._program_known = False
        self._login = _file_state(self._credentials)

    def locate(self) -> Path:
        """Find the program to run. Raises `CliNotFound`."""
        try:
            path = locate_cli(self._claude_path)
        except CliNotFound:
            self._update_program(None)
            raise
        self._update_program(_file_state(path))
        return path

    def check_files(self) -> None:
        """Call the callbacks for what has changed. Costs two `stat` calls if nothing has."""
        if self._program is None or _file_state(Path(self._program[0])) != self._program:
            with suppress(CliNotFound):
                self.locate()
        login = _file_state(self._credentials)
        if login != self._login:
            self._login = login
            self._on_login()

    def _update_program(self, program: FileState | None) -> None:
        changed = self._program_known and program != self._program
        self._program, self._program_known = program, True
        if changed:
            self._on_program()


def _file_state(path: Path) -> FileState | None:
    """None if the file is missing or not accessible."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return str(path), stat.st_ino, stat.st_mtime_ns, stat.st_size
