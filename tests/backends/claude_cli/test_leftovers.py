"""Files of killed CLI processes are removed from Claude Code's folders, and no others."""

import asyncio
import os
import signal
import socket
import subprocess
import sys

import orjson
import psutil
import pytest

from server.backends.claude_cli.transport.command_line import SET
from server.backends.claude_cli.transport.leftovers import remove_leftovers
from tests.asking import ask, fold, tool
from tests.cli.processes import serving
from tests.clients.live import exists
from tests.simulator import FIRST_DELTA, Gate, Text, ToolUse, says
from tests.systems import posix_only
from tests.waiting import until

posix = posix_only("Unix sockets and signals")


@pytest.fixture
def config(made_home):
    return made_home / ".claude"


@pytest.fixture
def with_inbox(monkeypatch):
    """A CLI that opens its inbox, like versions that cannot be restricted."""
    monkeypatch.delitem(SET, "CLAUDE_CODE_RESTRICTED")


def left(config, made_home):
    """Names of records, keys and sockets."""
    folders = {config / "sessions": "*", made_home: "*.sock", made_home / "run" / "cc-socks": "*.sock"}
    return {path.name for folder, names in folders.items() for path in folder.glob(names)}


def own(config, made_home, pid):
    return {name for name in left(config, made_home) if name.split(".")[0] == str(pid)}


@pytest.fixture
def dead_pid():
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-I", "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def plant(config, made_home):
    """`plant(pid, directory)`: write the record, socket and key of a process and return their names."""
    sockets = []

    def put(pid, directory, **more):
        path = made_home / f"{pid}.sock"
        server = socket.socket(socket.AF_UNIX)
        server.bind(os.path.relpath(path))
        sockets.append(server)
        sessions = config / "sessions"
        sessions.mkdir(parents=True, exist_ok=True)
        record = {"pid": pid, "cwd": str(directory), "messagingSocketPath": str(path), **more}
        (sessions / f"{pid}.json").write_bytes(orjson.dumps(record))
        (sessions / f"{pid}.{'a' * 64}.key").write_text("{}")
        return {f"{pid}.json", f"{pid}.{'a' * 64}.key", f"{pid}.sock"}

    yield put
    for server in sockets:
        server.close()


@posix
@pytest.mark.parametrize("state", ["parked", "idle", "holding", "busy"])
async def test_a_killed_process_leaves_nothing(
    start_backend, simulator, config, made_home, with_inbox, plant, dead_pid, tmp_path, state
):
    foreign = plant(dead_pid, tmp_path)
    gate = Gate(after_events=FIRST_DELTA)
    simulator.script(ToolUse("look"), when=says("holding"))
    simulator.script([Text("one two"), gate], when=says("busy"))
    async with start_backend(spares=int(state == "parked")) as backend:
        if state != "parked":
            asking = asyncio.ensure_future(fold(backend.stream(ask(state, tools=[tool("look")]))))
        await until(lambda: state in {row[1] for row in backend.pool.list_processes()})
        ((pid, *_),) = backend.pool.list_processes()
        await until(lambda: len(own(config, made_home, pid)) == 3)
        os.kill(pid, signal.SIGKILL)
        await until(lambda: not own(config, made_home, pid))
        gate.open()
        if state != "parked":
            await asyncio.wait([asking])
    assert left(config, made_home) == foreign


async def test_a_process_that_ends_in_order_leaves_nothing(start_backend, simulator, config, made_home):
    async with start_backend(spares=1) as backend:
        await fold(backend.stream(ask("Hi")))
        await until(lambda: left(config, made_home))
    assert left(config, made_home) == set()


@posix
async def test_what_a_killed_server_has_left_goes_with_the_next_start(
    start_backend, config, made_home, plant, dead_pid, tmp_path
):
    plant(dead_pid, tmp_path / "work")
    async with start_backend():
        await until(lambda: not own(config, made_home, dead_pid))


async def test_so_do_those_of_a_server_that_was_really_killed(cli_path, claude_environment, config, made_home):
    arguments = ("--claude-path", str(cli_path))
    with serving(*arguments, **claude_environment, DRAGOMAN_SPARES="1") as running:
        await until(lambda: left(config, made_home))
        running.process.kill()
        await asyncio.to_thread(running.process.wait)
    with serving(*arguments, **claude_environment):
        await until(lambda: not left(config, made_home))


@posix
def test_what_others_have_stays(config, made_home, plant, dead_pid, tmp_path):
    """Records of another folder and of a running pid (this process, as if it had an old pid) are kept."""
    others = plant(dead_pid, tmp_path / "project") | plant(os.getpid(), tmp_path / "work")
    assert remove_leftovers(config, tmp_path / "work") == 0
    assert remove_leftovers(config, tmp_path / "work", dead_pid) == 0
    assert left(config, made_home) == others


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null",
        b'{"pid": PID}', b'{"pid": "PID", "cwd": "WORK"}', b'{"pid": "x", "cwd": "WORK"}',
        b'{"pid": 1, "cwd": "WORK"}', b'{"pid": PID, "cwd": "\\u0000"}', b'{"pid": PID, "cwd": 7}',
    ],
)  # fmt: skip
def test_what_is_no_record_stays(config, dead_pid, tmp_path, content):
    file = config / "sessions" / f"{dead_pid}.json"
    file.parent.mkdir(parents=True)
    text = content.replace(b"PID", str(dead_pid).encode()).replace(b"WORK", str(tmp_path).encode())
    file.write_bytes(text)
    assert remove_leftovers(config, tmp_path) == 0
    assert file.exists()


@pytest.mark.parametrize("path", ["FILE", "/nowhere/x.sock", "\0", 7, None])
def test_only_a_socket_is_removed_with_its_record(config, dead_pid, tmp_path, path):
    file = tmp_path / "file"
    file.touch()
    record = config / "sessions" / f"{dead_pid}.json"
    record.parent.mkdir(parents=True)
    path = str(file) if path == "FILE" else path
    record.write_bytes(orjson.dumps({"pid": dead_pid, "cwd": str(tmp_path), "messagingSocketPath": path}))
    assert remove_leftovers(config, tmp_path) == 1
    assert file.exists()
    assert not record.exists()


def test_without_claude_codes_folder_there_is_nothing_to_do(tmp_path):
    assert remove_leftovers(tmp_path / "nowhere", tmp_path) == 0


async def test_a_foreign_session_keeps_what_it_has(
    start_backend, cli_path, claude_environment, config, made_home, tmp_path
):
    """A real session that is killed while the server runs keeps its files, which are the user's."""
    process = await asyncio.create_subprocess_exec(
        cli_path, "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose",
        env=claude_environment, cwd=tmp_path, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await until(lambda: len(own(config, made_home, process.pid)) == 3)
        names = own(config, made_home, process.pid)
        async with start_backend(spares=1) as backend:
            await fold(backend.stream(ask("Hi")))
            process.kill()
            await process.wait()
            killed = [pid for pid, *_ in backend.pool.list_processes()]
            for pid in killed:
                psutil.Process(pid).kill()
            # A new spare may have a record by now, so only those of the killed processes count.
            await until(lambda: not any(own(config, made_home, pid) for pid in killed))
        assert left(config, made_home) == names
    finally:
        if exists(process.pid):
            process.kill()
