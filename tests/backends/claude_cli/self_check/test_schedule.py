"""When the check runs, what it leaves, and what a server makes of it."""

import asyncio
import os
import subprocess
import sys
from contextlib import asynccontextmanager

import psutil
import pytest

from server.backends.claude_cli.backend import ClaudeCliBackend, CliConfig
from server.backends.claude_cli.facilities import Facilities, Facility
from server.backends.claude_cli.pool.pool import PoolLimits
from server.backends.claude_cli.self_check import schedule, workbench
from server.backends.claude_cli.self_check.schedule import FOLDER, SelfCheck
from server.backends.claude_cli.self_check.verdict import PROVEN
from server.backends.claude_cli.self_check.verdict_file import VERDICTS, CheckRecord, VerdictFile
from server.backends.claude_cli.transport.command_line import FAST_DELTAS
from server.core.events import CliChecked, EventBus
from tests.asking import ask, fold
from tests.backends.claude_cli.scripted_cli import CallRecorder
from tests.waiting import until


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(schedule, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(workbench, "NICENESS", 0)


@pytest.fixture
def start(cli_path, claude_environment, tmp_path):
    """`async with start() as (backend, findings)`: a backend whose CLI is checked."""

    @asynccontextmanager
    async def start(spares=0):
        bus, findings = EventBus(), CallRecorder()
        bus.subscribe(lambda event: findings(event) if isinstance(event, CliChecked) else None)
        config = CliConfig(
            directory=tmp_path / "work",
            outer=claude_environment,
            claude_path=cli_path,
            limits=PoolLimits(spares=spares, queue_seconds=300.0),
            checks=tmp_path / "data",
        )
        backend = ClaudeCliBackend(config, bus)
        await backend.start()
        try:
            yield backend, findings
        finally:
            await backend.stop()

    return start


@pytest.fixture
def dead_pid():
    """The id of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


@pytest.fixture
def known_program(cli_path, claude_environment, tmp_path):
    """Verdicts on the CLI, all of them good, from an earlier start."""
    file = VerdictFile(tmp_path / "data" / VERDICTS)
    said = subprocess.run([cli_path, "--version"], env=claude_environment, check=True, capture_output=True, text=True)
    program, _ = file.identify(cli_path, said.stdout.split()[0])
    file.save(CheckRecord(program, dict.fromkeys(Facility, PROVEN)))


def fast_processes(backend):
    """For each process, whether it has the variables of the fast path."""
    variables = [psutil.Process(row[0]).environ() for row in backend.pool.list_processes()]
    return [FAST_DELTAS.items() <= one.items() for one in variables]


async def test_a_program_is_checked_once_and_its_fast_paths_are_then_taken(start, tmp_path, made_home, simulator):
    async with start(spares=1) as (backend, findings):
        assert await findings.first() == CliChecked(fast_paths=5, is_new=True)
        # The spare from before the verdict is replaced.
        await until(lambda: fast_processes(backend) == [True])
        assert not simulator.messages_calls, "the user's own API is not asked"
        await fold(backend.stream(ask("Hi")))
        await until(lambda: VerdictFile(tmp_path / "data" / VERDICTS).find_by_file(backend_program(backend)))
    assert [path.name for path in (tmp_path / "data").iterdir()] == [VERDICTS]
    before = (tmp_path / "data" / VERDICTS).read_bytes()
    async with start(spares=1) as (backend, findings):
        assert findings.all == [CliChecked(fast_paths=5)], "known before the first process is started"
        await backend.wait_for_probe()
        await until(lambda: fast_processes(backend) == [True])
    assert findings.all == [CliChecked(fast_paths=5)]
    assert (tmp_path / "data" / VERDICTS).read_bytes() == before


def backend_program(backend):
    return backend._config.claude_path


async def test_a_stopping_server_ends_a_running_check(start, tmp_path):
    before = set(psutil.Process().children(recursive=True))
    async with start() as (_, findings):
        await until(lambda: len(list((tmp_path / "data" / FOLDER).glob("*/home-*/.claude/sessions/*"))) > 1)
    assert set(psutil.Process().children(recursive=True)) == before
    assert not list((tmp_path / "data").iterdir())
    assert not findings.all


async def test_the_check_waits_for_running_requests(cli_path, tmp_path, claude_environment, monkeypatch):
    monkeypatch.setattr(schedule, "QUIET_SECONDS", 0.1)
    asked, busy, findings = asyncio.Event(), [True], CallRecorder()

    def is_busy():
        asked.set()
        return busy[0]

    check = SelfCheck(Facilities(), tmp_path, claude_environment, is_busy=is_busy, on_change=findings)
    check.examine(cli_path, "2.1", signed_in=True)
    for _ in range(3):
        asked.clear()
        await asked.wait()
    assert not (tmp_path / FOLDER).exists()
    busy[0] = False
    await until((tmp_path / FOLDER).exists)
    await check.stop()


async def test_what_a_killed_check_has_left_is_removed(tmp_path, claude_environment, cli_path, dead_pid):
    (tmp_path / FOLDER / f"{dead_pid}-x" / "home-y").mkdir(parents=True)
    other = tmp_path / FOLDER / f"{os.getppid()}-x"
    other.mkdir()
    check = SelfCheck(Facilities(), tmp_path, claude_environment, is_busy=bool, on_change=lambda findings: None)
    await check.begin(cli_path)
    assert list((tmp_path / FOLDER).iterdir()) == [other], "that of another running program stays"


async def test_a_facility_that_fails_in_a_request_is_off_for_all(start, cli_path, tmp_path, known_program):
    async with start(spares=1) as (backend, findings):
        await until(lambda: fast_processes(backend) == [True])
        backend._facilities.withdraw(Facility.FAST_DELTAS, "a line was lost")
        assert findings.all[-1].off == {"fast streaming": "a line was lost"}
        await until(lambda: fast_processes(backend) == [False])


async def test_another_program_is_not_trusted_before_it_was_checked(tmp_path, claude_environment, cli_path):
    facilities = Facilities([Facility.FAST_DELTAS])
    findings = CallRecorder()
    check = SelfCheck(facilities, tmp_path, claude_environment, is_busy=lambda: True, on_change=findings)
    check.forget()
    assert Facility.FAST_DELTAS not in facilities
    assert findings.all == [CliChecked()]
    await check.stop()
