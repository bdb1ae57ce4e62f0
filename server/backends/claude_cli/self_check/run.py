"""One run of the self-check: every facility of a CLI gets a verdict."""

import asyncio
import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypeVar

import psutil

from server.backends.claude_cli.facilities import REQUIRED, Facility
from server.backends.claude_cli.self_check.dialogue import live
from server.backends.claude_cli.self_check.fast_paths import FAST_PATH_CHECKS
from server.backends.claude_cli.self_check.requirements import check_requirements
from server.backends.claude_cli.self_check.verdict import PROVEN, NotProven, Verdict
from server.backends.claude_cli.self_check.workbench import SILENCE_SECONDS, Workbench
from server.core.errors import DragomanError

log = logging.getLogger(__name__)
T = TypeVar("T")

PROCESSES = 2
"""Processes at once: those of the check must not take the memory of conversations."""
_UNKNOWN_SHAPE = (LookupError, TypeError, ValueError, AttributeError)
"""What an answer raises that lacks what it should have."""


async def run_self_check(
    program: Path,
    parent: Path,
    outer: Mapping[str, str],
    *,
    gate: Callable[[], Awaitable[None]] | None = None,
    silence_seconds: float = SILENCE_SECONDS,
) -> dict[Facility, Verdict]:
    """Check a CLI in a new folder below `parent`, which is removed. Takes 4 s of processor time.

    `gate` is awaited before each process. Raises OSError if the folder cannot be made.
    """
    folder = await asyncio.to_thread(_make_folder, parent)
    try:
        bench = Workbench(program, folder, outer, silence_seconds, gate)
        today = date.today()
        verdicts = await _check_all(bench)
        if date.today() != today:
            # The CLI tells the model the date.
            return {one: replace(verdict, conclusive=verdict.proven) for one, verdict in verdicts.items()}
        return verdicts
    finally:
        await asyncio.shield(asyncio.to_thread(_remove_folder, folder))


async def _check_all(bench: Workbench) -> dict[Facility, Verdict]:
    limit = asyncio.Semaphore(PROCESSES)

    async def attempt(check: Callable[[], Awaitable[T]]) -> T | Verdict:
        async with limit:
            return await judge(check)

    async with asyncio.TaskGroup() as group:
        living = group.create_task(attempt(lambda: live(bench)))
        requiring = group.create_task(attempt(lambda: check_requirements(bench)))
    lived, required = living.result(), requiring.result()
    verdicts = dict.fromkeys(REQUIRED, required) if isinstance(required, Verdict) else required
    if isinstance(lived, Verdict):
        return {**verdicts, **dict.fromkeys(FAST_PATH_CHECKS, lived)}
    async with asyncio.TaskGroup() as group:
        tasks = {
            facility: group.create_task(attempt(lambda check=check: check(bench, lived)))  # type: ignore[misc]
            for facility, check in FAST_PATH_CHECKS.items()
        }
    return {**verdicts, **{facility: task.result() or PROVEN for facility, task in tasks.items()}}


async def judge(check: Callable[[], Awaitable[T]]) -> T | Verdict:
    """Run a check; return its failure as a verdict."""
    try:
        return await check()
    except NotProven as error:
        return Verdict(False, str(error))
    except DragomanError as error:
        return Verdict(False, error.message, conclusive=False)
    except OSError as error:
        return Verdict(False, error.strerror or str(error), conclusive=False)
    except _UNKNOWN_SHAPE as error:
        log.debug("an answer in the self-check was of an unknown shape", exc_info=error)
        return Verdict(False, "an answer was of an unknown shape")


def _make_folder(parent: Path) -> Path:
    """Make a folder that names this process, so that a later one can tell whether it is a leftover."""
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=parent, prefix=f"{os.getpid()}-"))


def _remove_folder(folder: Path) -> None:
    """Remove the folder of a run; what Windows keeps open for a moment is removed at the next start."""
    shutil.rmtree(folder, ignore_errors=True)
    # Fails if another run has its folder there.
    with contextlib.suppress(OSError):
        folder.parent.rmdir()


def remove_leftover_checks(parent: Path) -> int:
    """Remove the folders of runs whose program was killed. Returns their number."""
    folders = [one for one in parent.glob("*-*") if one.is_dir() and not _is_running(one.name.partition("-")[0])]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return len(folders)


def _is_running(pid: str) -> bool:
    return pid.isdecimal() and int(pid) != os.getpid() and psutil.pid_exists(int(pid))
