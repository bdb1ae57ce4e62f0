"""Locates the Claude Code CLI.

Order: the setting, PATH, then the folders of `places.py`, then the bundled one. The first that can be started is used,
as a shell would; what is passed over is named only if there is none.
"""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from server.backends.claude_cli.transport.install_hint import install_hint
from server.backends.claude_cli.transport.places import NPM_PROGRAM, find_places
from server.core.errors import CliNotFound

NOT_FOUND = "Claude Code was not found on this computer."
_HEAD_BYTES = 512


def locate_cli(claude_path: Path | None = None) -> Path:
    """Return the CLI to run: `claude_path`, the user's own, or the bundled one.

    Raises `CliNotFound` if there is none, or if `claude_path` cannot be run.
    """
    if claude_path is not None:
        return _check_usable(claude_path, "Correct claude_path, or remove it to use the Claude Code that is found.")
    found = _first_usable(_find_candidates())
    if isinstance(found, CliNotFound):
        raise found
    return found


def has_own_cli() -> bool:
    """Whether the user has Claude Code, apart from the bundled one."""
    return not isinstance(_first_usable(_find_own()), CliNotFound)


def _first_usable(candidates: Iterable[Path]) -> Path | CliNotFound:
    reason: CliNotFound | None = None
    for candidate in candidates:
        try:
            return _check_usable(candidate, install_hint())
        except CliNotFound as error:
            # A folder that cannot be searched says nothing about a program in it.
            if reason is None and os.path.lexists(candidate):
                reason = error
    if reason is None:
        return CliNotFound(NOT_FOUND, hint=install_hint())
    return CliNotFound(f"No usable Claude Code was found. {reason.message}", hint=reason.hint)


def _check_usable(path: Path, missing_hint: str) -> Path:
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
        raise CliNotFound(_describe_missing(path), hint=missing_hint)
    if path.suffix.lower() in (".cmd", ".bat"):
        raise CliNotFound(
            f"{path} is a batch file, which could run arguments as commands.",
            hint="Set claude_path to claude.exe instead.",
        )
    if not os.access(path, os.X_OK):
        raise CliNotFound(f"{path} is not executable.", hint="Make it executable, or set claude_path to another file.")
    if sys.platform != "win32":
        _check_start(path)
    return path


def _describe_missing(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder, not the program of Claude Code."
    if path.is_symlink():
        return f"There is no Claude Code at {path}, a link that leads to no file."
    return f"There is no Claude Code at {path}."


def _check_start(path: Path) -> None:
    """Raise `CliNotFound` if the system could not start the file: text without an interpreter, or one that is missing.

    npm leaves such a text where it may not run the package's script, which would put the program there.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:  # executable, but not readable
        return
    if head.startswith(b"#!"):
        interpreter = _interpreter(head.splitlines()[0].decode("utf-8", "replace"))
        if shutil.which(interpreter) is None:
            raise CliNotFound(
                f"{path} needs {interpreter}, which is not on PATH.",
                hint=f"Install the Claude Code that needs no {Path(interpreter).name}. {install_hint()}",
            )
    elif b"\0" not in head:  # every program of the system has one there
        raise CliNotFound(
            f"{path} is not a program; an installation may be incomplete.",
            hint=f"Install Claude Code again. {install_hint()}",
        )


def _interpreter(line: str) -> str:
    """The program that a script's first line names, behind `env` too."""
    words = line[2:].split() or [""]
    if Path(words[0]).name != "env":
        return words[0]
    return next((word for word in words[1:] if not word.startswith("-") and "=" not in word), words[0])


def _find_candidates() -> Iterator[Path]:
    yield from _find_own()
    yield from find_bundled("claude.exe" if sys.platform == "win32" else "claude")


def _find_own() -> Iterator[Path]:
    windows = sys.platform == "win32"
    # Not the current directory, which an entry may name: it is not the user's choice of programs.
    on_path = [Path(folder) for folder in os.get_exec_path() if os.path.isabs(folder)]
    for folder in on_path:
        yield folder / ("claude.exe" if windows else "claude")
    if windows:  # where npm's batch file is
        yield from (folder / NPM_PROGRAM for folder in on_path)
    yield from find_places(sys.platform, os.environ, Path(os.path.expanduser("~")))


def find_bundled(name: str = "claude") -> Iterator[Path]:
    """Yield the path of the CLI in the package `claude-agent-sdk` if installed."""
    spec = importlib.util.find_spec("claude_agent_sdk")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        yield Path(folder) / "_bundled" / name
