"""Two launches of the application: real processes, real sockets, real locks."""

import asyncio
import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.core.errors import SetupError
from tests.systems import posix_only
from tests.waiting import until
from tray_app.desktop.instance.launch import MAX_LINE_BYTES, Launch
from tray_app.desktop.instance.single_instance import SingleInstance

posix = posix_only("signals, file modes and Unix sockets")

# Claims the data directory, prints the outcome, listens, and prints each request.
START = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from tray_app.desktop.instance.launch import Launch
from tray_app.desktop.instance.single_instance import SingleInstance

instance = SingleInstance(Path(sys.argv[1]))
if not instance.claim_data_dir(Launch(token=sys.argv[2]), timeout=60):
    print("second", flush=True)
    sys.exit()
app = QCoreApplication([])
instance.launch_received.connect(lambda launch: print("received", launch.token, flush=True))
instance.start_listening()
print("first", flush=True)
app.exec()
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def runtime_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime directory with a path as short as a session's: a socket's path in it is limited to 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="dgm-") as directory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        yield Path(directory)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Launch a process that claims `tmp_path / "data"`."""
    processes = []

    def start(token: str = "", **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(tmp_path / "data"), token],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def first(tmp_path: Path, qapp: object) -> Iterator[SingleInstance]:
    """An instance in this process that holds the claim and listens."""
    instance = SingleInstance(tmp_path / "data")
    assert instance.claim_data_dir(Launch())
    instance.start_listening()
    yield instance
    instance.release_claim()


@pytest.fixture
def sigint_handler() -> Iterator[None]:
    """Python's own handler. A shell's background job ignores SIGINT, and so would the test."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def read_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def claim_again(data_dir: Path, launch: Launch, timeout: float = 60.0) -> bool:
    """A second launch, in this process: the lock excludes any other opening of its file."""
    return SingleInstance(data_dir).claim_data_dir(launch, timeout=timeout)


def address_of(data_dir: Path) -> str:
    return str(json.loads((data_dir / "instance.json").read_text())["address"])


async def send(address: str, data: bytes) -> bytes:
    """The running instance's reply to `data`."""
    reader, writer = await asyncio.open_unix_connection(address)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    return answer


def test_second_launch_forwards_its_request_and_exits_0(start: Start) -> None:
    first = start()
    assert read_line(first) == "first"
    second = start(token="from-the-second")
    assert read_line(second) == "second"
    assert second.wait(60) == 0
    assert read_line(first) == "received from-the-second"


def test_one_of_many_simultaneous_launches_stays(start: Start) -> None:
    processes = [start(token=str(number)) for number in range(5)]
    words = [read_line(process) for process in processes]
    assert sorted(words) == ["first", *["second"] * 4]
    first = processes.pop(words.index("first"))
    assert len({read_line(first) for _ in processes}) == 4
    assert [process.wait(60) for process in processes] == [0] * 4


def test_after_a_crash_the_next_launch_is_the_first(start: Start, tmp_path: Path) -> None:
    crashed = start()
    assert read_line(crashed) == "first"
    crashed.kill()
    crashed.wait()
    assert Path(address_of(tmp_path / "data")).is_socket()
    after = start()
    assert read_line(after) == "first"
    assert read_line(start(token="hello")) == "second"
    assert read_line(after) == "received hello"


@posix
def test_hung_instance_is_reported_and_not_killed(start: Start, tmp_path: Path) -> None:
    hung = start()
    assert read_line(hung) == "first"
    hung.send_signal(signal.SIGSTOP)
    with pytest.raises(SetupError, match=rf"process {hung.pid}\) but does not respond"):
        claim_again(tmp_path / "data", Launch(), timeout=0.3)
    assert hung.poll() is None


@posix
def test_ctrl_c_ends_the_wait_for_a_hung_instance(start: Start, tmp_path: Path, sigint_handler: None) -> None:
    hung = start()
    assert read_line(hung) == "first"
    hung.send_signal(signal.SIGSTOP)
    interruption = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    interruption.start()
    with pytest.raises(KeyboardInterrupt):
        claim_again(tmp_path / "data", Launch())
    interruption.join()


