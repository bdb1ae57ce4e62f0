"""Fresh virtual environments, with what is installed there and nothing else."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from project import ROOT
from recipe import BuildFailed


def make_environment(directory: Path, requirements: Sequence[str]) -> Path:
    """Create a virtual environment with `requirements`, in the pinned versions. Returns its interpreter.

    Raises BuildFailed with pip's output.
    """
    made = subprocess.run([sys.executable, "-m", "venv", str(directory)], capture_output=True, text=True)
    if made.returncode:
        raise BuildFailed(f"the virtual environment {directory} was not created:\n{made.stdout}{made.stderr}")
    install_packages(directory, requirements)
    return interpreter(directory)


def install_packages(directory: Path, requirements: Sequence[str]) -> None:
    """Install `requirements` in a virtual environment, in the pinned versions. Raises BuildFailed with pip's output."""
    install = [str(interpreter(directory)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    install += ["-c", str(ROOT / "constraints.txt"), *requirements]
    # Outside the checkout, whose folders must not be found.
    installed = subprocess.run(install, cwd=directory, capture_output=True, text=True)
    if installed.returncode:
        raise BuildFailed(f"pip could not install {' '.join(requirements)}:\n{installed.stderr}")


def interpreter(directory: Path) -> Path:
    """The interpreter of a virtual environment."""
    return scripts_dir(directory) / ("python.exe" if sys.platform == "win32" else "python")


def scripts_dir(directory: Path) -> Path:
    """The folder of an environment's programs."""
    return directory / ("Scripts" if sys.platform == "win32" else "bin")
