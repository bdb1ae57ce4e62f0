"""Licenses of everything in a bundle: one file with all texts, and the list of components for the SBOM.

The bundle's spec calls it, in the environment that the bundle is built from: standard library only.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath

TEXTS_FILE = "THIRD-PARTY-LICENSES.txt"
COMPONENTS_FILE = "components.json"
TEXTS = Path(__file__).with_name("license_texts")
"""Texts that packages refer to and do not carry."""
TEXT_NAME = re.compile(r"(?i)^(licen[cs]e|copying|notice|authors)")
DEBIAN_TEXT = re.compile(r"/usr/share/common-licenses/([A-Za-z0-9][\w.-]*\w)")
RULE = "=" * 100
QT_NOTE = """Qt {version} and PySide6 {version} are used under the GNU Lesser General Public License, version 3.
Their libraries are files of their own here, which you may replace by your own builds of them.
Sources: https://download.qt.io/official_releases/qt/ and https://download.qt.io/official_releases/QtForPython/
Other people's code in Qt, and its licenses: https://doc.qt.io/qt-6/licenses-used-in-qt.html"""
FONT_NOTE = """The font of icons that qtawesome carries is Material Design Icons by the Pictogrammers,
https://pictogrammers.com, under the Apache License 2.0."""


HOME_LABELS = ("source", "sourcecode", "repository", "github", "code", "homepage", "documentation")
"""Labels of addresses in packages' metadata, the best first."""


class LicenseMissing(Exception):
    """A component has no license text. The error says where to add one."""


@dataclass(frozen=True, slots=True)
class Supplied:
    """Texts by name, and a note, for a package whose own files do not have them."""

    texts: tuple[str, ...]
    note: str


SUPPLIED = {
    "pyside6-essentials": Supplied(("LGPL-3.0", "GPL-3.0"), QT_NOTE),
    "shiboken6": Supplied(("LGPL-3.0", "GPL-3.0"), QT_NOTE),
    "qtawesome": Supplied(("Apache-2.0",), FONT_NOTE),
}


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the bundle with a license: `kind` is `python` (a package), `interpreter` or `library`.

    `home` is the address of its source, or of the project.
    """

    kind: str
    name: str
    version: str
    license: str
    texts: tuple[str, ...]
    note: str = ""
    home: str = ""

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".strip()


def list_components(sources: Iterable[str | Path], own: str) -> list[Component]:
    """The components that files of a bundle come from, but for the distribution `own`.

    Raises LicenseMissing if one has no license text.
    """
    files = {_comparable(path) for path in sources}
    components = [_read_interpreter()]
    for found in distributions():
        theirs = {_comparable(found.locate_file(file)) for file in found.files or ()}
        if canonical_name(found.name) != own and not files.isdisjoint(theirs):
            components.append(_read_distribution(found))
        files -= theirs
    components += _read_system_packages(path for path in files if _is_library(path))
    if without := [component.title for component in components if not component.texts]:
        raise LicenseMissing(
            f"no license text is found for {', '.join(without)}: add it to packaging/{TEXTS.name}/ and to SUPPLIED"
        )
    return sorted(components, key=lambda component: (component.kind, component.name.lower()))


def canonical_name(name: str) -> str:
    """A package's name in its normal form."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _comparable(path: object) -> str:
    return os.path.normcase(os.path.abspath(str(path)))


def _read_interpreter() -> Component:
    # Where `license()` of the interactive Python looks: beside the library on Unix, above it on Windows.
    library = Path(sysconfig.get_path("stdlib"))
    candidates = [folder / "LICENSE.txt" for folder in (library, library.parent, Path(sys.base_prefix))]
    texts = tuple(_read(path) for path in candidates if path.is_file())[:1]
    version = ".".join(map(str, sys.version_info[:3]))
    return Component(
        "interpreter", "Python", version, "PSF-2.0", texts, home="https://www.python.org/downloads/source/"
    )


def _read_distribution(found: Distribution) -> Component:
    texts = [_read(Path(str(found.locate_file(file)))) for file in found.files or () if _is_text(file)]
    supplied = SUPPLIED.get(canonical_name(found.name), Supplied((), ""))
    texts += [_read(TEXTS / f"{name}.txt") for name in supplied.texts]
    note = supplied.note.format(version=found.version)
    return Component("python", found.name, found.version, _license_name(found), tuple(texts), note, _find_home(found))


def _is_text(file: PurePosixPath) -> bool:
    # The folder has what the metadata names: https://peps.python.org/pep-0639/
    named = file.parts[0].endswith(".dist-info") and file.parts[1] == "licenses"
    return named or (bool(TEXT_NAME.match(file.name)) and file.suffix not in (".py", ".pyc"))


def _find_home(found: Distribution) -> str:
    addresses = {"homepage": next(iter(found.metadata.get_all("Home-page") or ()), "")}
    for line in found.metadata.get_all("Project-URL") or []:
        label, _, address = line.partition(",")
        addresses[re.sub(r"[^a-z]", "", label.lower())] = address.strip()
    return next((addresses[label] for label in HOME_LABELS if addresses.get(label)), "")


