"""The application for macOS: the bundle as an .app that lives in the menu bar, signed."""

import os
import platform
import shutil
import tempfile
from pathlib import Path

from macos.signing import read_signing, run, sign_app, verify_command
from recipe import Build, BuildFailed, Kind, report
from smoke import SmokeFailed, run_smoke_test

TOOLS = ("codesign", "ditto", "security", "xcrun")


def build(build: Build) -> Path:
    """Sign the application that the spec made beside the bundle. Returns its folder."""
    signing = read_signing(os.environ)
    name = f"{build.project.title}.app"
    app = build.work_dir("macos-app") / name
    shutil.copytree(build.output / "work" / "bundle" / "dist" / name, app, symlinks=True)
    sign_app(app, signing)
    return app


def check(build: Build, app: Path) -> None:
    """Check the signatures, and run the smoke test on a copy in a folder whose name has a space and other letters."""
    with tempfile.TemporaryDirectory() as directory:
        moved = Path(directory) / "Zażółć gęślą" / app.name
        shutil.copytree(app, moved, symlinks=True)
        run(verify_command(moved))
        try:
            figures = run_smoke_test([str(program(moved, build.project.name))])
        except SmokeFailed as error:
            raise BuildFailed(f"the application does not work: {error}") from error
    report(f"{app.name} {figures}")


def program(app: Path, name: str) -> Path:
    """The program of an application."""
    return app / "Contents" / "MacOS" / name


def architecture() -> str:
    """The architecture that this machine builds for, as file names have it. Each is built on its own machine."""
    return platform.machine().lower()


def missing() -> str | None:
    """What this system lacks to build it, or None."""
    if platform.system() != "Darwin":
        return "applications for macOS are built on macOS alone"
    if lacking := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"{' and '.join(lacking)} missing; `xcode-select --install` installs Apple's tools"
    return None


KIND = Kind("macos-app", "application for macOS", build, check, needs=("bundle",), missing=missing)
