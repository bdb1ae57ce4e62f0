"""SHA256SUMS of all packages in the output folder, in the form of `sha256sum --check`."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from recipe import Build, BuildFailed, Kind

FILE = "SHA256SUMS"


def build(build: Build) -> Path:
    """Write the sums of the files in the output folder, whoever built them. Returns the file."""
    lines = [f"{digest(path)}  {path.name}\n" for path in list_packages(build.output)]
    if not lines:
        raise BuildFailed(f"{build.output} has no packages: name the kinds to build as well")
    path = build.output / FILE
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return path


def list_packages(folder: Path) -> list[Path]:
    """The files of a folder that are published, by name: neither hidden ones nor folders."""
    return sorted(
        path for path in folder.iterdir() if path.is_file() and path.name != FILE and not path.name.startswith(".")
    )


def digest(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(build: Build, path: Path) -> None:
    """Compare every sum with its file, and the list with the folder."""
    sums = dict(read_sums(path))
    if sums.keys() != {package.name for package in list_packages(build.output)}:
        raise BuildFailed(f"{path.name} does not name exactly the packages in {build.output}")
    if changed := [name for name, sum in sums.items() if digest(build.output / name) != sum]:
        raise BuildFailed(f"{', '.join(changed)} changed while the sums were made")


def read_sums(path: Path) -> Iterator[tuple[str, str]]:
    """The names and sums of a list."""
    for line in path.read_text(encoding="utf-8").splitlines():
        sum, _, name = line.partition("  ")
        yield name, sum


KIND = Kind("checksums", "SHA-256 of all packages in the output folder", build, check)
