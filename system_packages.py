"""Names of the system packages that dev.py needs, on systems other than Debian and Ubuntu. Standard library only.

dev.py knows what is missing from dpkg where there is one. Elsewhere it looks for the files themselves.
"""

import ctypes
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple


class Names(NamedTuple):
    """A library or program that a package has, and the package's name by package manager."""

    file: str
    dnf: str
    pacman: str
    zypper: str
    apk: str


INSTALL = {"dnf": "dnf install", "pacman": "pacman -S --needed", "zypper": "zypper install", "apk": "apk add"}
"""Package managers and their commands; where there are several, the first is used."""

# By Debian's names, which dev.py uses.
PACKAGES = {
    "libgl1": Names("libGL.so.1", "libglvnd-glx", "libglvnd", "Mesa-libGL1", "mesa-gl"),
    "libegl1": Names("libEGL.so.1", "libglvnd-egl", "libglvnd", "Mesa-libEGL1", "mesa-egl"),
    "libxkbcommon0": Names("libxkbcommon.so.0", "libxkbcommon", "libxkbcommon", "libxkbcommon0", "libxkbcommon"),
    "libglib2.0-0": Names("libglib-2.0.so.0", "glib2", "glib2", "libglib-2_0-0", "glib"),
    "libfontconfig1": Names("libfontconfig.so.1", "fontconfig", "fontconfig", "libfontconfig1", "fontconfig"),
    "libdbus-1-3": Names("libdbus-1.so.3", "dbus-libs", "dbus", "libdbus-1-3", "dbus-libs"),
    "libgssapi-krb5-2": Names("libgssapi_krb5.so.2", "krb5-libs", "krb5", "krb5", "krb5-libs"),
    "libxcb-cursor0": Names(
        "libxcb-cursor.so.0", "xcb-util-cursor", "xcb-util-cursor", "libxcb-cursor0", "xcb-util-cursor"
    ),
    "libxkbcommon-x11-0": Names(
        "libxkbcommon-x11.so.0", "libxkbcommon-x11", "libxkbcommon-x11", "libxkbcommon-x11-0", "libxkbcommon-x11"
    ),
    "libxcb-icccm4": Names("libxcb-icccm.so.4", "xcb-util-wm", "xcb-util-wm", "libxcb-icccm4", "xcb-util-wm"),
    "libxcb-keysyms1": Names(
        "libxcb-keysyms.so.1", "xcb-util-keysyms", "xcb-util-keysyms", "libxcb-keysyms1", "xcb-util-keysyms"
    ),
    "libxcb-shape0": Names("libxcb-shape.so.0", "libxcb", "libxcb", "libxcb-shape0", "libxcb"),
    "xvfb": Names("Xvfb", "xorg-x11-server-Xvfb", "xorg-server-xvfb", "xorg-x11-server-Xvfb", "xvfb"),
    "xauth": Names("xauth", "xorg-x11-xauth", "xorg-xauth", "xauth", "xauth"),
    "xdotool": Names("xdotool", "xdotool", "xdotool", "xdotool", "xdotool"),
    "openbox": Names("openbox", "openbox", "openbox", "openbox", "openbox"),
    "imagemagick": Names("convert", "ImageMagick", "imagemagick", "ImageMagick", "imagemagick"),
    "gnome-keyring": Names("gnome-keyring-daemon", "gnome-keyring", "gnome-keyring", "gnome-keyring", "gnome-keyring"),
    "dbus": Names("dbus-daemon", "dbus-daemon", "dbus", "dbus-1-daemon", "dbus"),
    "dunst": Names("dunst", "dunst", "dunst", "dunst", "dunst"),
    "binutils": Names("objdump", "binutils", "binutils", "binutils", "binutils"),
    "chrpath": Names("chrpath", "chrpath", "chrpath", "chrpath", "chrpath"),
    "squashfs-tools": Names("mksquashfs", "squashfs-tools", "squashfs-tools", "squashfs", "squashfs-tools"),
    "squashfuse": Names("squashfuse", "squashfuse", "squashfuse", "squashfuse", "squashfuse"),
    "fuse3": Names("fusermount3", "fuse3", "fuse3", "fuse3", "fuse3"),
}
UNNAMED = {"trayer": "trayer", "nsis": "makensis"}
"""Programs by Debian's package, which not every distribution has under a known name."""


def has_file(name: str) -> bool:
    """Whether this system has a library, which is loaded to find out, or a program."""
    if ".so" not in name:
        return shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin") is not None
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def find_manager(has_program: Callable[[str], bool] = has_file) -> str | None:
    """Find the system's package manager, one of `INSTALL`."""
    return next((name for name in INSTALL if has_program(name)), None)


def find_missing(wanted: Iterable[str], has: Callable[[str], bool] = has_file) -> list[str]:
    """List the packages of `wanted`, by Debian's names, whose files are missing. Those not known here are left out."""
    return [name for name in wanted if (file := _file(name)) and not has(file)]


def describe_missing(missing: Sequence[str], manager: str | None) -> str:
    """Name missing packages: the line that installs them where their names are known, otherwise their files."""
    known = [PACKAGES[name] for name in missing if name in PACKAGES] if manager else []
    files = [_file(name) for name in missing if manager is None or name not in PACKAGES]
    lines = []
    if manager and known:
        packages = dict.fromkeys(getattr(names, manager) for names in known)
        lines.append(f"sudo {INSTALL[manager]} {' '.join(packages)}")
    if files:
        lines.append(f"the packages of your distribution that have the files {', '.join(files)}")
    return "\n        ".join(lines)


def _file(name: str) -> str:
    return PACKAGES[name].file if name in PACKAGES else UNNAMED.get(name, "")
