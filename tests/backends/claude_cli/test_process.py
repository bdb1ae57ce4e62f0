"""Real processes that misbehave: how they are ended, and which error reports it."""

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from server.backends.claude_cli.transport import process as processes
from server.backends.claude_cli.transport.process import STDERR_BYTES, CliProcess
from server.backends.claude_cli.transport.wire import ControlAnswer, UnknownLine, control_request
from server.core.errors import CliNotFound
from tests.backends.claude_cli.scripted_cli import CallRecorder, is_running, program
from tests.systems import posix_only
from tests.waiting import until

posix = posix_only("signals")


@pytest.fixture
async def start(tmp_path):
    """`process, messages, deaths = await start(lines)`; the process is ended after the test."""
    started = []

    async def start(lines, environment=None):
        messages, deaths = CallRecorder(), CallRecorder()
        environment = dict(os.environ) if environment is None else environment
        process = await CliProcess.start(program(lines), environment, tmp_path, on_message=messages, on_exit=deaths)
        started.append(process)
        return process, messages, deaths

    yield start
    for process in started:
        process.kill()
        await process.exited.wait()


async def test_lines_come_and_go(start):
    process, messages, _ = await start("grant(hear(), a=1)\nsleep()")
    process.write(control_request("r1", "initialize"))
    assert await messages.first() == ControlAnswer("r1", {"a": 1})


async def test_lines_that_come_together_keep_their_order(start):
    process, messages, _ = await start("for _ in range(3): grant(hear())\nsleep()")
    process.write(*(control_request(f"r{n}", "x") for n in range(3)))
    await messages.until(lambda all: len(all) == 3)
    assert [answer.request_id for answer in messages.all] == ["r0", "r1", "r2"]


async def test_large_lines_in_both_directions(start):
    process, messages, _ = await start('line = hear()\nsay(type="echo", text=line["request"]["text"])\nsleep()')
    text = "ä" * 3_000_000
    process.write(control_request("r1", "x", text=text))
    assert await messages.first() == UnknownLine("echo", {"type": "echo", "text": text})


async def test_it_runs_where_and_with_what_it_is_told(start, tmp_path):
    _, messages, _ = await start('say(type="where", at=os.getcwd(), env=dict(os.environ))', {"ONLY": "this"})
    said = (await messages.first()).data
    assert Path(said["at"]) == tmp_path.resolve()
    assert {name: value for name, value in said["env"].items() if name != "LC_CTYPE"} == {"ONLY": "this"}


async def test_its_memory_is_seen_while_it_lives(start):
    process, messages, _ = await start('say(type="up")\nsleep()')
    await messages.first()
    assert process.memory_bytes() > 1_000_000
    process.kill()
    await process.exited.wait()
    assert process.memory_bytes() == 0


@posix
async def test_it_has_a_group_of_its_own(start):
    process, _, _ = await start("sleep()")
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)


# The lines, STOP_STEP_SECONDS, and the signal that ends it.
LADDER = {
    "ends with its input": ("hear()", 60.0, ""),
    "ends when it is told to": ("sleep()", 0.5, "SIGTERM"),
    "ends on nothing": ("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay()\nsleep()", 0.1, "SIGKILL"),
}


@posix
@pytest.mark.parametrize(("lines", "step", "ended_by"), LADDER.values(), ids=LADDER)
async def test_the_ladder(start, monkeypatch, lines, step, ended_by):
    monkeypatch.setattr(processes, "STOP_STEP_SECONDS", step)
    process, messages, deaths = await start(f"say()\n{lines}")
    await messages.until(lambda all: len(all) == 1 + ("SIG_IGN" in lines))
    await process.stop()
    assert (await deaths.first()).exit_code == (-signal.Signals[ended_by] if ended_by else 0)
    assert not psutil.pid_exists(process.pid)


async def test_stopping_twice_at_once_and_once_more(start):
    process, _, deaths = await start("hear()")
    await asyncio.gather(process.stop(), process.stop())
    await process.stop()
    assert len(deaths.all) == 1


async def test_killing_what_has_ended_is_nothing(start):
    process, _, deaths = await start("sys.exit(0)")
    await deaths.first()
    process.kill()
    process.write(b"to nobody\n")
    await process.exited.wait()


