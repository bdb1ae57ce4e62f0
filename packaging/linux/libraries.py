"""The system's libraries that a bundle needs, and the Debian packages that have them."""

import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from licenses import find_owners
from recipe import BuildFailed

ELF = b"\x7fELF"
GTK_PLUGIN = "libqgtk3.so"
"""Qt's plugin for GTK's dialogs: it loads only where GTK is, so the package does not depend on GTK."""
RENAMED = re.compile(r"t64$")
"""Debian 13 and Ubuntu 24.04 renamed packages for a wider time_t. The new ones provide the old names on all
architectures where time_t has always been wide."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Sonames that files need and do not bring along, and the newest version of glibc that they name."""

    sonames: frozenset[str]
    glibc: tuple[int, ...]


def elf_files(folder: Path) -> list[Path]:
    """All programs and libraries below `folder`."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return [path for path in files if _starts_as_elf(path)]


def _starts_as_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == ELF


def remove_search_paths(folder: Path) -> None:
    """Remove the folders of this machine from what programs and libraries below `folder` search for libraries.

    Pythons of version managers name their own. Raises BuildFailed.
    """
    for path in elf_files(folder):
        searched = re.findall(r"^\s+R(?:UN)?PATH\s+(\S+)$", _dump([path]), re.MULTILINE)
        if not all(entry.startswith("$ORIGIN") for paths in searched for entry in paths.split(":")):
            removed = subprocess.run(["chrpath", "--delete", str(path)], capture_output=True, text=True)
            if removed.returncode:
                raise BuildFailed(f"{path} searches {searched[0]} for libraries, and chrpath fails:\n{removed.stderr}")


def _dump(files: Sequence[Path]) -> str:
    dumped = subprocess.run(["objdump", "-p", *map(str, files)], capture_output=True, text=True)
    if dumped.returncode:
        raise BuildFailed(f"objdump cannot read the bundle:\n{dumped.stderr}")
    return dumped.stdout


def read_needs(folder: Path) -> Needs:
    """Read what the files of a bundle need from the system. Raises BuildFailed."""
    files = [path for path in elf_files(folder) if path.name != GTK_PLUGIN]
    return parse_needs(_dump(files), {path.name for path in folder.rglob("*")})


def parse_needs(dump: str, own: Iterable[str]) -> Needs:
    """Parse objdump's output; `own` are the names of the files in the bundle."""
    needed = frozenset(re.findall(r"^\s+NEEDED\s+(\S+)$", dump, re.MULTILINE)) - frozenset(own)
    versions = [
        tuple(map(int, found.split("."))) for found in re.findall(r"\bGLIBC_(\d+(?:\.\d+)+)$", dump, re.MULTILINE)
    ]
    return Needs(needed, max(versions, default=(0,)))


def debian_packages(needs: Needs) -> list[str]:
    """The Depends field for `needs`. Raises BuildFailed for a library that no installed package has."""
    owners = find_owners(str(find_library(soname)) for soname in needs.sonames)
    if strangers := [path for path, owner in owners.items() if owner is None]:
        raise BuildFailed(f"no Debian package has {', '.join(sorted(strangers))}, which the bundle needs")
    names = {RENAMED.sub("", owner[0]) for owner in owners.values() if owner is not None}
    glibc = ".".join(map(str, needs.glibc))
    return [f"libc6 (>= {glibc})", *sorted(names - {"libc6"})]


def find_library(soname: str) -> Path:
    """The system's file of a library. Raises BuildFailed if there is none."""
    found = _linker_cache().get(soname)
    if found is None:
        raise BuildFailed(f"the bundle needs {soname}, which this system does not have: install it to build")
    return found


@cache
def _linker_cache() -> dict[str, Path]:
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True).stdout
    entries = re.findall(r"^\s+(\S+) \(.*\) => (\S+)$", listed, re.MULTILINE)
    # The linker takes the first of several.
    return {soname: Path(path) for soname, path in reversed(entries)}