def test_error_names_the_starting_instance_rather_than_a_killed_one(tmp_path: Path) -> None:
    record = tmp_path / "data" / "instance.json"
    record.parent.mkdir()
    record.write_text(json.dumps({"address": str(tmp_path / "gone"), "process": 1}))
    starting = SingleInstance(tmp_path / "data")
    assert starting.claim_data_dir(Launch())
    with pytest.raises(SetupError, match=rf"process {os.getpid()}\) but does not respond"):
        claim_again(tmp_path / "data", Launch(), timeout=0.1)
    starting.release_claim()


def test_launch_with_another_environment_finds_the_first(start: Start, tmp_path: Path) -> None:
    first = start()
    assert read_line(first) == "first"
    assert read_line(start(token="no-runtime-dir", XDG_RUNTIME_DIR="")) == "second"
    assert read_line(first) == "received no-runtime-dir"


async def test_request_of_the_second_launch_arrives(first: SingleInstance, tmp_path: Path) -> None:
    heard: list[Launch] = []
    first.launch_received.connect(heard.append)
    for launch in (Launch("page", "settings", "a-token"), Launch("none")):
        assert not await asyncio.to_thread(claim_again, tmp_path / "data", launch)
    await until(lambda: len(heard) == 2)
    assert heard == [Launch("page", "settings", "a-token"), Launch("none")]


@posix
def test_only_the_owner_can_use_socket_and_files(runtime_dir: Path, first: SingleInstance, tmp_path: Path) -> None:
    address = Path(address_of(tmp_path / "data"))
    assert address.stat().st_mode & 0o077 == 0
    assert address.parent == runtime_dir
    for name in ("instance.lock", "instance.json"):
        assert (tmp_path / "data" / name).stat().st_mode & 0o077 == 0


def test_two_data_directories_are_two_instances(first: SingleInstance, tmp_path: Path) -> None:
    other = SingleInstance(tmp_path / "other")
    assert other.claim_data_dir(Launch())
    other.start_listening()
    assert address_of(tmp_path / "other") != address_of(tmp_path / "data")
    other.release_claim()