async def test_its_end_is_told_once_with_its_last_words(start):
    _, _, deaths = await start('print("some warning\\nno disk space", file=sys.stderr)\nsys.exit(3)')
    death = await deaths.first()
    assert death.exit_code == 3
    assert death.stderr == "some warning\nno disk space"
    assert "ended with status 3" in death.message
    assert "no disk space" in death.message
    assert death.hint


@posix
@pytest.mark.parametrize(("number", "name"), [(9, "SIGKILL"), (35, "signal 35")])
async def test_it_is_said_which_signal_ended_it(start, number, name):
    process, _, deaths = await start("sleep()")
    os.kill(process.pid, number)
    death = await deaths.first()
    assert death.exit_code == -number
    assert f"was ended by {name}" in death.message


async def test_of_many_complaints_the_last_are_kept(start):
    _, _, deaths = await start('for n in range(5000): print("complaint", n, file=sys.stderr)')
    kept = (await deaths.first()).stderr
    assert len(kept) <= STDERR_BYTES
    assert kept.splitlines()[-100:] == [f"complaint {n}" for n in range(4900, 5000)]


async def test_a_complaint_without_an_end_is_read_too(start):
    _, messages, deaths = await start('sys.stderr.write("x" * 3_000_000 + "boom")\nsys.stderr.flush()\nsay(type="up")')
    assert await messages.first() == UnknownLine("up", {"type": "up"})
    assert (await deaths.first()).stderr.endswith("boom")


async def test_complaints_that_are_no_text(start):
    _, _, deaths = await start('sys.stderr.buffer.write(b"\\xff\\n")')
    assert (await deaths.first()).stderr == "\N{REPLACEMENT CHARACTER}"


@posix
@pytest.mark.parametrize("garbage", ["Segmentation fault", "[]", '{"half'])
async def test_garbage_ends_it(start, garbage):
    process, messages, deaths = await start(f"print({garbage!r}, flush=True)\nsleep()")
    death = await deaths.first()
    assert death.exit_code == -signal.SIGKILL
    assert garbage in death.message
    assert messages.all == []
    assert not psutil.pid_exists(process.pid)


async def test_what_came_before_the_garbage_is_heard(start):
    _, messages, deaths = await start('say(type="fine")\nprint("oops", flush=True)\nsleep()')
    await deaths.first()
    assert messages.all == [UnknownLine("fine", {"type": "fine"})]


async def test_a_message_that_cannot_be_handled_ends_it(tmp_path, caplog):
    def fail(message):
        raise KeyError("of a bug")

    deaths = CallRecorder()
    command = program("say()\nsleep()")
    process = await CliProcess.start(command, {}, tmp_path, on_message=fail, on_exit=deaths)
    assert "could not be handled" in (await deaths.first()).message
    assert "of a bug" in caplog.text
    await process.stop()


GRANDCHILD = """
child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import signal; signal.alarm(60); signal.pause()"])
say(type="child", pid=child.pid)
"""


@posix
async def test_what_it_has_left_behind_does_not_hide_its_end(start):
    """Its child still holds the pipes open."""
    process, messages, deaths = await start(f"{GRANDCHILD}sys.exit(3)")
    child = (await messages.first()).data["pid"]
    try:
        assert (await deaths.first()).exit_code == 3
        await process.stop()
    finally:
        os.kill(child, signal.SIGKILL)


async def test_what_it_has_started_is_killed_with_it(start):
    process, messages, deaths = await start(f"{GRANDCHILD}sleep()")
    child = (await messages.first()).data["pid"]
    assert is_running(child)
    process.kill()
    await deaths.first()
    await until(lambda: not is_running(child))


@pytest.mark.parametrize("name", ["claude", "folder"])
async def test_what_cannot_be_started(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(CliNotFound, match="could not be started") as caught:
        await CliProcess.start([str(tmp_path / name)], {}, tmp_path, on_message=CallRecorder(), on_exit=CallRecorder())
    assert str(tmp_path / name) in caught.value.message
    assert "doctor" in caught.value.hint


@pytest.mark.parametrize("passes", range(4))
async def test_a_start_that_is_cancelled_leaves_no_process(tmp_path, passes):
    """Cancelled after `passes` iterations of the event loop."""
    before = set(psutil.Process().children())
    starting = asyncio.ensure_future(
        CliProcess.start(program("sleep()"), {}, tmp_path, on_message=CallRecorder(), on_exit=CallRecorder())
    )
    for _ in range(passes):
        await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert set(psutil.Process().children()) <= before
