"""The program as a process: its output, its end, and errors at startup."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.cli.processes import without_console
from tests.ports import kept_port
from tests.systems import posix_only
from tests.waiting import until

ROOT = Path(__file__).parents[2]

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path, made_home: Path) -> Iterator[Start]:
    """Starts the program with the test's directories and without `claude`; ends it after the test."""
    processes = []
    made_home.mkdir(exist_ok=True)

    def start(
        *options: str, program: Sequence[str] = ("-m", "tray_app"), **environment: str
    ) -> "subprocess.Popen[str]":
        command = [sys.executable, *program, "--port", "0", "--data-dir", str(tmp_path / "data")]
        command += ["--config-dir", str(tmp_path / "config"), "--claude-path", str(tmp_path / "no-claude"), *options]
        with (tmp_path / f"stderr-{len(processes)}").open("w") as errors:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, env=os.environ | environment
            )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def said(process: "subprocess.Popen[str]") -> str:
    """Read the next line of standard output; empty at its end."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def log_of(tmp_path: Path) -> str:
    path = tmp_path / "data" / "logs" / "server.log"
    return path.read_text() if path.exists() else ""


def answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/health", timeout=60).status_code > 0
    except httpx2.TransportError:
        return False


def is_over(process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> int:
    process.send_signal(number)
    return process.wait(60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_well(start: Start, tmp_path: Path, number: int) -> None:
    process = start()
    word, _, url = said(process).rpartition(" ")
    assert word == "listening on"
    assert httpx2.get(f"{url}/v1/models", timeout=60).status_code == 401
    children = psutil.Process(process.pid).children(recursive=True)
    assert is_over(process, number) == 0
    assert not psutil.wait_procs(children, timeout=60)[1]
    errors = (tmp_path / "stderr-0").read_text()
    assert "Traceback" not in errors
    assert "never awaited" not in errors


async def test_a_reader_that_has_gone_is_no_failure(start: Start) -> None:
    with kept_port() as port:
        process = start("--port", str(port))
        assert process.stdout is not None
        process.stdout.close()
        await until(lambda: answers(port))
        assert is_over(process) == 0


async def test_no_console_is_no_failure(start: Start, tmp_path: Path) -> None:
    with kept_port() as port:
        process = start("--port", str(port), program=without_console("tray_app"))
        await until(lambda: answers(port))
        assert is_over(process) == 0
    assert (tmp_path / "stderr-0").read_text() == ""


def test_a_second_start_is_heard_by_the_first_and_ends(start: Start) -> None:
    first = start("--hidden")
    assert said(first)
    second = start("--page", "settings")
    assert said(second) == ""
    assert second.wait(60) == 0
    assert first.poll() is None
    assert is_over(first) == 0


async def test_a_port_that_is_taken_does_not_end_it(start: Start, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        process = start("--port", str(port))
        await until(lambda: f"Port {port} on 127.0.0.1 is in use" in log_of(tmp_path))
        assert is_over(process) == 0


async def test_a_data_directory_that_cannot_be_used_is_said(start: Start, tmp_path: Path) -> None:
    """In a dialog, because there is no terminal, and in the journal, for starts at login."""
    (tmp_path / "data").write_text("in the way")
    process = start()
    errors = tmp_path / "stderr-0"
    await until(lambda: "--data-dir" in errors.read_text())
    assert process.poll() is None
    assert is_over(process) == -signal.SIGTERM
    assert "Traceback" not in errors.read_text()


@pytest.mark.parametrize("mode", [0o600, 0])
async def test_a_file_of_settings_that_cannot_be_used_is_asked_about(start: Start, tmp_path: Path, mode: int) -> None:
    (tmp_path / "config").mkdir()
    broken = tmp_path / "config" / "settings.toml"
    broken.write_text("port = ")
    broken.chmod(mode)
    process = start()
    await until(lambda: str(broken) in (tmp_path / "stderr-0").read_text())
    assert process.poll() is None
    # Nothing has started that must be stopped, so Ctrl-C ends the program at once.
    assert is_over(process, signal.SIGINT) in (-signal.SIGINT, 130)
    assert not (tmp_path / "data").exists()


@posix_only("signals")
async def test_after_a_kill_the_next_start_is_the_first(start: Start) -> None:
    killed = start()
    assert said(killed)
    assert is_over(killed, signal.SIGKILL) == -signal.SIGKILL
    after = start()
    assert said(after).startswith("listening on")
    assert is_over(after) == 0
