"""What every recipe of `kinds/` is made of: the build that runs, and the description of a kind of package."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from project import Project


@dataclass(frozen=True, slots=True)
class Build:
    """One run: the project, the folder for results, and the artefacts built so far by kind.

    `quick` leaves out of the checks what needs a clean system.
    """

    project: Project
    output: Path
    artefacts: dict[str, Path] = field(default_factory=dict)
    quick: bool = False

    def work_dir(self, kind: str) -> Path:
        """An empty folder for a kind's intermediate files."""
        path = self.output / "work" / kind
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path


class BuildFailed(Exception):
    """A package cannot be built or failed its check. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of package.

    `build` returns the artefact, a file or folder. `check` proves it and raises BuildFailed. `missing` tells what this
    system lacks to build it, or None. A kind with `named_only` is built only if it is named.
    """

    name: str
    summary: str
    build: Callable[[Build], Path]
    check: Callable[[Build, Path], None]
    needs: tuple[str, ...] = ()
    missing: Callable[[], str | None] = lambda: None
    named_only: bool = False


def format_size(path: Path) -> str:
    """Size of a file or folder in MB."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file() and not file.is_symlink()]
    return f"{sum(file.stat().st_size for file in files) / 1e6:.1f} MB"


def report(text: str) -> None:
    """Print a line of progress."""
    print(f"package: {text}", file=sys.stderr, flush=True)
