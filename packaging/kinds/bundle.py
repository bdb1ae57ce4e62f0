"""The bundle: a folder with the program, Python and Qt, made by PyInstaller. Other packages wrap it."""

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from environments import make_environment
from linux.libraries import remove_search_paths
from project import ROOT
from recipe import Build, BuildFailed, Kind, report
from smoke import SmokeFailed, run_smoke_test

SPEC = ROOT / "packaging" / "bundle" / "dragoman.spec"
EXTRAS = "tray,otel"
"""Extras of the wheel that are in the bundle. Never `bundled-cli`: the CLI is not ours to pass on."""
TOOLS = ("pyinstaller", "pillow")
"""What the spec runs with; pillow packs the icons."""


def build(build: Build) -> Path:
    """Build the bundle from the wheel, installed in an environment of its own. Returns the bundle's folder."""
    work = build.work_dir("bundle")
    python = make_environment(work / "environment", requirements(build))
    command = [str(word) for word in (python, *pyinstaller_words(work))]
    # PyInstaller keeps stripped libraries for the next build.
    environment = os.environ | {"PYINSTALLER_CONFIG_DIR": str(build.output / "work" / "pyinstaller")}
    made = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
    if made.returncode:
        raise BuildFailed(f"the bundle was not built:\n{made.stdout}{made.stderr}")
    bundle = take_bundle(build, work, "bundle")
    if sys.platform == "linux":
        remove_search_paths(bundle)
    return bundle


def requirements(build: Build) -> list[str]:
    """Requirements of the environment that a bundle is built from: what is there may end up in the bundle."""
    return [f"{build.artefacts['wheel']}[{EXTRAS}]", *TOOLS]


def pyinstaller_words(work: Path) -> list[str | Path]:
    """Arguments of Python that build the bundle below `work`."""
    options: list[str | Path] = ["-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    return [*options, "--distpath", work / "dist", "--workpath", work / "analysis", SPEC]


def take_bundle(build: Build, work: Path, folder: str) -> Path:
    """Move the bundle that was built below `work` into a folder of the output, and return its path there."""
    bundle = build.output / folder / build.project.name
    shutil.rmtree(bundle.parent, ignore_errors=True)
    bundle.parent.mkdir(parents=True)
    return (work / "dist" / build.project.name).rename(bundle)


def check(build: Build, bundle: Path) -> None:
    """Run the smoke test on a copy in a folder whose name has spaces and letters beyond ASCII."""
    with tempfile.TemporaryDirectory() as directory:
        moved = Path(directory) / "Zażółć gęślą" / bundle.name
        shutil.copytree(bundle, moved, symlinks=True)
        try:
            figures = run_smoke_test([str(program(moved))])
        except SmokeFailed as error:
            raise BuildFailed(f"the bundle does not work: {error}") from error
    report(f"the bundle {figures}")


def missing() -> str | None:
    """What this system lacks for PyInstaller, or None."""
    if find_spec("PyInstaller") is None:
        return "there is no PyInstaller for this version of Python"
    tools = ("objdump", "strip", "chrpath") if sys.platform == "linux" else ()
    if lacking := [name for name in tools if shutil.which(name) is None]:
        return f"{' and '.join(lacking)} missing; Debian and Ubuntu have them in binutils and chrpath"
    return None


def program(bundle: Path) -> Path:
    """The program of a bundle."""
    return bundle / f"{bundle.name}.exe" if sys.platform == "win32" else bundle / bundle.name


KIND = Kind("bundle", "folder with the program, Python and Qt", build, check, needs=("wheel",), missing=missing)
