"""The wheel and the sdist, for pip, pipx and uv."""

import subprocess
import sys
import zipfile
from pathlib import Path

from environments import install_packages, make_environment, scripts_dir
from project import ROOT
from recipe import Build, BuildFailed, Kind, report
from smoke import SmokeFailed, run_smoke_test


def build(build: Build) -> Path:
    """Build the sdist, and the wheel from it. Returns the wheel."""
    # Without isolation: the pinned build backend is installed, and nothing is fetched.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(build.output), str(ROOT)]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        raise BuildFailed(f"the wheel was not built:\n{made.stdout}{made.stderr}")
    return build.output / f"{build.project.name}-{build.project.version}-py3-none-any.whl"


def check(build: Build, wheel: Path) -> None:
    """Check the metadata as PyPI does, and that the wheel installs one top-level package."""
    sdist = wheel.with_name(f"{build.project.name}-{build.project.version}.tar.gz")
    command = [sys.executable, "-m", "twine", "check", "--strict", str(wheel), str(sdist)]
    checked = subprocess.run(command, capture_output=True, text=True)
    if checked.returncode:
        raise BuildFailed(f"PyPI would refuse the metadata:\n{checked.stdout}")
    if (names := top_level_names(wheel)) != {build.project.name}:
        raise BuildFailed(f"the wheel installs the top-level names {', '.join(sorted(names))}")


def check_installed(build: Build, wheel: Path) -> None:
    """Check the metadata, then install the wheel without and with its window and run the smoke test on both."""
    check(build, wheel)
    environment = build.work_dir("wheel") / "environment"
    make_environment(environment, [str(wheel)])
    for extras, window in (("", False), ("[tray]", True)):
        install_packages(environment, [f"{wheel}{extras}"])
        try:
            figures = run_smoke_test([str(scripts_dir(environment) / build.project.name)], window=window)
        except SmokeFailed as error:
            raise BuildFailed(f"the installed wheel{extras} does not work: {error}") from error
        report(f"the installed wheel{extras} {figures}")


def top_level_names(wheel: Path) -> set[str]:
    """Names that a wheel adds to site-packages, without its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    return {name for name in tops if not name.endswith(".dist-info")}


KIND = Kind("wheel", "wheel and sdist for pip, pipx and uv", build, check_installed)
