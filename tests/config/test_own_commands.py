"""The command lines in messages: they can be run as printed."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from server.config import own_commands
from server.config.own_commands import (
    Installation,
    cli_command,
    desktop_environment,
    own_command,
    program_command,
    set_host,
    sign_in_hint,
)
from server.config.paths import default_config_dir, default_data_dir
from tests.systems import posix_only

NAME = "dragoman.exe" if sys.platform == "win32" else "dragoman"
posix = posix_only("a POSIX shell reads the lines")


@pytest.fixture(autouse=True)
def _host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_commands, "host", own_commands.HostProgram())


def put(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).touch(mode=0o700)
    return str(folder / NAME)


def installation(tmp_path: Path, **changes: object) -> Installation:
    fields = {
        "executable": tmp_path / "environment" / "python",
        "script": tmp_path / "script",
        "environment": {"PATH": str(tmp_path / "path")},
        **changes,
    }
    return Installation(**fields)  # type: ignore[arg-type]


def test_on_path_the_name_is_enough(tmp_path: Path) -> None:
    put(tmp_path / "path")
    put(tmp_path / "environment")
    assert program_command(installation(tmp_path), tmp_path) == ["dragoman"]


def test_in_a_checkout_it_is_dev_py(tmp_path: Path) -> None:
    put(tmp_path / "environment")
    (tmp_path / "dev.py").touch()
    assert program_command(installation(tmp_path), tmp_path) == ["python3", str(tmp_path / "dev.py"), "run"]
    assert program_command(installation(tmp_path, platform="win32"), tmp_path)[0] == "py"


def test_in_a_virtual_environment_it_is_the_script_s_path(tmp_path: Path) -> None:
    script = put(tmp_path / "environment")
    assert program_command(installation(tmp_path), tmp_path) == [script]


def test_without_a_script_it_is_the_module(tmp_path: Path) -> None:
    assert program_command(installation(tmp_path), tmp_path) == [
        str(tmp_path / "environment" / "python"),
        "-m",
        "dragoman",
    ]


def test_the_window_of_a_bundle_for_windows_names_the_program_with_a_console(tmp_path: Path) -> None:
    window, console = tmp_path / "dragoman-window.exe", tmp_path / "dragoman.exe"
    started = Installation(executable=window, script=window, frozen=True, platform="win32")
    assert program_command(started, tmp_path) == [str(window)]
    console.touch()
    assert program_command(started, tmp_path) == [str(console)]


def test_a_bundle_and_an_image_are_started_themselves(tmp_path: Path) -> None:
    put(tmp_path / "path")
    frozen = installation(tmp_path, frozen=True)
    assert program_command(frozen, tmp_path) == [str(frozen.executable)]
    environment = {"APPIMAGE": "/opt/Tray.AppImage", "APPDIR": str(tmp_path / "environment")}
    assert program_command(installation(tmp_path, environment=environment), tmp_path) == ["/opt/Tray.AppImage"]


@posix
def test_an_image_is_recognised_when_its_folder_for_mounts_is_a_link(tmp_path: Path) -> None:
    # The runtime names its mount as TMPDIR does; the bundle's program finds itself by its real path.
    mount = tmp_path / "real" / ".mount_Dragoman"
    program = Path(put(mount / "usr" / "lib" / "dragoman"))
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    environment = {"APPIMAGE": "/opt/Tray.AppImage", "APPDIR": str(tmp_path / "linked" / mount.name)}
    inside = Installation(program, program, frozen=True, environment=environment)
    assert program_command(inside, tmp_path) == ["/opt/Tray.AppImage"]


@posix
def test_an_interpreter_that_is_a_link_out_of_the_image_is_in_it(tmp_path: Path) -> None:
    mount = tmp_path / ".mount_Dragoman"
    interpreter = mount / "usr" / "bin" / "python"
    interpreter.parent.mkdir(parents=True)
    interpreter.symlink_to(sys.executable)
    environment = {"APPIMAGE": "/opt/Tray.AppImage", "APPDIR": str(mount)}
    inside = Installation(interpreter, interpreter, environment=environment)
    assert program_command(inside, tmp_path) == ["/opt/Tray.AppImage"]


def in_flatpak(executable: str, **variables: str) -> Installation:
    return Installation(
        Path(executable), Path(executable), frozen=True, environment={"FLATPAK_ID": "org.a.B"} | variables
    )


@posix
def test_a_flatpak_is_started_by_its_id(tmp_path: Path) -> None:
    inside = in_flatpak("/app/lib/dragoman/dragoman")
    assert program_command(inside, tmp_path) == ["flatpak", "run", "org.a.B"]
    # A terminal in the sandbox of another program.
    assert program_command(in_flatpak("/opt/dragoman"), tmp_path) == ["/opt/dragoman"]


@posix
def test_the_desktop_outside_of_a_flatpak_has_its_own_folders() -> None:
    variables = {"XDG_CONFIG_HOME": "/home/me/.var/app/org.a.B/config", "XDG_RUNTIME_DIR": "/run/user/1", "A": "b"}
    inside = in_flatpak("/app/lib/dragoman/dragoman", **variables)
    kept = {"FLATPAK_ID": "org.a.B", "XDG_RUNTIME_DIR": "/run/user/1", "A": "b"}
    assert desktop_environment(inside) == kept
    outside = {"HOST_XDG_CONFIG_HOME": "/home/me/settings"}
    inside = in_flatpak("/app/lib/dragoman/dragoman", **variables, **outside)
    assert desktop_environment(inside) == kept | outside | {"XDG_CONFIG_HOME": "/home/me/settings"}
    elsewhere = in_flatpak("/opt/dragoman", **variables)
    assert desktop_environment(elsewhere) == elsewhere.environment


@posix
def test_the_line_of_this_installation_runs_on_the_same_folders(tmp_path: Path) -> None:
    data = tmp_path / "my data"
    set_host(data, default_config_dir(), window=False)
    ran = subprocess.run(["sh", "-c", own_command("doctor")], capture_output=True, text=True, check=False)
    assert str(data) in ran.stdout, ran.stderr
    set_host(default_data_dir(), default_config_dir(), window=False)
    assert "data-dir" not in own_command("key")


@posix
def test_claude_is_named_by_its_path_unless_a_terminal_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = tmp_path / "with space" / "claude"
    bundled.parent.mkdir()
    bundled.touch(mode=0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shlex.split(cli_command(bundled, "auth", "login")) == [str(bundled), "auth", "login"]
    monkeypatch.setenv("PATH", str(bundled.parent))
    assert cli_command(bundled, "auth", "login") == "claude auth login"


def test_the_window_s_button_is_named_where_there_is_a_window() -> None:
    set_host(default_data_dir(), default_config_dir(), window=True)
    assert sign_in_hint("/opt/claude").startswith("Sign in on the Overview page of the window, or run `/opt/claude")
    assert "Overview" in own_commands.key_hint()
    set_host(default_data_dir(), default_config_dir(), window=False)
    assert sign_in_hint("/opt/claude").startswith("Run `/opt/claude auth login`")
    assert own_command("key") in own_commands.key_hint()
    assert own_command("key", "--anthropic") in own_commands.anthropic_key_hint()


def test_the_checkout_is_the_folder_of_dev_py() -> None:
    assert (own_commands.CHECKOUT / "dev.py").is_file()
