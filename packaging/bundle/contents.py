"""What a bundle holds: the program's modules and data, and which files of Qt and of the system stay out."""

import importlib.metadata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from posixpath import normpath

PROGRAM = ("server", "tray_app")
"""The packages of the program, in the wheel's folder `dragoman`."""

LINUX_IMPORTS = ("secretstorage", "jeepney.io.blocking")
"""Modules that are imported by name, for the keyring of Linux."""

UNUSED_MODULES = (
    "tkinter", "unittest", "pydoc", "doctest", "pdb", "lib2to3", "setuptools", "pip", "pygments", "watchfiles",
    "uvloop", "httptools", "websockets", "wsproto", "rich", "yaml", "qtpy", "PIL", "numpy",
)  # fmt: skip
"""Modules that packages of the bundle import if they are there, and that the program does without."""

ICON_FONT = "fonts/materialdesignicons6*"
"""The files of qtawesome that the program uses. Its code is not among them."""

DESKTOP_LIBRARIES = (
    # A mixture of a desktop's own and another release's glib, GTK or X11 does not load, or loses theme and dialogs.
    "libX", "libICE", "libSM", "libxcb.", "libxcb-dri", "libxcb-glx", "libxcb-present", "libxcb-randr",
    "libxcb-render.", "libxcb-res", "libxcb-shape", "libxcb-shm", "libxcb-sync", "libxcb-xfixes", "libxcb-xinerama",
    "libxcb-xinput", "libxcb-xkb", "libdrm", "libgbm", "libEGL.", "libGL", "libOpenGL", "libwayland-", "libglib-",
    "libgobject-", "libgio-", "libgmodule-", "libgthread-", "libgtk-", "libgdk", "libatk-", "libatspi", "libcairo",
    "libpango", "libepoxy", "libharfbuzz", "libgraphite2", "libfribidi", "libthai", "libdatrie", "libpixman-",
    "libfontconfig", "libfreetype", "libpng16", "libexpat", "libz.", "libzstd", "liblz4", "libbrotli", "libbsd",
    "libmd.", "libdbus-1", "libsystemd", "libcap.", "libgcrypt", "libgpg-error", "libmount", "libblkid", "libselinux",
    "libuuid", "libpcre", "libjpeg", "libtiff", "libwebp", "libjbig", "libLerc", "libdeflate", "libgssapi_krb5",
    "libkrb5", "libk5crypto", "libcom_err", "libkeyutils", "libresolv", "libstdc++", "libgcc_s",
)  # fmt: skip
"""Beginnings of the names of shared libraries that every desktop of Linux has, and that belong together there."""

UNUSED_QT = (
    "Qt/translations", "Qt/qml", "Qt/resources", "Qt/plugins/egldeviceintegrations", "Qt/plugins/generic",
    "Qt/plugins/networkinformation", "Qt/plugins/platforminputcontexts/libqtvirtualkeyboard",
    "Qt/plugins/platforms/libqeglfs", "Qt/plugins/platforms/libqlinuxfb", "Qt/plugins/platforms/libqminimal",
    "Qt/plugins/platforms/libqvkkhrdisplay", "Qt/plugins/platforms/libqvnc",
    "Qt/plugins/wayland-graphics-integration-client",  # these load libQt6OpenGL
    "Qt/lib/libQt6EglF", "Qt/lib/libQt6OpenGL", "Qt/lib/libQt6Pdf", "Qt/lib/libQt6Qml", "Qt/lib/libQt6Quick",
    "Qt/lib/libQt6VirtualKeyboard",
    # The same, where macOS has it.
    "Qt/lib/QtOpenGL", "Qt/lib/QtPdf", "Qt/lib/QtQml", "Qt/lib/QtQuick", "Qt/lib/QtVirtualKeyboard",
    # The same, where Windows has it.
    "translations", "qml", "plugins/generic", "plugins/networkinformation", "plugins/platforms/qdirect2d",
    "plugins/platforms/qminimal", "plugins/platforminputcontexts/qtvirtualkeyboard", "opengl32sw.dll", "Qt6Pdf",
    "Qt6Qml", "Qt6Quick", "Qt6VirtualKeyboard", "Qt6OpenGL",
)  # fmt: skip
"""Beginnings of paths below PySide6/ that the program does without."""

UNUSED_IMAGE_FORMATS = ("tga", "tiff", "wbmp", "webp", "gif", "icns", "pdf")


def list_modules(packages: Path) -> list[str]:
    """Names of all modules of the program below the wheel's folder: many are imported by name."""
    files = [path for name in PROGRAM for path in (packages / name).rglob("*.py")]
    names = {".".join(path.relative_to(packages).with_suffix("").parts).removesuffix(".__init__") for path in files}
    return sorted(names)


def list_data(packages: Path) -> Iterator[tuple[str, str]]:
    """Data files of the program with the folders of the bundle that they go to: resources and migrations."""
    for name in PROGRAM:
        for path in sorted((packages / name).rglob("*")):
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                yield str(path), str(path.parent.relative_to(packages))


def find_metadata(name: str) -> tuple[str, str]:
    """The metadata of the distribution `name` and its folder in the bundle. The program reads its repository there.

    The other files beside it name folders of the machine that builds.
    """
    entries = importlib.metadata.distribution(name).files or ()
    (file,) = (entry for entry in entries if entry.name == "METADATA" and entry.parent.suffix == ".dist-info")
    return str(file.locate()), str(file.parent)


def is_wanted(name: str, platform: str) -> bool:
    """Whether the file of that name in the bundle belongs into a bundle for `platform`, as in `sys.platform`."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.parts[0] in ("PySide6", "shiboken6"):
        inside = path.relative_to(path.parts[0]).as_posix()
        return not inside.startswith(UNUSED_QT) and not _is_unused_format(path)
    # Only what was taken from the system: other folders hold libraries of wheels, which bring what they need.
    if platform == "linux" and len(path.parts) == 1:
        return not path.name.startswith(DESKTOP_LIBRARIES)
    return True


def _is_unused_format(path: PurePosixPath) -> bool:
    plugin = path.name.partition(".")[0].removeprefix("lib")
    return path.parent.name == "imageformats" and plugin.removeprefix("q") in UNUSED_IMAGE_FORMATS


def choose_files(files: Iterable[tuple[str, str, str]], platform: str) -> list[tuple[str, str, str]]:
    """The files of PyInstaller's table of contents (name, source, type) that belong into the bundle.

    A link (type SYMLINK, with its target as the source) stays where it leads to a file or folder of the bundle.
    """
    chosen = [entry for entry in files if is_wanted(entry[0], platform)]
    links = {PurePosixPath(name): PurePosixPath(source) for name, source, kind in chosen if kind == "SYMLINK"}
    present = {PurePosixPath(name) for name, _, kind in chosen if kind != "SYMLINK"}
    present |= {parent for name in present for parent in name.parents}
    # Frameworks of macOS consist of links, and libraries there find others by links beside the program. On Linux,
    # each knows where the others are.
    kept = {str(link) for link in links if platform == "darwin" and _follow(link, links) in present}
    return [entry for entry in chosen if entry[2] != "SYMLINK" or entry[0] in kept]


def _follow(path: PurePosixPath, links: Mapping[PurePosixPath, PurePosixPath]) -> PurePosixPath:
    """Resolve the links on a path."""
    for _ in range(len(links) + 1):  # a link to itself leads nowhere
        link = next((link for link in (path, *path.parents) if link in links), None)
        if link is None:
            break
        path = PurePosixPath(normpath(link.parent / links[link] / path.relative_to(link)))
    return path
