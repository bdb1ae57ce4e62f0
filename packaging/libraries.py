"""The system's libraries that a bundle needs, and the Debian packages that have them."""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from recipe import BuildFailed

ELF = b"\x7fELF"
GTK_PLUGIN = "libqgtk3.so"
"""Qt's plugin for GTK's dialogs: it loads only where GTK is, so the package does not depend on GTK."""


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


def read_needs(folder: Path) -> Needs:
    """Read what the files of a bundle need from the system. Raises BuildFailed without objdump."""
    files = [path for path in elf_files(folder) if path.name != GTK_PLUGIN]
    try:
        dumped = subprocess.run(["objdump", "-p", *map(str, files)], capture_output=True, text=True)
    except FileNotFoundError:
        raise BuildFailed("objdump is missing; Debian and Ubuntu have it in binutils") from None
    return parse_needs(dumped.stdout, {path.name for path in folder.rglob("*")})


def parse_needs(dump: str, own: Iterable[str]) -> Needs:
    """Parse objdump's output; `own` are the names of the files in the bundle."""
    needed = frozenset(re.findall(r"^\s+NEEDED\s+(\S+)$", dump, re.MULTILINE)) - frozenset(own)
    versions = [
        tuple(map(int, found.split("."))) for found in re.findall(r"\bGLIBC_(\d+(?:\.\d+)+)$", dump, re.MULTILINE)
    ]
    return Needs(needed, max(versions, default=(0,)))


def debian_packages(needs: Needs) -> list[str]:
    """The Depends field for `needs`. Raises BuildFailed for a library that no installed package has."""
    cache = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True).stdout
    places = {name: path for name, path in re.findall(r"^\s+(\S+) \(.*\) => (\S+)$", cache, re.MULTILINE)[::-1]}
    packages: set[str] = set()
    for soname in sorted(needs.sonames):
        if soname not in places:
            raise BuildFailed(f"the bundle needs {soname}, which no library here provides; install it to build")
        packages.add(_owner(places[soname]))
    packages.discard("libc6")
    glibc = ".".join(map(str, needs.glibc))
    return [f"libc6 (>= {glibc})", *sorted(packages)]


def _owner(path: str) -> str:
    """The package that owns a library, under the name that older releases know as well."""
    # The linker's cache may name /lib, which is a link to /usr/lib, where dpkg recorded the file; or the reverse.
    for name in (path, str(Path(path).resolve()), str(Path(path).resolve()).removeprefix("/usr"), f"/usr{path}"):
        asked = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
        if asked.returncode == 0:
            return asked.stdout.split(":")[0].removesuffix("t64")
    raise BuildFailed(f"{path} belongs to no package")
