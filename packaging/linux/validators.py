"""Checks of installed files by the validators of their formats."""

import os
import shutil
import subprocess
from pathlib import Path

from linux.files import desktop_file, manpage_file, metainfo_file, unit_file
from project import Project
from recipe import BuildFailed, report


def validate_desktop_files(project: Project, prefix: Path) -> None:
    """Validate desktop entry and metainfo below `prefix`. Raises BuildFailed."""
    run_checker("desktop-file-validate", "desktop-file-utils", str(desktop_file(project, prefix)))
    metainfo = metainfo_file(project, prefix)
    run_checker("appstreamcli", "appstream", "validate", "--no-net", "--pedantic", str(metainfo))
    if not project.has_home:
        report("metainfo: id, homepage and picture are not looked up, since the project has no home yet")


def validate_documents(project: Project, prefix: Path) -> None:
    """Validate the manual page below `prefix`. Raises BuildFailed."""
    run_checker("mandoc", "mandoc", "-T", "lint", str(manpage_file(project, prefix)))


def validate_unit(project: Project, prefix: Path, work: Path) -> None:
    """Validate the systemd unit below `prefix`, with a runtime folder and a copy in `work`. Raises BuildFailed."""
    unit = unit_file(project, prefix).read_text(encoding="utf-8")
    copy = work / f"{project.name}.service"
    # The program is looked for where the unit names it, and systemd's `verify` knows no other root for users' units.
    copy.write_text(unit.replace("=/usr/bin/", f"={prefix}/bin/"), encoding="utf-8")
    runtime = {"XDG_RUNTIME_DIR": str(work), "HOME": str(work)}
    run_checker("systemd-analyze", "systemd", "--user", "verify", "--man=no", str(copy), **runtime)


def run_checker(program: str, package: str, *arguments: str, **variables: str) -> None:
    """Run a validator, which Debian's `package` has. Raises BuildFailed with its findings, or if it is missing."""
    if shutil.which(program) is None:
        raise BuildFailed(f"{program} is missing; Debian and Ubuntu have it in {package}")
    environment = os.environ | {"LC_ALL": "C.UTF-8"} | variables
    ran = subprocess.run([program, *arguments], capture_output=True, text=True, env=environment)
    if ran.returncode or ran.stderr.strip():  # systemd-analyze succeeds with unknown keys
        raise BuildFailed(f"{program} found:\n{ran.stdout}{ran.stderr}")
