"""`quit`: real instances, with a window and without, end in an orderly way."""

import asyncio
import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event

import psutil
import pytest

from server.cli.arguments import parse_arguments
from server.config import paths
from server.hosting.instances import DIRECTORY, find_instances, register_instance
from tests.cli.processes import rest_of, run, serving, started
from tests.systems import posix_only

# Listens like an instance, answers `quit` with a line, and ends only at the end of its input.
STUBBORN = """
import asyncio, sys
from pathlib import Path
from server.hosting.instances import register_instance

async def main(instance):
    await instance.listen(lambda now: print("asked", now, flush=True))
    print("listening", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    instance.stop_listening()

with register_instance(Path(sys.argv[1])) as instance:
    asyncio.run(main(instance))
"""


# A server with a request that never ends.
BUSY = """
import asyncio, sys
from pathlib import Path
from server.cli.serve import serve_until_stopped
from server.config.settings import Settings
from server.hosting.instances import register_instance
from server.secrets import KeyStore
from server.secrets.storage import MemoryStorage

class Hosted:
    async def app(self, scope, receive, send): raise RuntimeError("nobody asks")
    async def start(self): pass
    async def stop(self): print("stopped", flush=True)
    def cancel_requests(self): print("cut off", flush=True)
    async def finish_requests(self):
        print("finishing", flush=True)
        await asyncio.Event().wait()

async def host(settings, bus): return Hosted()

with register_instance(Path(sys.argv[1])) as instance:
    sys.exit(asyncio.run(serve_until_stopped(Settings(port=0), host, KeyStore(MemoryStorage()), instance)))
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "my data"


@pytest.fixture
def stubborn(data_dir: Path) -> Iterator["subprocess.Popen[str]"]:
    reader, writer = os.pipe()
    with started("-c", STUBBORN, str(data_dir), stdin=reader) as process:
        os.close(reader)
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        yield process
        os.close(writer)
        rest_of(process)


def run_quit(data_dir: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return run("quit", "--data-dir", str(data_dir), *options)


def test_nothing_runs(data_dir: Path) -> None:
    done = run_quit(data_dir)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"not running with the data directory {data_dir}" in done.stdout
    assert not data_dir.exists()


@pytest.mark.parametrize("options", [(), ("--now",)])
def test_a_server_ends_cleanly(data_dir: Path, options: tuple[str, ...]) -> None:
    with serving("--data-dir", str(data_dir)) as server:
        done = run_quit(data_dir, *options)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"has quit (process {server.process.pid})" in done.stdout
        out, err = rest_of(server.process)
    assert (server.process.returncode, out) == (0, "")
    assert "Traceback" not in err
    assert list((data_dir / DIRECTORY).iterdir()) == []


def test_running_requests_finish_unless_they_are_to_be_cut_off(data_dir: Path) -> None:
    with started("-c", BUSY, str(data_dir)) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("listening on")
        assert server.stdout.readline().startswith("API key")
        waiting = run_quit(data_dir, "--timeout", "0.5")
        assert waiting.returncode == 1
        assert "quit --now" in waiting.stderr
        assert server.stdout.readline() == "finishing\n"
        assert server.poll() is None
        assert run_quit(data_dir, "--now").returncode == 0
        out, err = rest_of(server)
    assert (server.returncode, out) == (0, "cut off\nstopped\n")
    assert "Traceback" not in err


def test_all_instances_of_the_folder_end_and_no_other(data_dir: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        folders = (data_dir, data_dir, tmp_path / "other")
        first, second, other = [stack.enter_context(serving("--data-dir", str(folder))) for folder in folders]
        done = run_quit(data_dir)
        assert done.returncode == 0
        assert "processes" in done.stdout
        assert [first.process.wait(60), second.process.wait(60)] == [0, 0]
        assert other.process.poll() is None


def test_a_window_ends_as_if_quit_were_chosen(data_dir: Path, tmp_path: Path) -> None:
    options = ("--port", "0", "--data-dir", str(data_dir), "--config-dir", str(tmp_path / "config"))
    with started(
        "-m", "tray_app", *options, "--claude-path", str(tmp_path / "none"), QT_QPA_PLATFORM="offscreen"
    ) as app:
        assert app.stdout is not None
        assert app.stdout.readline().startswith("listening on")
        done = run_quit(data_dir)
        assert (done.returncode, done.stderr) == (0, "")
        _, err = rest_of(app)
    assert app.returncode == 0
    assert "Traceback" not in err
    assert list((data_dir / DIRECTORY).iterdir()) == []


@pytest.mark.parametrize(("options", "hint"), [((), "quit --now"), (("--now",), "longer --timeout")])
def test_an_instance_that_does_not_end_in_time_is_one_clear_sentence(
    data_dir: Path, stubborn: "subprocess.Popen[str]", options: tuple[str, ...], hint: str
) -> None:
    done = run_quit(data_dir, "--timeout", "0.5", *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"still running (process {stubborn.pid})" in done.stderr
    assert hint in done.stderr
    assert stubborn.poll() is None
    assert stubborn.stdout is not None
    assert stubborn.stdout.readline() == f"asked {bool(options)}\n"


@posix_only("Windows cannot stop a process")
def test_a_hung_instance_is_reported_and_not_killed(data_dir: Path, stubborn: "subprocess.Popen[str]") -> None:
    stubborn.send_signal(signal.SIGSTOP)
    try:
        done = run_quit(data_dir, "--timeout", "0.5")
        assert done.returncode == 1
        assert "does not respond" in done.stderr
        assert stubborn.poll() is None
    finally:
        stubborn.send_signal(signal.SIGCONT)


def test_a_killed_instance_is_no_running_one(data_dir: Path) -> None:
    with serving("--data-dir", str(data_dir)) as server:
        server.process.kill()
        server.process.wait()
        # Its process id and its port may belong to other programs by now.
        (record,) = (data_dir / DIRECTORY).glob("*.json")
        with closing(socket.create_server(("127.0.0.1", 0))) as other:
            fields = json.loads(record.read_text())
            record.write_text(json.dumps(fields | {"process": os.getpid(), "port": other.getsockname()[1]}))
            done = run_quit(data_dir)
            assert (done.returncode, done.stderr) == (0, "")
            assert "not running" in done.stdout
            other.setblocking(False)
            with pytest.raises(BlockingIOError):
                other.accept()
    assert list((data_dir / DIRECTORY).iterdir()) == []
    assert psutil.pid_exists(os.getpid())


def test_looking_for_an_instance_that_ends_leaves_nothing(data_dir: Path) -> None:
    ended = Event()

    def look() -> None:
        while not ended.is_set():
            find_instances(data_dir)

    with ThreadPoolExecutor(2) as watchers:
        watching = [watchers.submit(look) for _ in range(2)]
        try:
            for _ in range(300):
                with register_instance(data_dir):
                    pass
        finally:
            ended.set()
    for watcher in watching:
        watcher.result()
    assert list((data_dir / DIRECTORY).iterdir()) == []


async def send(port: int, line: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(line)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"secret": "guessed"}, "invalid"),
        ({"secret": 7}, "invalid"),
        ({"secret": "\ud800"}, None),
        ({"command": "dance"}, "invalid"),
        ({"v": True}, "ok"),  # 1 == True in Python, and harmless
        ({"v": 2}, "unsupported"),
        ({"v": "1"}, "invalid"),
        ({}, "ok"),
    ],
)
async def test_only_an_authentic_request_is_obeyed(
    data_dir: Path, fields: dict[str, object], answer: str | None
) -> None:
    asked: list[bool] = []
    with register_instance(data_dir) as instance:
        await instance.listen(asked.append)
        (record,) = (data_dir / DIRECTORY).glob("*.json")
        if sys.platform != "win32":
            assert record.stat().st_mode & 0o077 == 0
        known = json.loads(record.read_text())
        request = {"v": 1, "command": "quit", "now": True, "secret": known["secret"]} | fields
        reply = await send(known["port"], json.dumps(request).encode() + b"\n")
        assert (json.loads(reply)["answer"] if reply else None) == answer
        for noise in (b"GET / HTTP/1.1\r\n\r\n", b"x" * 100_000, b"\xff\n", b"[" * 4000 + b"\n"):
            await send(known["port"], noise)
        assert asked == [True] * (answer == "ok")
        assert len(find_instances(data_dir)) == 1
        instance.stop_listening()
    assert find_instances(data_dir) == []


async def test_a_folder_without_room_does_not_prevent_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / DIRECTORY).write_text("in the way")
    with register_instance(tmp_path) as instance:
        await instance.listen(lambda _: None)
    assert "cannot reach this process" in caplog.text


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "soon"])
def test_an_invalid_timeout_is_a_usage_error(value: str) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_arguments(["quit", f"--timeout={value}"])
    assert ended.value.code == 2


async def test_the_record_goes_although_it_is_being_read(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows refuses to remove a file that another process has open, as `quit` has the record for an instant."""
    monkeypatch.setattr(paths, "RETRY_DELAYS", (0.0,) * 5)
    remove, refusals = Path.unlink, [PermissionError(errno.EACCES, "Access is denied")] * 5

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".json" and refusals:
            raise refusals.pop()
        remove(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    with register_instance(data_dir) as instance:
        await instance.listen(lambda now: None)
        assert list((data_dir / DIRECTORY).glob("*.json"))
        instance.stop_listening()
    assert not refusals
    assert not os.listdir(data_dir / DIRECTORY)