def _license_name(found: Distribution) -> str:
    # From the newest field to the oldest; the second may hold a whole text.
    fields: Mapping[str, str] = found.metadata  # type: ignore[assignment]
    for field in ("License-Expression", "License"):
        if field in fields and "\n" not in fields[field]:
            return fields[field]
    classifiers = found.metadata.get_all("Classifier") or []
    return ", ".join(name.rpartition(" :: ")[2] for name in classifiers if name.startswith("License ::"))


def _is_library(path: str) -> bool:
    return bool(re.search(r"\.(so(\.[\d.]+)?|dylib|dll)$", path)) and not _is_within(path, _python_dirs())


def _python_dirs() -> Sequence[str]:
    # Python's own license names what its builds for Windows and macOS carry. A distribution's Python has its
    # libraries among all others, in a package of their own.
    own = _comparable(sys.base_prefix)
    return [_comparable(sysconfig.get_path("stdlib"))] if own == "/usr" else [own]


def _is_within(path: str, folders: Iterable[str]) -> bool:
    return any(path.startswith(folder + os.sep) for folder in folders)


def _read_system_packages(libraries: Iterable[str]) -> Iterator[Component]:
    """Read the licenses of Debian's packages that own `libraries`."""
    owners = find_owners(libraries)
    for name, version in sorted({owner for owner in owners.values() if owner}):
        path = Path("/usr/share/doc") / name / "copyright"
        text = _read(path) if path.is_file() else ""
        referred = sorted(set(DEBIAN_TEXT.findall(text)))
        texts = [_read(Path("/usr/share/common-licenses") / license) for license in referred]
        yield Component("library", name, version, "see below", (text, *texts) if text else ())
    if strangers := sorted(Path(path).name for path, owner in owners.items() if owner is None):
        note = f"{', '.join(strangers)}: taken from the system on which this was built, under its licenses."
        yield Component("library", "Libraries of the system", "", "see the note", (note,))


def find_owners(libraries: Iterable[str]) -> dict[str, tuple[str, str] | None]:
    """Names and versions of the Debian packages that own `libraries`; None for a file that none owns."""
    # Releases of Debian differ in whether /lib, which is a link to /usr/lib, stands in the list of files.
    files = {path: os.path.realpath(path).removeprefix("/usr") for path in libraries}
    if not files or shutil.which("dpkg-query") is None:
        return dict.fromkeys(files)
    search = ["dpkg-query", "--search", *files.values(), *(f"/usr{file}" for file in files.values())]
    packages: dict[str, str] = {}
    for line in subprocess.run(search, capture_output=True, text=True).stdout.splitlines():
        names, _, file = line.rpartition(": ")
        if not names.startswith("diversion "):
            packages[file.removeprefix("/usr")] = names.partition(",")[0]
    show = ["dpkg-query", "--show", "--showformat", r"${binary:Package}\t${Version}\n", *set(packages.values())]
    shown = subprocess.run(show, capture_output=True, text=True).stdout if packages else ""
    versions = dict(line.split("\t") for line in shown.splitlines())
    owners: dict[str, tuple[str, str] | None] = {}
    for path, file in files.items():
        package = packages.get(file)
        owners[path] = (package.partition(":")[0], versions[package]) if package else None
    return owners


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip("\n")


def render_texts(title: str, components: Sequence[Component]) -> str:
    """Render all licenses: a list of components, then each text once, under the names of those that have it."""
    holders: dict[str, list[str]] = {}
    for component in components:
        for text in component.texts:
            holders.setdefault(text, []).append(component.title)
    notes = dict.fromkeys(component.note for component in components if component.note)
    width = max(len(component.title) for component in components) + 2
    lines = [f"{title} is distributed together with the following. Their licenses follow the list.", ""]
    for component in components:
        lines.append(f"{component.title:{width}}{component.license}")
        if component.home:
            lines.append(f"{'':{width}}{component.home}")
    parts = ["\n".join(lines), *notes]
    parts += [f"{RULE}\n{_wrap(names)}\n{RULE}\n\n{text}" for text, names in holders.items()]
    return "\n\n".join(parts) + "\n"


def _wrap(names: Iterable[str]) -> str:
    lines = [""]
    for name in dict.fromkeys(names):
        if lines[-1] and len(lines[-1]) + len(name) + 2 > len(RULE):
            lines.append("")
        lines[-1] += f", {name}" if lines[-1] else name
    return ",\n".join(lines)


def write_licenses(folder: Path, title: str, own: str, sources: Iterable[str | Path]) -> Path:
    """Write the texts and the list of components of a bundle into `folder`. Returns the file of the texts.

    `sources` are the bundle's files as they are installed. Raises LicenseMissing.
    """
    components = list_components(sources, own)
    facts = [{"kind": one.kind, "name": one.name, "version": one.version} for one in components]
    (folder / COMPONENTS_FILE).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    path = folder / TEXTS_FILE
    path.write_text(render_texts(title, components), encoding="utf-8")
    return path
