"""The entry point: the desktop application, or a command of the server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from server import __version__
from server.config.own_commands import own_command
from tray_app.__main__ import main, why_no_desktop
from tray_app.arguments import own_options, parse_arguments

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("arguments", [[name, "--help"] for name in ("key", "serve", "doctor", "quit")])
def test_subcommands_are_the_servers(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    assert f"dragoman {arguments[0]}" in capsys.readouterr().out


def test_the_options_of_the_window(capsys: pytest.CaptureFixture[str]) -> None:
    namespace = parse_arguments(["--hidden", "--port", "1", "--data-dir", "a b"])
    assert (namespace.hidden, namespace.port, namespace.no_start) == (True, "1", False)
    assert own_options(namespace) == ["--data-dir", "a b"]
    for wrong in (["--hiden"], ["serv"]):
        with pytest.raises(SystemExit) as ended:
            parse_arguments(wrong)
        assert ended.value.code == 2
    with pytest.raises(SystemExit):
        parse_arguments(["--version"])
    assert __version__ in capsys.readouterr().out


def test_without_a_display_there_is_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert (why_no_desktop() is None) == (sys.platform in ("win32", "darwin"))
    monkeypatch.setenv("DISPLAY", ":0")
    assert why_no_desktop() is None


def test_the_servers_command_line_loads_no_qt() -> None:
    program = "import sys; from tray_app.__main__ import main; main(sys.argv[1:])"
    program = f"import sys\ntry:\n    {program}\nexcept SystemExit:\n    print('PySide6' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program, "serve", "--help"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.splitlines()[-1] == "False"


def test_a_wrong_value_on_the_command_line_is_answered_there(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tray_app", "--port", "many", "--data-dir", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 2
    assert "port" in done.stderr


def run_to_its_end(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
        timeout=60,
        check=False,
    )


# An import that fails as the system's loader does when a library is missing.
WITHOUT_A_LIBRARY = """
import sys
from tray_app.__main__ import main

class Loader:
    def find_spec(self, name, path=None, target=None):
        if name == "PySide6.QtWidgets":
            raise ImportError(sys.argv[1])

sys.meta_path.insert(0, Loader())
sys.exit(main(["--data-dir", sys.argv[2]]))
"""


def test_a_library_that_the_system_lacks_is_named_with_its_packages(tmp_path: Path) -> None:
    message = "libEGL.so.1: cannot open shared object file: No such file or directory"
    done = run_to_its_end("-c", WITHOUT_A_LIBRARY, message, str(tmp_path))
    assert done.returncode == 1
    assert "libEGL.so.1 is missing" in done.stderr
    assert "apt install libgl1 libegl1" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_import_that_fails_is_no_missing_library(tmp_path: Path) -> None:
    done = run_to_its_end("-c", WITHOUT_A_LIBRARY, "cannot import name 'QIcon'", str(tmp_path))
    assert "Traceback" in done.stderr
    assert "apt install" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="X11 is of Linux")
def test_a_display_that_cannot_be_reached_is_said(tmp_path: Path) -> None:
    done = run_to_its_end(
        "-m", "tray_app", "--data-dir", str(tmp_path), QT_QPA_PLATFORM="xcb", DISPLAY=":nowhere", WAYLAND_DISPLAY=""
    )
    assert done.returncode == 1
    assert "the window cannot be shown" in done.stderr
    assert own_command("serve") in done.stderr
    assert "abort" not in done.stderr.lower()
