"""The command of the next login, for every way of installing."""

import os
import sys
from pathlib import Path

import pytest

from tests.systems import INERT
from tray_app.desktop.autostart.command import Installation, start_command, this_installation


def _program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(INERT)
    path.chmod(0o755)
    return path


def test_app_image_is_started_by_its_file_rather_than_its_mount(tmp_path: Path) -> None:
    mount = tmp_path / ".mount_Claude"
    installation = Installation(
        executable=mount / "usr" / "bin" / "dragoman",
        script=mount / "usr" / "bin" / "dragoman",
        frozen=True,
        environment={"APPIMAGE": "/home/me/Apps/Dragoman.AppImage", "APPDIR": str(mount)},
    )
    assert start_command(installation) == ("/home/me/Apps/Dragoman.AppImage", "--hidden")


@pytest.mark.skipif(sys.platform == "win32", reason="AppImages and links are POSIX's")
def test_app_image_is_found_when_its_mount_is_reached_by_a_link(tmp_path: Path) -> None:
    program = _program(tmp_path / "real" / ".mount_Dragoman" / "usr" / "lib" / "dragoman" / "dragoman")
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    installation = Installation(
        executable=program,
        script=program,
        frozen=True,
        environment={"APPIMAGE": "/home/me/Dragoman.AppImage", "APPDIR": str(tmp_path / "linked" / ".mount_Dragoman")},
    )
    assert start_command(installation) == ("/home/me/Dragoman.AppImage", "--hidden")


def test_variables_of_another_app_image_are_ignored(tmp_path: Path) -> None:
    script = _program(tmp_path / "venv" / "bin" / "dragoman")
    installation = Installation(
        executable=script.with_name("python"),
        script=script,
        environment={"APPIMAGE": "/home/me/Terminal.AppImage", "APPDIR": "/tmp/.mount_Terminal"},
    )
    assert start_command(installation) == (str(script), "--hidden")


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_bundle_is_its_own_program(platform: str, tmp_path: Path) -> None:
    executable = tmp_path / "Dragoman.app" / "Contents" / "MacOS" / "Dragoman"
    installation = Installation(executable=executable, script=executable, frozen=True, platform=platform)
    assert start_command(installation) == (str(executable), "--hidden")


@pytest.mark.skipif(sys.platform == "win32", reason="Flatpaks are for Linux")
def test_a_flatpak_is_started_by_its_id() -> None:
    program = Path("/app/lib/dragoman/dragoman")
    installation = Installation(program, program, frozen=True, environment={"FLATPAK_ID": "org.a.B"})
    assert start_command(installation) == ("flatpak", "run", "org.a.B", "--hidden")


def test_a_bundle_of_windows_starts_without_a_console(tmp_path: Path) -> None:
    executable, window = _program(tmp_path / "dragoman.exe"), _program(tmp_path / "dragoman-window.exe")
    installation = Installation(executable=executable, script=executable, frozen=True, platform="win32")
    assert start_command(installation) == (str(window), "--hidden")


def test_console_script_beside_the_interpreter_is_found(tmp_path: Path) -> None:
    script = _program(tmp_path / "venv" / "bin" / "dragoman")
    installation = Installation(executable=script.with_name("python"), script=tmp_path / "tray_app" / "__main__.py")
    assert start_command(installation) == (str(script), "--hidden")


def test_started_script_takes_precedence(tmp_path: Path) -> None:
    for_the_user = _program(tmp_path / ".local" / "bin" / "dragoman")
    beside = _program(tmp_path / "bin" / "dragoman")
    installation = Installation(executable=beside.with_name("python"), script=for_the_user)
    assert start_command(installation) == (str(for_the_user), "--hidden")


def test_without_a_script_the_interpreter_runs_the_package(tmp_path: Path) -> None:
    python = _program(tmp_path / "bin" / "python")
    installation = Installation(executable=python, script=tmp_path / "tray_app" / "__main__.py")
    assert start_command(installation) == (str(python), "-m", "dragoman", "--hidden")


def test_windows_uses_pythonw(tmp_path: Path) -> None:
    windowed = _program(tmp_path / "Scripts" / "pythonw.exe")
    script = _program(tmp_path / "Scripts" / "dragoman.exe")
    installation = Installation(executable=windowed.with_name("python.exe"), script=script, platform="win32")
    assert start_command(installation) == (str(windowed), "-m", "dragoman", "--hidden")


def test_options_go_before_hidden(tmp_path: Path) -> None:
    python = _program(tmp_path / "bin" / "python")
    installation = Installation(executable=python, script=tmp_path / "x.py")
    command = start_command(installation, ["--config-dir", "/else where"])
    assert command[-3:] == ("--config-dir", "/else where", "--hidden")


def test_this_installation_has_an_existing_program() -> None:
    command = start_command(this_installation())
    assert os.access(command[0], os.X_OK)
    assert command[-1] == "--hidden"
