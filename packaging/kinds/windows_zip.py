"""Windows: the bundle as a zip that runs from wherever it is unpacked. Built on Windows, or under wine."""

import shutil
import sys
import zipfile
from pathlib import Path

from project import ROOT
from recipe import Build, BuildFailed, Kind
from windows import checks, wine

EXTRAS = "tray,otel"
SPEC = ROOT / "packaging" / "bundle" / "dragoman.spec"


def build(build: Build) -> Path:
    """Build the zip. Returns it."""
    if sys.platform == "win32":
        folder = build.artefacts["bundle"]
    else:
        folder = build_under_wine(build)
    archive = build.output / f"{build.project.name}-{build.project.version}-windows-x64.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as files:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            files.write(path, Path(folder.name) / path.relative_to(folder))
    return archive


def build_under_wine(build: Build) -> Path:
    """Build the bundle with Windows' Python under wine. Returns its folder."""
    system = wine.Wine()
    system.set_up()
    work = build.work_dir("windows-zip")
    python = system.make_environment(work, [f"{build.artefacts['wheel']}[{EXTRAS}]", "pyinstaller"])
    with system.prefix(work / "prefix", [build.output]) as prefix:
        command = [wine.windows_path(python), "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
        command += ["--distpath", wine.windows_path(work / "dist"), "--workpath", wine.windows_path(work / "analysis")]
        prefix.run([*command, wine.windows_path(SPEC)])
    folder = build.output / "windows" / build.project.name
    shutil.rmtree(folder.parent, ignore_errors=True)
    folder.parent.mkdir(parents=True)
    return (work / "dist" / build.project.name).rename(folder)


def check(build: Build, archive: Path) -> None:
    """Unpack the zip to a path with a space and other letters, and use it."""
    if sys.platform == "win32":
        return  # the same files as the bundle's, which has been checked
    checks.check_zip(build, archive)


def missing() -> str | None:
    """What this system lacks to build it, or None."""
    return None if sys.platform == "win32" else wine.missing()


KIND = Kind(
    "windows-zip",
    "zip for Windows, to unpack and run",
    build,
    check,
    needs=("bundle",) if sys.platform == "win32" else ("wheel",),
    missing=missing,
)
