"""The package for Debian, Ubuntu and their relatives, made from the bundle."""

import hashlib
import os
import shutil
import subprocess
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from licenses import TEXTS_FILE
from linux.debian_changelog import debian_version, render_changelog
from linux.files import install_desktop_files, install_documents, install_unit, write_gzip, write_text
from linux.libraries import debian_packages, read_needs
from linux.templates import build_date, fill_template, short_summary
from linux.trial import make_newer, try_package
from linux.validators import run_checker, validate_desktop_files, validate_documents, validate_unit
from project import ROOT, Project
from recipe import Build, BuildFailed, Kind, report
from smoke import SmokeFailed, run_smoke_test

TOOLS = {"dpkg-deb": "dpkg", "objdump": "binutils"}
RECOMMENDS = ("gnome-keyring | kwalletmanager | keepassxc", "xdg-utils", "dbus-user-session")
SUGGESTS = ("gnome-shell-extension-appindicator",)
COMPRESSION = ("-Zxz", "-z2")
"""The default level takes seven times as long, for a tenth of the size. Zstandard is no format for Debian's lintian."""
RELEASES = ("bookworm", "trixie")
"""Debian's releases that `--check` installs the package in."""


def build(build: Build) -> Path:
    """Build the .deb for this machine's architecture. Returns the file."""
    project = build.project
    root = build.work_dir("deb") / "root"
    architecture = _output("dpkg", "--print-architecture").strip()
    install_files(project, build.artefacts["bundle"], root / "usr")
    fields = Control(
        depends=debian_packages(read_needs(root / "usr" / "lib" / project.name)),
        architecture=architecture,
        kilobytes=installed_kilobytes(root / "usr"),
    )
    write_text(root / "DEBIAN" / "control", render_control(project, fields))
    write_text(root / "DEBIAN" / "md5sums", render_sums(root))
    set_modes(root, {root / "usr" / "lib" / project.name / project.name})
    package = build.output / f"{project.name}_{debian_version(project.version)}_{architecture}.deb"
    pack(root, package)
    return package


def install_files(project: Project, bundle: Path, prefix: Path) -> None:
    """Install the bundle and everything beside it below `prefix`, which stands for `/usr`."""
    program_dir = prefix / "lib" / project.name
    shutil.copytree(bundle, program_dir, symlinks=True)
    link = prefix / "bin" / project.name
    link.parent.mkdir(parents=True)
    link.symlink_to(f"../lib/{project.name}/{project.name}")
    install_desktop_files(project, prefix)
    install_documents(project, prefix)
    install_unit(project, prefix)
    share = prefix / "share"
    licenses = share / "doc" / project.name / TEXTS_FILE
    licenses.symlink_to(f"../../../lib/{project.name}/{TEXTS_FILE}")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = render_changelog(project.name, project.version, maintainer(project), changelog, build_date())
    write_gzip(share / "doc" / project.name / "changelog.gz", entries)
    write_text(share / "lintian" / "overrides" / project.name, fill_template("lintian-overrides.in", project))


def maintainer(project: Project) -> str:
    """The maintainer. Debian wants an address: this one receives nothing, the homepage says where to write."""
    return f"{project.authors} <noreply@{urlsplit(project.repository).hostname}>"


@dataclass(frozen=True, slots=True)
class Control:
    """What the control file says of this build; the rest are facts of the project."""

    depends: Sequence[str]
    architecture: str
    kilobytes: int


def render_control(project: Project, control: Control) -> str:
    """Render the control file."""
    paragraphs = (project.summary, "The claude program is not part of this package.")
    wrapped = (textwrap.indent(textwrap.fill(paragraph, 78), " ") for paragraph in paragraphs)
    fields = {
        "Package": project.name,
        "Version": debian_version(project.version),
        "Architecture": control.architecture,
        "Maintainer": maintainer(project),
        "Installed-Size": str(control.kilobytes),
        "Depends": ", ".join(control.depends),
        "Recommends": ", ".join(RECOMMENDS),
        "Suggests": ", ".join(SUGGESTS),
        "Section": "devel",
        "Priority": "optional",
        "Homepage": project.repository,
        "Description": f"{short_summary(project.summary)}\n" + "\n .\n".join(wrapped),
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def render_sums(root: Path) -> str:
    """Render the checksums of all files of the package, with paths below `root`."""
    files = sorted(path for path in (root / "usr").rglob("*") if path.is_file() and not path.is_symlink())
    return "".join(
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(root)}\n"
        for path in files
    )


def set_modes(root: Path, programs: set[Path]) -> None:
    """Make folders 755, `programs` 755 and all other files 644, whatever the umask was."""
    root.chmod(0o755)
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path in programs else 0o644)


def installed_kilobytes(folder: Path) -> int:
    """Size of the installed files in KiB, each rounded up, as dpkg counts."""
    return sum(-(-path.lstat().st_size // 1024) for path in folder.rglob("*"))


def pack(root: Path, package: Path, *options: str) -> None:
    """Pack `root` into a package whose files belong to root."""
    _output("dpkg-deb", "--root-owner-group", *(options or COMPRESSION), "--build", str(root), str(package))


def check(build: Build, package: Path) -> None:
    """Check the package's form, then install, use, upgrade and remove it in clean systems. Raises BuildFailed."""
    work = build.work_dir("deb-check")
    prefix = work / "unpacked" / "usr"
    _output("dpkg-deb", "--extract", str(package), str(prefix.parent))
    check_form(build.project, package, prefix, work)
    try:
        if build.quick or os.geteuid():
            report("deb: not installed in a clean system, which needs root and time; the unpacked program is tested")
            figures = run_smoke_test([str(prefix / "bin" / build.project.name)])
            report(f"deb: the program {figures}")
        else:
            newer = make_newer(build.project, package, work / "newer")
            for release in RELEASES:
                try_package(build.project, release, package, newer)
    except SmokeFailed as error:
        raise BuildFailed(f"the installed package does not work: {error}") from error


def check_form(project: Project, package: Path, prefix: Path, work: Path) -> None:
    """Run lintian on the package, and other validators on its files, unpacked to `prefix`. Raises BuildFailed."""
    validate_desktop_files(project, prefix)
    validate_documents(project, prefix)
    validate_unit(project, prefix, work)
    run_checker("lintian", "lintian", "--allow-root", "--fail-on", "error,warning", "--info", str(package))


def missing() -> str | None:
    """What this system lacks to build the package, or None."""
    lacking = [f"{tool} (package {package})" for tool, package in TOOLS.items() if shutil.which(tool) is None]
    return f"{', '.join(lacking)} missing" if lacking else None


def _output(*command: str) -> str:
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        raise BuildFailed(f"{' '.join(command)} failed:\n{made.stdout}{made.stderr}")
    return made.stdout


KIND = Kind("deb", "package for Debian and Ubuntu", build, check, needs=("bundle",), missing=missing)
