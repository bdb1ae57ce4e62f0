"""The installer of Windows: what installer.nsi gets from the project and the bundle, and NSIS, which makes it."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from icons import write_ico
from project import ROOT, Project
from recipe import BuildFailed
from windows.machine import PROCESSOR
from windows.signing import sign, sign_command
from windows.version_info import version_numbers, version_strings

SCRIPT = ROOT / "packaging" / "windows" / "installer.nsi"
TARGETS = ("amd64-unicode", "x86-unicode")
"""Machine code of the installer, best first. Not every NSIS has the first; the other runs on 64-bit Windows too."""


def make_installer(project: Project, bundle: Path, installer: Path, work: Path, *, compression: str = "lzma") -> None:
    """Make an installer of the files in `bundle`. Raises BuildFailed with the output of NSIS."""
    makensis = find_makensis()
    icon = write_ico(work / "app.ico")
    target = choose_target(stub_names(makensis))
    facts = format_facts(project, bundle, {"OUTPUT": str(installer), "ICON": str(icon), "TARGET": target})
    # With the mark, NSIS reads it as UTF-8 in whatever language the system is.
    (work / "facts.nsh").write_text(f"{facts}!define COMPRESSION {compression}\n", encoding="utf-8-sig")
    shutil.copy(SCRIPT, work)
    option = "/" if sys.platform == "win32" else "-"
    command = [str(makensis), f"{option}WX", f"{option}V2", f"{option}INPUTCHARSET", "UTF8", SCRIPT.name]
    made = subprocess.run(command, cwd=work, capture_output=True, text=True, errors="replace")
    if made.returncode:
        raise BuildFailed(f"NSIS did not make the installer:\n{made.stdout}{made.stderr}")
    sign(installer)


def format_facts(project: Project, bundle: Path, paths: dict[str, str]) -> str:
    """The script's definitions, and its macros that install and remove the files of the bundle."""
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    strings = version_strings(project, project.name)
    definitions = paths | {
        "NAME": project.name,
        "TITLE": project.title,
        "VERSION": project.version,
        "VERSION_NUMBERS": ".".join(str(number) for number in version_numbers(project.version)),
        "PUBLISHER": strings["CompanyName"],
        "COPYRIGHT": strings["LegalCopyright"],
        "SUMMARY": project.summary,
        "PROCESSOR": PROCESSOR,
        "SIZE_KB": str(sum(path.stat().st_size for path in files) // 1024),
    }
    if project.has_home:
        definitions["HOME_PAGE"] = project.repository
    if command := sign_command():
        definitions["SIGN_COMMAND"] = (
            subprocess.list2cmdline(command) if sys.platform == "win32" else shlex.join(command)
        )
    lines = [f"!define {name} {quote(text)}" for name, text in definitions.items()]
    names = [PurePosixPath(path.relative_to(bundle).as_posix()) for path in files]
    lines += ["!macro InstallFiles", *install_lines(bundle, names), "!macroend"]
    lines += ["!macro RemoveFiles", *remove_lines(names), "!macroend"]
    return "".join(f"{line}\n" for line in lines)


def install_lines(bundle: Path, names: Iterable[PurePosixPath]) -> Iterator[str]:
    """Commands that install the files of these names."""
    folder = None
    for name in names:
        if name.parent != folder:
            folder = name.parent
            yield f"SetOutPath {installed(folder)}"
        # NSIS reads variables in the texts of the installation alone: this is a path of the system that builds.
        yield f'File "{bundle / name}"'


def remove_lines(names: Iterable[PurePosixPath]) -> Iterator[str]:
    """Commands that remove these files, and then their folders if nothing else is in them, innermost first."""
    folders: set[PurePosixPath] = set()
    for name in names:
        yield f"Delete {installed(name)}"
        folders.update(name.parents)
    folders.discard(PurePosixPath("."))  # the user's choice: the script removes it last
    for folder in sorted(folders, key=lambda folder: (-len(folder.parts), folder)):
        yield f"RMDir {installed(folder)}"


def installed(name: PurePosixPath) -> str:
    """The path of a file or folder below the installation's folder, as a word of a script."""
    return '"$INSTDIR' + "".join(f"\\{escape(part)}" for part in name.parts) + '"'


def quote(text: str) -> str:
    """A text as one word of a script."""
    return f'"{escape(text)}"'


def escape(text: str) -> str:
    """Escape what NSIS would take for a variable, the end of a text or of a line."""
    return text.replace("$", "$$").replace('"', '$\\"').replace("\r", "$\\r").replace("\n", "$\\n")


def choose_target(stubs: Iterable[str]) -> str:
    """The best of TARGETS that NSIS can make. Raises BuildFailed."""
    available = set(stubs)
    for target in TARGETS:
        if f"lzma_solid-{target}" in available:
            return target
    raise BuildFailed(f"NSIS makes none of {', '.join(TARGETS)}; version 3 or later is needed")


def stub_names(makensis: Path) -> list[str]:
    """Names of what NSIS makes installers from: compression and machine code."""
    folders = [makensis.parent / "Stubs", Path("/usr/share/nsis/Stubs")]
    return [path.name for folder in folders if folder.is_dir() for path in folder.iterdir()]


def find_makensis() -> Path:
    """The program of NSIS. Raises BuildFailed."""
    places = [Path(os.environ[name], "NSIS") for name in ("ProgramFiles(x86)", "ProgramFiles") if name in os.environ]
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, places)])
    if found := shutil.which("makensis", path=path):
        return Path(found)
    raise BuildFailed("makensis is missing: install NSIS 3; Debian and Ubuntu have it in the package nsis")
