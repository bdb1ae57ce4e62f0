"""What Linux's packages install beside the program: desktop entry, metainfo, icons, manual page, unit, licenses."""

import gzip
import os
import re
import subprocess
import textwrap
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from string import Template
from xml.sax.saxutils import escape

from manpage import render_manpage
from packaging.requirements import Requirement
from project import ROOT, Project

TEMPLATES = ROOT / "packaging" / "linux"
ICON = ROOT / "resources" / "icons" / "app.svg"
ICON_SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
RELEASE = re.compile(r"^## \[(?P<version>[^\]]+)\] - (?P<date>\d{4}-\d{2}-\d{2})", re.MULTILINE)
EXTRAS = frozenset({"", "tray", "otel"})
"""Extras whose packages a bundle may hold."""


def build_date() -> datetime:
    """The date for all files: SOURCE_DATE_EPOCH, otherwise that of the last commit, otherwise now."""
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        return datetime.fromtimestamp(int(epoch), UTC)
    asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
    return datetime.fromtimestamp(int(asked.stdout), UTC) if asked.stdout.strip() else datetime.now(UTC)


def fill_template(name: str, project: Project) -> str:
    """Fill a template of packaging/linux/. Raises KeyError for a name that is not a fact."""
    dates = {found["version"]: found["date"] for found in RELEASE.finditer((ROOT / "CHANGELOG.md").read_text("utf-8"))}
    legal = (ROOT / "LICENSE").read_text(encoding="utf-8")
    notice = next(line for line in legal.splitlines() if line.startswith("Copyright (c) "))
    terms = legal.partition(notice)[2].strip()
    facts = {
        "name": project.name,
        "title": project.title,
        "summary": project.summary,
        "short_summary": short_summary(project.summary),
        "version": project.version,
        "license": project.license,
        "repository": project.repository,
        "authors": project.authors,
        "app_id": project.app_id,
        "tag": project.tag,
        "keywords": "".join(f"{word};" for word in project.keywords),
        "date": dates.get(project.version, build_date().date().isoformat()),
        "release_type": "stable" if project.version in dates else "development",
        "copyright": notice.removeprefix("Copyright (c) "),
        "license_text": textwrap.indent("\n".join(line or "." for line in terms.splitlines()), " "),
    }
    if ".xml" in name:
        facts = {key: escape(value) for key, value in facts.items()}
    return Template((TEMPLATES / name).read_text(encoding="utf-8")).substitute(facts)


def short_summary(summary: str) -> str:
    """The summary as software centres and apt list it: without the article and the full stop, one clause."""
    return re.sub(r"^(A|An|The) ", "", summary).split(" that ")[0].rstrip(".").capitalize()


def install_files(project: Project, root: Path) -> None:
    """Install everything but the program below `root`, as a package does below `/`."""
    share = root / "usr" / "share"
    doc = share / "doc" / project.name
    _write(share / "applications" / f"{project.name}.desktop", fill_template("desktop.in", project))
    _write(share / "metainfo" / f"{project.app_id}.metainfo.xml", fill_template("metainfo.xml.in", project))
    _write(
        root / "usr" / "lib" / "systemd" / "user" / f"{project.name}.service", fill_template("user.service.in", project)
    )
    _write(doc / "copyright", fill_template("copyright.in", project))
    _write_gzip(doc / "third-party-licenses.gz", third_party_licenses())
    _write_gzip(doc / "changelog.gz", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    page = render_manpage(project, build_date().date().isoformat())
    _write_gzip(share / "man" / "man1" / f"{project.name}.1.gz", page)
    install_icons(project.name, share / "icons" / "hicolor")


def install_icons(name: str, theme: Path) -> None:
    """Install the icon in the folder of the theme hicolor: scalable, and drawn in all sizes."""
    _write(theme / "scalable" / "apps" / f"{name}.svg", ICON.read_text(encoding="utf-8"))
    for size in ICON_SIZES:
        target = theme / f"{size}x{size}" / "apps" / f"{name}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        draw_icon(size, target)


def draw_icon(size: int, target: Path) -> None:
    """Draw the icon as a PNG of `size` pixels."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(ICON)).render(painter)
    painter.end()
    image.save(str(target), "PNG")


def third_party_licenses() -> str:
    """The license texts of all Python packages that a bundle may hold, as their authors ship them."""
    parts = []
    for name in sorted(bundled_distributions("dragoman")):
        found = distribution(name)
        kind = found.metadata.get("License-Expression") or found.metadata.get("License") or "see below"
        parts.append(f"{'=' * 80}\n{name} {found.version}: {kind.splitlines()[0]}\n{'=' * 80}\n")
        for file in found.files or ():
            if "dist-info" in file.parts[0] and re.search(r"(?i)licen[cs]e|copying|notice", file.name):
                parts.append(Path(str(file.locate())).read_text(encoding="utf-8", errors="replace"))
    return "\n".join(parts)


def bundled_distributions(name: str, extras: frozenset[str] = EXTRAS) -> set[str]:
    """Names of the installed distributions that `name` requires with `extras`, and theirs."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        try:
            requirements = distribution(waiting.pop()).requires or ()
        except PackageNotFoundError:
            continue
        for requirement in map(Requirement, requirements):
            marker = requirement.marker
            if requirement.name in found or (marker and not any(marker.evaluate({"extra": extra}) for extra in extras)):
                continue
            try:
                distribution(requirement.name)
            except PackageNotFoundError:
                continue
            found.add(requirement.name)
            waiting.append(requirement.name)
        extras = frozenset({""})
    return found


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _write_gzip(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without a time stamp and a name: the same source gives the same file.
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
