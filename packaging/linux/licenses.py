"""The license texts of everything in a bundle, as its authors ship them."""

import re
import sysconfig
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from linux.libraries import find_library, find_owners
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from recipe import BuildFailed

EXTRAS = frozenset({"tray", "otel"})
"""Extras whose packages are in a bundle."""
LICENSE_FILE = re.compile(r"(?i)licen[cs]e|copying|notice|authors")
COMMON_LICENSES = Path("/usr/share/common-licenses")
QT_LICENSES = ("LGPL-3", "GPL-3")
"""Qt's wheels have no license text. The LGPL is additional terms to the GPL."""
RULE = "=" * 80


def collect_licenses(name: str, bundle: Path) -> str:
    """Collect the license texts of the distribution `name`'s requirements and of the system's libraries in `bundle`.

    Raises BuildFailed if one has none here.
    """
    packages = sorted(bundled_distributions(name, EXTRAS).items())
    parts = [_entry(f"{name} {found.version}", _distribution_license(found)) for name, found in packages]
    parts.append(_entry("Python", _python_license()))
    parts += [_entry(package, text) for package, text in _library_licenses(bundle)]
    referred = {*QT_LICENSES, *re.findall(rf"{COMMON_LICENSES}/([\w.-]*\w)", "".join(parts))}
    parts += [_entry(str(COMMON_LICENSES / license), _common_license(license)) for license in sorted(referred)]
    return "\n".join(parts)


def _entry(title: str, text: str) -> str:
    return f"{RULE}\n{title}\n{RULE}\n\n{text.strip()}\n"


def bundled_distributions(name: str, extras: frozenset[str]) -> dict[str, Distribution]:
    """The installed distributions that `name` requires with `extras`, and their own requirements, by name."""
    found: dict[str, Distribution] = {}
    waiting = list(_requirements(distribution(name), extras))
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            raise BuildFailed(f"{name} is not installed: run `dev.py setup`") from None
        waiting += _requirements(found[name], frozenset(requirement.extras))
    return found


def _requirements(of: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    for requirement in map(Requirement, of.requires or ()):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield requirement


def _distribution_license(found: Distribution) -> str:
    # The newer field first; the other may hold a whole text.
    name = next((found.metadata[key] for key in ("License-Expression", "License") if key in found.metadata), "")
    files = [file for file in found.files or () if LICENSE_FILE.search(file.name) and "dist-info" in str(file)]
    texts = [Path(str(file.locate())).read_text(encoding="utf-8", errors="replace") for file in files]
    return "\n\n".join([name, *texts]) if name not in "".join(texts) else "\n\n".join(texts)


def _python_license() -> str:
    for path in (Path(sysconfig.get_path("stdlib")) / "LICENSE.txt", Path("/usr/share/doc/python3/copyright")):
        if path.is_file():
            return path.read_text(encoding="utf-8", errors="replace")
    raise BuildFailed("Python's license is not found")


def _common_license(name: str) -> str:
    try:
        return (COMMON_LICENSES / name).read_text(encoding="utf-8")
    except OSError as error:
        raise BuildFailed(f"a license is missing: {error}. Debian and Ubuntu have it in base-files") from error


def _library_licenses(bundle: Path) -> Iterator[tuple[str, str]]:
    """Packages of the system whose libraries PyInstaller copied into the bundle, with their license texts."""
    names = sorted(path.name for path in (bundle / "_internal").iterdir() if path.name.startswith("lib"))
    libraries = [name for name in names if ".so" in name and not name.startswith("libpython")]
    for package in sorted(set(find_owners(map(find_library, libraries)).values())):
        text = Path("/usr/share/doc") / package / "copyright"
        if not text.is_file():
            raise BuildFailed(f"{text} is missing: the package needs the license of its library")
        yield package, text.read_text(encoding="utf-8", errors="replace")
