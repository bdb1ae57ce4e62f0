"""What a killed CLI leaves behind: its record among Claude Code's sessions, its inbox socket and that one's key.

An orderly end leaves nothing. After a kill the user's `claude agents` would go on to list the process. Seen with CLI
2.1.330: `sessions/PID.json` holds `pid`, `cwd` and, where there is an inbox, `messagingSocketPath`; the key is
`sessions/PID.*.key`.
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
    """Remove what dead processes that were started in `directory` have left, or that of one `pid`. Gives how many.

    `config` is Claude Code's configuration directory. A record is ours if it names `directory`, which is private to
    this program: the user's own sessions run elsewhere, one that was given an old `pid` again included, since it has
    written a record of its own. What a living process has is left alone.
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
    """A record with the pid of its file's name, and a directory; None for anything else."""
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
    """Whether no process has this id, whatever program it may run by now; one that waits to be reaped is none."""
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
            log.warning("%s, which a process of this program left, cannot be removed: %s", path, error)
