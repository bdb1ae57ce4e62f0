"""Two starts of the application: real processes, real sockets, real locks."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.core.errors import SetupError
from tests.waiting import until
from tray_app.desktop.instance.launch import MAX_LINE_BYTES, Launch
from tray_app.desktop.instance.single_instance import MAX_CONNECTIONS, SingleInstance

# Claims, says how that ended, listens, says each message, and ends when it was told to.
START = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from tray_app.desktop.instance.launch import Launch
from tray_app.desktop.instance.single_instance import SingleInstance

instance = SingleInstance(Path(sys.argv[1]))
if not instance.claim(Launch(token=sys.argv[2]), seconds=60):
    print("second", flush=True)
    sys.exit()
app = QCoreApplication([])
instance.message_received.connect(lambda launch: print("told", launch.token, flush=True))
instance.listen()
print("first", flush=True)
app.exec()
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def runtime_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime directory that is as short as a session's own: the path of a socket in it has to fit in 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="dgm-") as directory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        yield Path(directory)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a process that claims `tmp_path / "data"`."""
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
    """An instance in this process that has the claim and listens."""
    instance = SingleInstance(tmp_path / "data")
    assert instance.claim(Launch())
    instance.listen()
    yield instance
    instance.release()


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def claim_again(data_dir: Path, launch: Launch, seconds: float = 60.0) -> bool:
    """What a second start does, in this process: the lock holds between any two openings of its file."""
    return SingleInstance(data_dir).claim(launch, seconds=seconds)


def address_of(instance_dir: Path) -> str:
    return str(json.loads((instance_dir / "instance.lock").read_text())["address"])


def is_there(address: str) -> bool:
    return os.path.exists(address)


async def send(address: str, data: bytes) -> bytes:
    """What the first one answers to `data`."""
    reader, writer = await asyncio.open_unix_connection(address)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    return answer


def test_the_second_start_tells_the_first_and_ends_well(start: Start) -> None:
    first = start()
    assert said(first) == "first"
    second = start(token="from-the-second")
    assert said(second) == "second"
    assert second.wait(60) == 0
    assert said(first) == "told from-the-second"


def test_of_many_starts_at_once_one_stays(start: Start) -> None:
    processes = [start(token=str(number)) for number in range(5)]
    words = [said(process) for process in processes]
    assert sorted(words) == ["first", *["second"] * 4]
    first = processes.pop(words.index("first"))
    assert len({said(first) for _ in processes}) == 4
    assert [process.wait(60) for process in processes] == [0] * 4


def test_after_a_crash_the_next_start_is_the_first(start: Start, tmp_path: Path) -> None:
    crashed = start()
    assert said(crashed) == "first"
    crashed.kill()
    crashed.wait()
    assert Path(address_of(tmp_path / "data")).is_socket()
    after = start()
    assert said(after) == "first"
    assert said(start(token="hello")) == "second"
    assert said(after) == "told hello"


def test_a_first_one_that_hangs_is_said(start: Start, tmp_path: Path) -> None:
    hung = start()
    assert said(hung) == "first"
    hung.send_signal(signal.SIGSTOP)
    with pytest.raises(SetupError, match=rf"process {hung.pid}\) but does not respond"):
        claim_again(tmp_path / "data", Launch(), seconds=0.3)


def test_a_first_one_that_is_not_ready_is_named_and_not_one_that_was_killed_before(tmp_path: Path) -> None:
    lock = tmp_path / "data" / "instance.lock"
    lock.parent.mkdir()
    lock.write_text(json.dumps({"address": str(tmp_path / "gone"), "process": 1}))
    starting = SingleInstance(tmp_path / "data")
    assert starting.claim(Launch())
    with pytest.raises(SetupError, match=rf"process {os.getpid()}\) but does not respond"):
        claim_again(tmp_path / "data", Launch(), seconds=0.1)
    starting.release()


def test_another_environment_finds_the_first_all_the_same(start: Start, tmp_path: Path) -> None:
    first = start()
    assert said(first) == "first"
    assert said(start(token="no-runtime-dir", XDG_RUNTIME_DIR="")) == "second"
    assert said(first) == "told no-runtime-dir"


async def test_what_the_second_start_wants_arrives(first: SingleInstance, tmp_path: Path) -> None:
    heard: list[Launch] = []
    first.message_received.connect(heard.append)
    for launch in (Launch("page", "settings", "a-token"), Launch("none")):
        assert not await asyncio.to_thread(claim_again, tmp_path / "data", launch)
    await until(lambda: len(heard) == 2)
    assert heard == [Launch("page", "settings", "a-token"), Launch("none")]


