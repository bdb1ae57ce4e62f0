"""Port checks: free ports, held ports, and the process that holds one."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from server.core.errors import PortUnavailable, SettingsInvalid
from server.hosting import port_check
from server.hosting.port_check import LAST_PORT, PortReport, inspect_port, next_free_port
from server.hosting.sockets import open_listener
from tests.ports import kept_port
from tests.test_reconfiguration import Running


@pytest.fixture
async def taken() -> AsyncIterator[int]:
    """A port in this process whose server closes every connection."""
    async with await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0) as server:
        yield int(server.sockets[0].getsockname()[1])


async def test_a_free_port_is_free_and_stays_so() -> None:
    with kept_port() as port:
        assert await inspect_port("127.0.0.1", port) == PortReport(free=True)
        (await open_listener("127.0.0.1", port)).close()


async def test_the_holder_is_named(taken: int) -> None:
    report = await inspect_port("127.0.0.1", taken)
    assert (report.free, report.dragoman_version) == (False, None)
    assert report.holder == f"{psutil.Process().name()} (process {os.getpid()})"
    assert isinstance(report.error, PortUnavailable)
    assert (report.error.port, report.error.in_use) == (taken, True)


async def test_a_holder_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_check, "ASK_SECONDS", 0.05)
    with await open_listener("127.0.0.1", 0) as silent:
        report = await inspect_port("127.0.0.1", silent.getsockname()[1])
    assert (report.free, report.dragoman_version) == (False, None)


@pytest.mark.parametrize("error", [psutil.AccessDenied(), PermissionError("no")])
async def test_who_may_not_see_all_processes_sees_the_own_ones(
    monkeypatch: pytest.MonkeyPatch, taken: int, error: Exception
) -> None:
    """macOS lets only the administrator list all connections."""

    def refuse(kind: str) -> None:
        raise error

    monkeypatch.setattr(psutil, "net_connections", refuse)
    report = await inspect_port("127.0.0.1", taken)
    assert str(os.getpid()) in str(report.holder)


async def test_a_holder_that_nobody_may_see_is_none(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    monkeypatch.setattr(psutil, "net_connections", lambda kind: [])
    report = await inspect_port("127.0.0.1", taken)
    assert (report.free, report.holder) == (False, None)


async def test_our_own_server_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from server import __version__

    monkeypatch.setattr(port_check, "ASK_SECONDS", 60)
    running = Running(tmp_path)
    await running.runtime.start()
    report = await inspect_port("127.0.0.1", int(str(running.runtime.url).rpartition(":")[2]))
    await running.runtime.stop()
    assert (report.free, report.dragoman_version) == (False, __version__)


async def test_a_host_of_another_machine() -> None:
    report = await inspect_port("192.0.2.1", 8000)
    assert not report.free
    assert isinstance(report.error, SettingsInvalid)
    with pytest.raises(SettingsInvalid):
        await next_free_port("192.0.2.1", 8000)


async def test_the_next_free_port_passes_over_those_that_are_taken() -> None:
    # Below the ports that the system may give to other programs at the same time.
    first = await next_free_port("127.0.0.1", 20_000)
    with await open_listener("127.0.0.1", first):
        second = await next_free_port("127.0.0.1", first - 1)
    assert first > 20_000
    assert first < second <= first + port_check.TRIES


async def test_above_the_last_port_the_system_chooses() -> None:
    assert 0 < await next_free_port("127.0.0.1", LAST_PORT) <= LAST_PORT


async def test_the_loop_goes_on_while_it_looks(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    loop, went_on = asyncio.get_running_loop(), asyncio.Event()

    def slow(port: int) -> str:
        asyncio.run_coroutine_threadsafe(went_on.wait(), loop).result(60)
        return "somebody (process 1)"

    monkeypatch.setattr(port_check, "find_port_holder", slow)
    looking = asyncio.create_task(inspect_port("127.0.0.1", taken))
    loop.call_later(0.05, went_on.set)
    assert (await looking).holder == "somebody (process 1)"
