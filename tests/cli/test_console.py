"""The program without a console, as Windows starts it from a shortcut, and with a closed output."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from server.core.console import write_line
from server.logs import log_file
from tests.cli.processes import QUIET, ROOT, run, started, without_console
from tests.systems import posix_only
from tests.waiting import until

posix = posix_only("/dev/full")


@pytest.mark.parametrize("package", ["server", "tray_app"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["doctor"], 0),
        (["doctor", "--json"], 0),
        (["doctor", "--port", "1000000"], 1),
        (["key"], 1),  # it could not be given to anybody
        (["key", "--anthropic"], 1),
        (["key", "--forget-anthropic"], 0),
        (["serve", "--port", "1000000"], 2),
        (["serve", "--data-dir", str(Path(__file__, "none"))], 1),
        (["--help"], 0),
        (["serve", "--no-such-option"], 2),
    ],
)
def test_a_command_does_its_work_without_a_console(
    claude_environment: Mapping[str, str], cli_path: Path, package: str, arguments: list[str], code: int
) -> None:
    account = {name: value for name, value in claude_environment.items() if os.environ.get(name) != value}
    account |= {"DRAGOMAN_CLAUDE_PATH": str(cli_path), "DRAGOMAN_PORT": "0"}
    result = run(*arguments, program=without_console(package), **account)
    assert (result.returncode, result.stdout, result.stderr) == (code, "", "")


@pytest.mark.parametrize(("package", "arguments"), [("server", ["serve"]), ("tray_app", [])])
async def test_the_server_serves_without_a_console(tmp_path: Path, package: str, arguments: list[str]) -> None:
    command = [*without_console(package), *arguments, "--port", "0", "--data-dir", str(tmp_path)]
    with started(*command, DISPLAY="", WAYLAND_DISPLAY="", QT_QPA_PLATFORM="") as process:
        log = log_file(tmp_path)
        await until(lambda: log.exists() and "listening on" in log.read_text())
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate()
        assert (process.returncode, out, err) == (0, "", "")


@posix
@pytest.mark.parametrize(("command", "code", "said"), [("key", 1, "could not be printed"), ("doctor", 1, "")])
def test_an_output_that_takes_nothing_is_no_traceback(tmp_path: Path, command: str, code: int, said: str) -> None:
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "server", command, "--data-dir", str(tmp_path)],
            env=os.environ | QUIET | {"DRAGOMAN_CLAUDE_PATH": str(tmp_path / "none")},
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.returncode == code
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr


@pytest.mark.parametrize("package", ["server", "tray_app"])
def test_a_path_outside_the_encoding_of_the_output_is_printed(tmp_path: Path, package: str) -> None:
    folder = tmp_path / "Zażółć"
    result = run("quit", "--data-dir", str(folder), program=("-m", package), PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, "")
    assert "Za\\u017c\\xf3\\u0142\\u0107" in result.stdout


def test_nothing_is_said_on_the_other_stream(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr", None)
    assert not write_line("an error", "stderr")
    assert write_line("an answer")
    assert capsys.readouterr().out == "an answer\n"
