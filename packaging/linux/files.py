"""What Linux's packages install beside the program: desktop entry, metainfo, icons, manual page, unit, licenses."""

import gzip
from pathlib import Path

from linux.licenses import collect_licenses
from linux.manpage import render_manpage
from linux.templates import build_date, fill_template
from project import ROOT, Project

ICON = ROOT / "resources" / "icons" / "app.svg"
ICON_SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)


def install_desktop_files(project: Project, prefix: Path) -> None:
    """Install what makes the program known to a desktop below `prefix`, which stands for `/usr`."""
    share = prefix / "share"
    write_text(desktop_file(project, prefix), fill_template("desktop.in", project))
    write_text(metainfo_file(project, prefix), fill_template("metainfo.xml.in", project))
    install_icons(project.name, share / "icons" / "hicolor")


def install_documents(project: Project, prefix: Path, bundle: Path) -> None:
    """Install the manual page, and the licenses of the program and of everything in its bundle."""
    doc = prefix / "share" / "doc" / project.name
    page = render_manpage(project, build_date().isoformat())
    write_gzip(manpage_file(project, prefix), page)
    write_text(doc / "copyright", fill_template("copyright.in", project))
    write_gzip(doc / "third-party-licenses.gz", collect_licenses(project.name, bundle))


def install_unit(project: Project, prefix: Path) -> None:
    """Install the systemd user unit of `serve`. It runs /usr/bin's program and is not enabled."""
    write_text(unit_file(project, prefix), fill_template("user.service.in", project))


def desktop_file(project: Project, prefix: Path) -> Path:
    """The desktop entry. The window names it to the desktop, so it must not be renamed."""
    return prefix / "share" / "applications" / f"{project.name}.desktop"


def metainfo_file(project: Project, prefix: Path) -> Path:
    """The description for software centers, AppStream's metainfo."""
    return prefix / "share" / "metainfo" / f"{project.app_id}.metainfo.xml"


def manpage_file(project: Project, prefix: Path) -> Path:
    """The manual page."""
    return prefix / "share" / "man" / "man1" / f"{project.name}.1.gz"


def unit_file(project: Project, prefix: Path) -> Path:
    """The systemd user unit."""
    return prefix / "lib" / "systemd" / "user" / f"{project.name}.service"


def install_icons(name: str, theme: Path) -> None:
    """Install the icon in the folder of the theme hicolor: scalable, and drawn in all sizes."""
    write_text(theme / "scalable" / "apps" / f"{name}.svg", ICON.read_text(encoding="utf-8"))
    for size in ICON_SIZES:
        draw_icon(size, theme / f"{size}x{size}" / "apps" / f"{name}.png")


def draw_icon(size: int, target: Path) -> None:
    """Draw the icon as a PNG of `size` pixels. Raises OSError."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(ICON)).render(painter)
    painter.end()
    target.parent.mkdir(parents=True, exist_ok=True)
    if not image.save(str(target)):
        raise OSError(f"{target} cannot be written")


def write_text(path: Path, text: str) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_gzip(path: Path, text: str) -> None:
    """Write a compressed file, without name and time: the same text gives the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
