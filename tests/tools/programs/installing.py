"""The programs in a cache of this checkout, each pin in a directory of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.tools.programs.program import Package

WINDOWS = sys.platform == "win32"


class NotInstalled(Exception):
    """A package cannot be had; the text says why."""


def install(package: Package, cache: Path) -> Path:
    """Install a package unless it is there; the directory that its commands are in. Raises NotInstalled."""
    directory = cache / package.directory
    if not (directory / "complete").exists():
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        for command in install_commands(package, directory):
            _run(command)
        (directory / "complete").touch()
    return commands_of(package, directory)


def commands_of(package: Package, directory: Path) -> Path:
    """Directory of an installed package's commands."""
    if package.installer == "npm":
        return directory / "node_modules" / ".bin"
    return directory / ("Scripts" if WINDOWS else "bin")


def install_commands(package: Package, directory: Path) -> list[list[str]]:
    """Command that installs a package into an empty directory."""
    if package.installer == "npm":
        options = ["--no-audit", "--no-fund", "--loglevel", "error"]
        return [["npm", "install", "--prefix", str(directory), *options, *package.requirements]]
    python = commands_of(package, directory) / "python"
    return [
        [sys.executable, "-m", "venv", str(directory)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *package.requirements],
    ]


def _run(command: list[str]) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise NotInstalled(f"{command[0]} is not on this machine")
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise NotInstalled(f"{' '.join(command[:3])} failed: {lines[-1] if lines else done.returncode}")