def test_the_socket_is_the_owners_alone(runtime_dir: Path, first: SingleInstance, tmp_path: Path) -> None:
    address = Path(address_of(tmp_path / "data"))
    assert address.stat().st_mode & 0o077 == 0
    assert address.parent == runtime_dir
    assert (tmp_path / "data" / "instance.lock").stat().st_mode & 0o077 == 0


def test_other_data_directories_live_beside_it(first: SingleInstance, tmp_path: Path) -> None:
    other = SingleInstance(tmp_path / "other")
    assert other.claim(Launch())
    other.listen()
    assert address_of(tmp_path / "other") != address_of(tmp_path / "data")
    other.release()


def test_the_same_directory_by_another_name_is_the_same(first: SingleInstance, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(tmp_path / "data")
    with pytest.raises(SetupError, match="does not respond"):
        claim_again(tmp_path / "alias", Launch(), seconds=0.1)  # this thread would have to answer


def test_a_socket_that_would_be_too_deep_is_made_elsewhere(
    tmp_path: Path, runtime_dir: Path, qapp: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")
    short = runtime_dir
    monkeypatch.setattr("tempfile.tempdir", str(short))
    deep = SingleInstance(tmp_path / ("d" * 100))
    assert deep.claim(Launch())
    deep.listen()
    address = Path(address_of(tmp_path / ("d" * 100)))
    assert address.is_socket()
    assert address.parent.parent == short
    assert address.parent.stat().st_mode & 0o777 == 0o700
    deep.release()


def test_a_runtime_directory_that_others_can_write_is_not_used(runtime_dir: Path, qapp: object) -> None:
    runtime_dir.chmod(0o777)
    with tempfile.TemporaryDirectory(prefix="dgm-") as data_dir:  # short as well
        instance = SingleInstance(Path(data_dir))
        assert instance.claim(Launch())
        instance.listen()
        assert Path(address_of(Path(data_dir))).parent == Path(data_dir)
        instance.release()


def test_a_data_directory_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SetupError, match="cannot be used") as error:
        SingleInstance(tmp_path / "file" / "data").claim(Launch())
    assert "--data-dir" in error.value.hint


def test_without_a_socket_it_runs_all_the_same_and_later_starts_are_told(
    tmp_path: Path, qapp: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")
    elsewhere = tmp_path / "somebody's"
    elsewhere.mkdir()
    (elsewhere / f"dragoman-{os.getuid()}").write_text("in the way")
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    instance = SingleInstance(tmp_path / ("d" * 100))
    assert instance.claim(Launch())
    instance.listen()
    assert "later starts cannot reach this one" in caplog.text
    with pytest.raises(SetupError, match="does not respond"):
        claim_again(tmp_path / ("d" * 100), Launch(), seconds=0.1)
    instance.release()


async def test_while_it_ends_a_new_start_waits_and_is_the_next(first: SingleInstance, tmp_path: Path) -> None:
    address = address_of(tmp_path / "data")
    first.close()
    assert not is_there(address)
    with pytest.raises(SetupError):
        await asyncio.to_thread(claim_again, tmp_path / "data", Launch(), 0.1)
    waiting = asyncio.create_task(asyncio.to_thread(claim_again, tmp_path / "data", Launch()))
    first.release()
    assert await waiting


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
async def test_strange_messages_are_answered_and_do_no_harm(
    first: SingleInstance, tmp_path: Path, data: bytes, answer: str
) -> None:
    heard: list[Launch] = []
    first.message_received.connect(heard.append)
    address = address_of(tmp_path / "data")
    try:
        assert json.loads(await send(address, data))["answer"] == answer
    except ConnectionError:  # it was still writing what nobody reads
        assert len(data) > MAX_LINE_BYTES
    assert heard == [Launch()] * (answer == "ok")
    assert json.loads(await send(address, b'{"v": 1, "command": "none"}\n'))["answer"] == "ok"


async def test_those_who_come_and_say_nothing_do_not_keep_others_out(first: SingleInstance, tmp_path: Path) -> None:
    address = address_of(tmp_path / "data")
    writers = [(await asyncio.open_unix_connection(address))[1] for _ in range(MAX_CONNECTIONS * 2)]
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


def test_another_version_says_so(tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    running = start()
    assert said(running) == "first"
    monkeypatch.setattr("tray_app.desktop.instance.launch.VERSION", 2)
    with pytest.raises(SetupError, match="Another version"):
        claim_again(tmp_path / "data", Launch())