def test_symbolic_link_leads_to_the_same_instance(first: SingleInstance, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(tmp_path / "data")
    with pytest.raises(SetupError, match="does not respond"):
        claim_again(tmp_path / "alias", Launch(), timeout=0.1)  # this thread would have to answer


@posix
def test_long_data_directory_gets_a_short_socket_path(
    tmp_path: Path, runtime_dir: Path, qapp: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")
    short = runtime_dir
    monkeypatch.setattr("tempfile.tempdir", str(short))
    deep = SingleInstance(tmp_path / ("d" * 100))
    assert deep.claim_data_dir(Launch())
    deep.start_listening()
    address = Path(address_of(tmp_path / ("d" * 100)))
    assert address.is_socket()
    assert address.parent.parent == short
    assert address.parent.stat().st_mode & 0o777 == 0o700
    deep.release_claim()


def test_runtime_directory_writable_by_others_is_not_used(runtime_dir: Path, qapp: object) -> None:
    runtime_dir.chmod(0o777)
    with tempfile.TemporaryDirectory(prefix="dgm-") as data_dir:  # short as well
        instance = SingleInstance(Path(data_dir))
        assert instance.claim_data_dir(Launch())
        instance.start_listening()
        assert Path(address_of(Path(data_dir))).parent == Path(data_dir)
        instance.release_claim()


@posix
def test_in_a_flatpak_the_socket_is_where_other_starts_see_it(
    tmp_path: Path, runtime_dir: Path, qapp: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = runtime_dir / "app" / "org.a.B"
    shared.mkdir(mode=0o700, parents=True)
    monkeypatch.setenv("FLATPAK_ID", "org.a.B")
    monkeypatch.setattr("sys.executable", "/app/lib/dragoman/dragoman")
    instance = SingleInstance(tmp_path / "data")
    assert instance.claim_data_dir(Launch())
    instance.start_listening()
    assert Path(address_of(tmp_path / "data")).parent == shared
    instance.release_claim()


def test_unusable_data_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SetupError, match="cannot be used") as error:
        SingleInstance(tmp_path / "file" / "data").claim_data_dir(Launch())
    assert "--data-dir" in error.value.hint


@posix
def test_without_a_socket_it_runs_and_later_launches_fail(
    tmp_path: Path, qapp: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")
    elsewhere = tmp_path / "somebody's"
    elsewhere.mkdir()
    (elsewhere / f"dragoman-{os.getuid()}").write_text("in the way")
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    instance = SingleInstance(tmp_path / ("d" * 100))
    assert instance.claim_data_dir(Launch())
    instance.start_listening()
    assert "later launches cannot reach this one" in caplog.text
    with pytest.raises(SetupError, match="does not respond"):
        claim_again(tmp_path / ("d" * 100), Launch(), timeout=0.1)
    instance.release_claim()


def test_full_disk_does_not_prevent_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    record = tmp_path / "data" / "instance.json"
    record.parent.mkdir()
    record.write_text(json.dumps({"address": str(tmp_path / "gone"), "process": 1}))
    monkeypatch.setattr("tray_app.desktop.instance.single_instance.write_private", fail)
    instance = SingleInstance(tmp_path / "data")
    assert instance.claim_data_dir(Launch())
    assert "later launches cannot reach this one" in caplog.text
    assert not record.exists()
    instance.release_claim()


async def test_launch_during_shutdown_waits_and_becomes_the_first(first: SingleInstance, tmp_path: Path) -> None:
    address = address_of(tmp_path / "data")
    first.close()
    assert not os.path.exists(address)
    with pytest.raises(SetupError):
        await asyncio.to_thread(claim_again, tmp_path / "data", Launch(), 0.1)
    waiting = asyncio.create_task(asyncio.to_thread(claim_again, tmp_path / "data", Launch()))
    first.release_claim()
    assert await waiting


@posix
@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"GET / HTTP/1.1\n", "invalid"),
        (b"x" * MAX_LINE_BYTES, "invalid"),
        (b"x" * 1_000_000, "invalid"),
        (b'{"v": 2, "command": "show"}\n', "unsupported"),
        (b'{"v": 1, "command": "show"}\n{"v": 1, "command": "show"}\n', "ok"),
    ],
)
async def test_strange_messages_are_answered_without_harm(
    first: SingleInstance, tmp_path: Path, data: bytes, answer: str
) -> None:
    heard: list[Launch] = []
    first.launch_received.connect(heard.append)
    address = address_of(tmp_path / "data")
    try:
        assert json.loads(await send(address, data))["answer"] == answer
    except ConnectionError:  # the connection ended while it was still writing
        assert len(data) > MAX_LINE_BYTES
    assert heard == [Launch()] * (answer == "ok")
    assert json.loads(await send(address, b'{"v": 1, "command": "none"}\n'))["answer"] == "ok"


@posix
async def test_silent_connections_do_not_block_others(first: SingleInstance, tmp_path: Path) -> None:
    address = address_of(tmp_path / "data")
    writers = [(await asyncio.open_unix_connection(address))[1] for _ in range(16)]
    for writer in writers:
        writer.close()
    async with asyncio.timeout(60):
        while True:
            try:
                answer = await send(address, b'{"v": 1, "command": "none"}\n')
            except ConnectionError:
                continue
            if answer:
                break
    assert json.loads(answer)["answer"] == "ok"


def test_request_of_a_later_version_is_an_error(tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    running = start()
    assert read_line(running) == "first"
    monkeypatch.setattr("tray_app.desktop.instance.launch.VERSION", 2)
    with pytest.raises(SetupError, match="Another version"):
        claim_again(tmp_path / "data", Launch())
