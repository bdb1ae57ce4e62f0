"""The package for Debian, Ubuntu and their relatives, made from the bundle."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from linux.files import install_desktop_files, install_documents, install_unit
from linux.libraries import debian_packages, read_needs
from linux.templates import fill_template, short_summary
from linux.validators import run_checker, validate_desktop_files, validate_documents, validate_unit
from project import Project
from recipe import Build, BuildFailed, Kind

TOOLS = {"dpkg-deb": "dpkg", "objdump": "binutils"}
RECOMMENDS = ("gnome-keyring | kwalletmanager | keepassxc", "xdg-utils", "dbus-user-session")
SUGGESTS = ("gnome-shell-extension-appindicator",)


def build(build: Build) -> Path:
    """Build the .deb for this machine's architecture."""
    project = build.project
    root = build.work_dir("deb") / "root"
    program_dir = root / "usr" / "lib" / project.name
    shutil.copytree(build.artefacts["bundle"], program_dir, symlinks=True)
    link = root / "usr" / "bin" / project.name
    link.parent.mkdir(parents=True)
    link.symlink_to(f"../lib/{project.name}/{project.name}")
    install_desktop_files(project, root / "usr")
    install_documents(project, root / "usr", program_dir)
    install_unit(project, root / "usr")
    overrides = root / "usr" / "share" / "lintian" / "overrides" / project.name
    overrides.parent.mkdir(parents=True)
    overrides.write_text(fill_template("lintian-overrides.in", project), encoding="utf-8")
    set_modes(root, {program_dir / project.name})
    architecture = _output("dpkg", "--print-architecture").strip()
    control = root / "DEBIAN" / "control"
    control.parent.mkdir(mode=0o755)
    depends = debian_packages(read_needs(program_dir))
    control.write_text(render_control(project, architecture, depends, installed_kilobytes(root)), encoding="utf-8")
    sums = _output("sh", "-c", "find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum", directory=root)
    (root / "DEBIAN" / "md5sums").write_text(sums, encoding="utf-8")
    for file in control.parent.iterdir():
        file.chmod(0o644)
    package = build.output / f"{project.name}_{debian_version(project.version)}_{architecture}.deb"
    _output("dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(root), str(package))
    return package


def debian_version(version: str) -> str:
    """A version as dpkg orders it: 1.0rc1 comes before 1.0."""
    for mark in ("a", "b", "rc", ".dev"):
        version = version.replace(mark, f"~{mark.strip('.')}")
    return version


def render_control(project: Project, architecture: str, depends: Sequence[str], kilobytes: int) -> str:
    """Render the control file."""
    fields = {
        "Package": project.name,
        "Version": debian_version(project.version),
        "Architecture": architecture,
        "Maintainer": f"{project.authors} <{project.name}@{project.repository.split('/')[2]}>",
        "Installed-Size": str(kilobytes),
        "Depends": ", ".join(depends),
        "Recommends": ", ".join(RECOMMENDS),
        "Suggests": ", ".join(SUGGESTS),
        "Section": "devel",
        "Priority": "optional",
        "Homepage": project.repository,
        "Description": f"{short_summary(project.summary)}\n {project.summary}\n .\n"
        " The claude program is not part of this package.",
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def set_modes(root: Path, programs: set[Path]) -> None:
    """Make folders 755, `programs` 755 and all other files 644."""
    root.chmod(0o755)
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path in programs else 0o644)


def installed_kilobytes(root: Path) -> int:
    """Size of the installed files in KiB, each rounded up, as dpkg counts."""
    return sum(-(-path.lstat().st_size // 1024) for path in root.rglob("*"))


def check(build: Build, package: Path) -> None:
    """Check the package's form with Debian's tools, and that its program starts from the unpacked files."""
    check_form(build, package)
    check_start(build, package)


def check_form(build: Build, package: Path) -> None:
    """Run lintian and the validators of desktop entry, metainfo, manual page and unit. Raises BuildFailed."""
    prefix = unpack(build, package) / "usr"
    validate_desktop_files(build.project, prefix)
    validate_documents(build.project, prefix)
    validate_unit(build.project, prefix, build.work_dir("deb-unit"))
    run_checker("lintian", "lintian", "--allow-root", "--fail-on", "error,warning,info", "-i", str(package))


def check_start(build: Build, package: Path) -> None:
    """Run the unpacked program, with a home of its own and without a Python on PATH. Raises BuildFailed."""
    root = unpack(build, package)
    home = build.work_dir("deb-home")
    environment = {"HOME": str(home), "PATH": "/nonexistent", "LANG": "C.UTF-8"}
    said = _output(str(root / "usr" / "bin" / build.project.name), "--version", environment=environment)
    if build.project.version not in said:
        raise BuildFailed(f"the packaged program calls itself {said.strip()!r}")


def unpack(build: Build, package: Path) -> Path:
    """Unpack the package's files into an empty folder. Returns the folder, which stands for `/`."""
    root = build.work_dir("deb-unpacked")
    _output("dpkg-deb", "-x", str(package), str(root))
    return root


def missing() -> str | None:
    """What this system lacks to build the package, or None."""
    lacking = [f"{tool} (package {package})" for tool, package in TOOLS.items() if shutil.which(tool) is None]
    return f"{', '.join(lacking)} missing" if lacking else None


def _output(*command: str, directory: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    made = subprocess.run(command, capture_output=True, text=True, cwd=directory, env=environment)
    if made.returncode:
        raise BuildFailed(f"{' '.join(command)} failed:\n{made.stdout}{made.stderr}")
    return made.stdout


KIND = Kind("deb", "package for Debian and Ubuntu", build, check, needs=("bundle",), missing=missing)
