"""Locates the Claude Code CLI."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from server.core.errors import CliNotFound

INSTALL_HINT = (
    "Install Claude Code (https://claude.com/claude-code), or install this program with its extra `bundled-cli`, "
    "or set claude_path to the path of `claude`."
)


def locate_cli(claude_path: Path | None = None) -> Path:
    """Return the CLI to run: `claude_path`, the user's own, or the bundled one.

    Raises `CliNotFound` if there is none, or if `claude_path` cannot be run.
    """
    if claude_path is not None:
        return _check_usable(claude_path)
    for candidate in _find_candidates():
        with suppress(CliNotFound):
            return _check_usable(candidate)
    raise CliNotFound("Claude Code was not found on this computer.", hint=INSTALL_HINT)


def _check_usable(path: Path) -> Path:
    try:
        path = path.expanduser()
        is_file = path.is_file()
    except (OSError, ValueError, RuntimeError) as error:  # permissions, a name that is too long, a NUL, an unknown home
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CliNotFound(
            f"The path {str(path)!r} of Claude Code cannot be read: {reason}.",
            hint="Correct claude_path or the permissions of its folders, then try again.",
        ) from error
    if not is_file:
        raise CliNotFound(f"There is no Claude Code at {path}.", hint=INSTALL_HINT)
    if path.suffix.lower() in (".cmd", ".bat"):
        raise CliNotFound(
            f"{path} is a batch file, which could run arguments as commands.",
            hint="Set claude_path to claude.exe instead.",
        )
    if not os.access(path, os.X_OK):
        raise CliNotFound(f"{path} is not executable.", hint="Make it executable, or set claude_path to another file.")
    return path


def _find_candidates() -> Iterator[Path]:
    name = "claude.exe" if sys.platform == "win32" else "claude"
    if found := shutil.which(name):
        yield Path(found)
    home = Path(os.path.expanduser("~"))
    yield home / ".local" / "bin" / name
    yield home / ".claude" / "local" / name
    for folder in ("/opt/homebrew/bin", "/usr/local/bin", "/usr/bin"):
        yield Path(folder) / name
    yield from find_bundled(name)


def find_bundled(name: str = "claude") -> Iterator[Path]:
    """Yield the path of the CLI in the package `claude-agent-sdk` if installed."""
    spec = importlib.util.find_spec("claude_agent_sdk")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        yield Path(folder) / "_bundled" / name
