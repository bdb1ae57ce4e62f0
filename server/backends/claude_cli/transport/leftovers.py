"""Removes the files of killed CLIs: session record, inbox socket and key.

After a kill the user's `claude agents` would still list the process; an orderly end leaves no files. With CLI 2.1.330
`sessions/PID.json` holds `pid`, `cwd` and, with an inbox, `messagingSocketPath`; the key is `sessions/PID.*.key`.
"""

import contextlib
import logging
import os
import stat
from pathlib import Path
from typing import Any

import orjson
import psutil

log = logging.getLogger(__name__)


def remove_leftovers(config: Path, directory: Path, pid: int | None = None) -> int:
    """Remove the files of dead processes, or of `pid`. Returns their number.

    `config` is Claude Code's configuration directory. Only records that name `directory`, which is private to this
    program, are removed. The user's sessions run elsewhere; one with a reused pid has written a record of its own.
    """
    sessions = config / "sessions"
    files = [sessions / f"{pid}.json"] if pid is not None else sorted(sessions.glob("*.json"))
    return sum(_remove_record(file, directory) for file in files)


def _remove_record(file: Path, directory: Path) -> bool:
    record = _read_record(file)
    if record is None or not _is_dead(record["pid"]) or not _is_same_directory(record["cwd"], directory):
        return False
    if isinstance(path := record.get("messagingSocketPath"), str) and _is_socket(path):
        _remove_file(Path(path))
    for key in file.parent.glob(f"{record['pid']}.*.key"):
        _remove_file(key)
    _remove_file(file)
    return True


def _read_record(file: Path) -> dict[str, Any] | None:
    """Read a record with a directory and its file name's pid, otherwise None."""
    try:
        record = orjson.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    valid = (
        isinstance(record, dict)
        and isinstance(record.get("pid"), int)
        and record["pid"] > 0
        and file.stem == str(record["pid"])
        and isinstance(record.get("cwd"), str)
    )
    return record if valid else None


def _is_dead(pid: int) -> bool:
    """Whether no process, of any program, has this id. A zombie counts as dead."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


def _is_same_directory(path: str, directory: Path) -> bool:
    try:
        return os.path.normcase(os.path.realpath(path)) == os.path.normcase(os.path.realpath(directory))
    except (OSError, ValueError):  # a NUL in it
        return False


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def _remove_file(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        try:
            path.unlink()
        except PermissionError as error:
            log.warning("%s of an ended Claude Code process cannot be removed: %s", path, error)
