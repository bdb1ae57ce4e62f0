"""What Linux's packages install beside the program: desktop entry, metainfo, icons, manual page, unit, licenses."""

import gzip
from pathlib import Path

from icons import APP_ICON, render_png
from linux.manpage import render_manpage
from linux.templates import build_date, fill_template
from project import Project

ICON_SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)


def install_desktop_files(project: Project, prefix: Path) -> None:
    """Install what makes the program known to a desktop below `prefix`, which stands for `/usr`."""
    share = prefix / "share"
    write_text(desktop_file(project, prefix), fill_template("desktop.in", project))
    write_text(metainfo_file(project, prefix), fill_template("metainfo.xml.in", project))
    install_icons(project.name, share / "icons" / "hicolor")


def install_documents(project: Project, prefix: Path) -> None:
    """Install the manual page, and the license, which refers to the file of all others in the bundle."""
    write_gzip(manpage_file(project, prefix), render_manpage(project, build_date().isoformat()))
    copyright = prefix / "share" / "doc" / project.name / "copyright"
    write_text(copyright, fill_template("copyright.in", project))


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
    write_text(theme / "scalable" / "apps" / f"{name}.svg", APP_ICON.read_text(encoding="utf-8"))
    for size in ICON_SIZES:
        target = theme / f"{size}x{size}" / "apps" / f"{name}.png"
        target.parent.mkdir(parents=True)
        target.write_bytes(render_png(APP_ICON, size))


def write_text(path: Path, text: str) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_gzip(path: Path, text: str) -> None:
    """Write a compressed file, without name and time: the same text gives the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
