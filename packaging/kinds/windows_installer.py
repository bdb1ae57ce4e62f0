"""Windows: the installer, made by NSIS from the bundle on any system."""

from pathlib import Path

from kinds.windows_zip import ON_WINDOWS, bundle_folder, package_name
from recipe import Build, BuildFailed, Kind
from windows import checks
from windows.installer import find_makensis, make_installer


def build(build: Build) -> Path:
    """Build the installer. Returns it."""
    installer = build.output / f"{package_name(build.project)}-setup.exe"
    make_installer(build.project, bundle_folder(build), installer, build.work_dir("windows-installer"))
    return installer


def check(build: Build, installer: Path) -> None:
    """Install, use, upgrade and remove."""
    checks.check_installer(build, installer, bundle_folder(build))


def missing() -> str | None:
    """What this system lacks to build it, or None."""
    try:
        find_makensis()
    except BuildFailed as error:
        return str(error)
    return None


KIND = Kind(
    "windows-installer",
    "installer for Windows, for one user",
    build,
    check,
    needs=("windows-zip",),
    missing=missing,
    named_only=not ON_WINDOWS,
)
