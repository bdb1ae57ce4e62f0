"""The bundle: what stays out of it, and the environment that its program passes on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bundle.contents import choose_files, find_metadata, is_wanted, list_data, list_modules
from project import read_project

ROOT = Path(__file__).parents[2]
START = ROOT / "packaging" / "bundle" / "start.py"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("libglib-2.0.so.0", False),
        ("libX11.so.6", False),
        ("libstdc++.so.6", False),
        ("libxcb-cursor.so.0", True),
        ("libxkbcommon-x11.so.0", True),
        ("libxcb-render-util.so.0", True),
        ("libpython3.11.so.1.0", True),
        ("PySide6/Qt/lib/libQt6Core.so.6", True),
        ("PySide6/Qt/lib/libQt6Quick.so.6", False),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", True),
        ("PySide6/Qt/plugins/platforms/libqeglfs.so", False),
        ("PySide6/Qt/plugins/wayland-graphics-integration-client/libqt-plugin-wayland-egl.so", False),
        ("PySide6/Qt/plugins/wayland-shell-integration/libxdg-shell.so", True),
        ("PySide6/Qt/plugins/imageformats/libqjpeg.so", True),
        ("PySide6/Qt/plugins/imageformats/libqtiff.so", False),
        ("PySide6\\plugins\\imageformats\\qwebp.dll", False),
        ("PySide6\\plugins\\platforms\\qwindows.dll", True),
        ("PySide6/Qt/translations/qtbase_de.qm", False),
    ],
)
def test_the_desktops_libraries_and_unused_parts_of_qt_stay_out(name: str, wanted: bool) -> None:
    assert is_wanted(name, "linux") is wanted


def test_system_libraries_are_left_out_on_linux_alone() -> None:
    assert is_wanted("libz.1.dylib", "darwin")


def test_links_to_what_stays_out_are_left_out() -> None:
    files = [("libz.so", "libz.so.1", "SYMLINK"), ("libz.so.1", "/lib/libz.so.1", "BINARY"), ("a", "/a", "DATA")]
    assert choose_files(files, "linux") == [("a", "/a", "DATA")]


def test_frameworks_of_macos_keep_their_links() -> None:
    core, quick = "PySide6/Qt/lib/QtCore.framework", "PySide6/Qt/lib/QtQuick.framework"
    kept = [
        (f"{core}/Versions/A/QtCore", "/QtCore", "BINARY"),
        (f"{core}/Versions/A/Resources/Info.plist", "/Info.plist", "DATA"),
        (f"{core}/Versions/Current", "A", "SYMLINK"),
        (f"{core}/QtCore", "Versions/Current/QtCore", "SYMLINK"),
        (f"{core}/Resources", "Versions/Current/Resources", "SYMLINK"),
        ("QtCore", f"{core}/Versions/A/QtCore", "SYMLINK"),
    ]
    left = [
        (f"{quick}/Versions/A/QtQuick", "/QtQuick", "BINARY"),
        (f"{quick}/Versions/Current", "A", "SYMLINK"),
        ("QtQuick", f"{quick}/Versions/A/QtQuick", "SYMLINK"),
        ("circle", "circle", "SYMLINK"),
    ]
    assert choose_files([*kept, *left], "darwin") == kept


def test_all_modules_and_data_files_are_listed() -> None:
    modules = list_modules(ROOT)
    assert {"server", "server.entry", "tray_app.__main__", "tray_app.pages.overview.page"} <= set(modules)
    assert not [name for name in modules if name.endswith("__init__")]
    data = [(Path(source).name, folder) for source, folder in list_data(ROOT)]
    assert ("0001_sessions_and_requests.sql", str(Path("server/store/migrations"))) in data


@pytest.mark.parametrize(
    ("variables", "passed_on"),
    [
        ({"LD_LIBRARY_PATH": "/bundle"}, "None"),
        ({"LD_LIBRARY_PATH": "/bundle", "LD_LIBRARY_PATH_ORIG": "/users/own"}, "/users/own"),
        ({}, "None"),
    ],
)
def test_the_program_passes_on_the_users_library_path(
    variables: dict[str, str], passed_on: str, tmp_path: Path
) -> None:
    # A stand-in for the program, which starts another one, as the window starts a browser.
    (tmp_path / "tray_app").mkdir()
    # A regular package: the checkout's would take precedence over a namespace package, and start the program.
    (tmp_path / "tray_app" / "__init__.py").touch()
    child = "import os; print(os.environ.get('LD_LIBRARY_PATH'), {'LD_LIBRARY_PATH_ORIG', 'ARGV0'} & {*os.environ})"
    (tmp_path / "tray_app" / "__main__.py").write_text(
        f"import subprocess, sys\ndef main():\n    return subprocess.call([sys.executable, '-c', {child!r}])\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LD_LIBRARY_PATH")}
    ran = subprocess.run(
        [sys.executable, str(START)],
        env=kept | {"PYTHONPATH": str(tmp_path), "APPDIR": "/mount", "ARGV0": "dragoman"} | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert ran.stdout.strip() == f"{passed_on} set()"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not replace the file of a running program")
def test_modules_come_from_the_file_that_was_started_after_an_upgrade(tmp_path: Path) -> None:
    # As PyInstaller's bootloader leaves it: the importer's archive names the program's file.
    (tmp_path / "pyimod02_importers.py").write_text(
        "class Archive:\n    _filename = '/usr/lib/dragoman/dragoman'\npyz_archive = Archive()\n"
    )
    (tmp_path / "sitecustomize.py").write_text("import pyimod02_importers\n")
    (tmp_path / "tray_app").mkdir()
    (tmp_path / "tray_app" / "__init__.py").touch()
    (tmp_path / "tray_app" / "__main__.py").write_text(
        "import os, pyimod02_importers\n"
        "def main():\n    print(os.path.realpath(pyimod02_importers.pyz_archive._filename))\n"
    )
    ran = subprocess.run(
        [sys.executable, str(START)],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert ran.stdout.strip() == os.path.realpath(sys.executable)


def test_the_bundle_has_the_metadata_that_names_the_repository() -> None:
    source, folder = find_metadata("dragoman")
    assert folder.startswith("dragoman-")
    assert folder.endswith(".dist-info")
    assert is_wanted(f"{folder}/METADATA", "linux")
    assert f"Project-URL: Repository, {read_project().repository}" in Path(source).read_text(encoding="utf-8")
