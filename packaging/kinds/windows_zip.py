"""Windows: the bundle as a zip that runs from wherever it is unpacked. Built on Windows, or on Linux under wine."""

import sys
import zipfile
from pathlib import Path

from kinds.bundle import pyinstaller_words, requirements, take_bundle
from project import Project
from recipe import Build, Kind
from windows import checks, wine
from windows.machine import PROCESSOR
from windows.signing import sign

ON_WINDOWS = sys.platform == "win32"


def build(build: Build) -> Path:
    """Build the zip. Returns it."""
    if not ON_WINDOWS:
        build_under_wine(build)
    folder = bundle_folder(build)
    sign(*folder.glob("*.exe"))
    archive = build.output / f"{package_name(build.project)}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as files:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            files.write(path, Path(folder.name) / path.relative_to(folder))
    return archive


def bundle_folder(build: Build) -> Path:
    """The folder that goes into the packages of Windows."""
    return build.artefacts["bundle"] if ON_WINDOWS else build.output / "windows" / build.project.name


def package_name(project: Project) -> str:
    """Name of the packages without an extension: program, version, system and kind of processor."""
    return f"{project.name}-{project.version}-windows-{PROCESSOR}"


def build_under_wine(build: Build) -> None:
    """Build the bundle with Windows' Python under wine, in `bundle_folder`."""
    system = wine.Wine()
    system.set_up()
    work = build.work_dir("windows-zip")
    python = system.make_environment(work, requirements(build))
    with system.prefix(work / "prefix", [build.output]) as prefix:
        prefix.run(python, *pyinstaller_words(work))
    take_bundle(build, work, "windows")


def missing() -> str | None:
    """What this system lacks to build it, or None."""
    return None if ON_WINDOWS else wine.missing()


KIND = Kind(
    "windows-zip",
    "zip for Windows, to unpack and run",
    build,
    checks.check_zip,
    needs=("bundle",) if ON_WINDOWS else ("wheel",),
    missing=missing,
    named_only=not ON_WINDOWS,
)
