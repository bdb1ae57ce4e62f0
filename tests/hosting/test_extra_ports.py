"""Further ports: the server answers there too, and a port in use is a notice, not a failure."""

import asyncio
import functools
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from server.config.settings import Settings
from server.config.settings_in_force import SettingsInForce
from server.core.errors import PortUnavailable
from server.core.events import EventBus, Notice
from server.hosting.runtime import Runtime
from tests.hosting.test_runtime import Echo
from tests.ports import kept_port


class Host:
    """A runtime with its bus."""

    def __init__(self, **changes: Any) -> None:
        self.bus = EventBus()
        self.echo = Echo()
        self.runtime = Runtime(
            SettingsInForce(Settings(**{"port": 0, **changes})), bus=self.bus, host=functools.partial(self._make)
        )

    async def _make(self, in_force: SettingsInForce, bus: EventBus) -> Any:
        return self.echo

    @property
    def notices(self) -> tuple[Notice, ...]:
        return self.bus.notices

    async def change(self, **changes: Any) -> None:
        await self.runtime.reconfigure(self.runtime.settings.model_copy(update=changes))

    @property
    def port(self) -> int:
        assert self.runtime.url is not None
        return int(self.runtime.url.rpartition(":")[2])


Start = Callable[..., Any]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    started: list[Host] = []

    async def start_host(**changes: Any) -> Host:
        started.append(Host(**changes))
        await started[-1].runtime.start()
        return started[-1]

    yield start_host
    for host in started:
        await host.runtime.stop()


@pytest.fixture
def ports() -> Iterator[list[int]]:
    """Three ports that the server may have."""
    with ExitStack() as stack:
        yield [stack.enter_context(kept_port()) for _ in range(3)]


async def answers(port: int) -> bool:
    """Whether the server answers at this port of 127.0.0.1."""
    try:
        async with httpx2.AsyncClient(trust_env=False) as http:
            return (await http.get(f"http://127.0.0.1:{port}/")).status_code == 200
    except httpx2.ConnectError:
        return False


async def test_it_answers_at_all_of_them(start: Start, ports: list[int]) -> None:
    host = await start(extra_ports=(ports[0], ports[1]))
    assert [await answers(port) for port in (host.port, *ports)] == [True, True, True, False]
    assert host.notices == ()
    await host.runtime.stop()
    assert [await answers(port) for port in ports] == [False, False, False]


async def test_they_change_while_it_runs(start: Start, ports: list[int]) -> None:
    host = await start(extra_ports=(ports[0],))
    await host.change(extra_ports=(ports[1],))
    assert [await answers(port) for port in ports[:2]] == [False, True]
    await host.change(extra_ports=())
    assert [await answers(port) for port in ports[:2]] == [False, False]
    assert await answers(host.port)


async def test_a_port_in_use_is_a_notice_until_it_is_given_up(start: Start, ports: list[int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        host = await start(extra_ports=(taken, ports[0]))
        assert host.runtime.state == "running"
        assert await answers(ports[0])
        [notice] = host.notices
        assert f"extra port {taken}" in notice.message
        assert "in use by another program" in notice.message
        assert "Quit that program" in notice.hint
        await host.change(log_level="debug")
        assert len(host.notices) == 1
    await host.change(log_level="info")
    assert host.notices == ()
    assert await answers(taken)


async def test_a_notice_goes_with_its_port_and_with_the_server(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        host = await start(extra_ports=(other.getsockname()[1],))
        assert len(host.notices) == 1
        await host.change(extra_ports=())
        assert host.notices == ()
        await host.change(extra_ports=(other.getsockname()[1],))
        assert len(host.notices) == 1
        await host.runtime.stop()
        assert host.notices == ()


async def test_the_main_port_may_be_among_them(start: Start, ports: list[int]) -> None:
    host = await start(port=ports[0], extra_ports=(ports[0], ports[1]))
    assert host.notices == ()
    assert [await answers(port) for port in ports[:2]] == [True, True]


async def test_an_extra_port_becomes_the_main_one_and_back(start: Start, ports: list[int]) -> None:
    host = await start(port=ports[0], extra_ports=(ports[1],))
    await host.change(port=ports[1])
    assert (host.port, host.notices) == (ports[1], ())
    assert [await answers(port) for port in ports[:2]] == [False, True]
    await host.change(port=ports[0])
    assert (host.port, host.notices) == (ports[0], ())
    assert [await answers(port) for port in ports[:2]] == [True, True]


async def test_a_change_that_fails_leaves_them(start: Start, ports: list[int]) -> None:
    host = await start(port=ports[0], extra_ports=(ports[1],))
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(PortUnavailable):
        await host.change(port=other.getsockname()[1], extra_ports=(ports[2],))
    assert [await answers(port) for port in ports] == [True, True, False]
    host.echo.refusal = ValueError("no")
    with pytest.raises(ValueError, match="no"):
        await host.change(port=ports[1])
    assert [await answers(port) for port in ports[:2]] == [True, True]


async def test_idle_connections_do_not_reach_a_port_that_was_given_up(start: Start, ports: list[int]) -> None:
    host = await start(extra_ports=(ports[0],))
    reader, writer = await asyncio.open_connection("127.0.0.1", ports[0])
    writer.write(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
    assert b"200" in await reader.readline()
    await host.change(extra_ports=())
    await reader.read()  # until the server closes the connection
    writer.close()
    await writer.wait_closed()


async def test_a_port_that_claude_code_is_sent_to_is_left_out(
    start: Start, ports: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://localhost:{ports[0]}")
    host = await start(extra_ports=(ports[0], ports[1]))
    assert [await answers(port) for port in ports[:2]] == [False, True]
    assert "ANTHROPIC_BASE_URL" in host.notices[0].message


@pytest.mark.parametrize("host", ["localhost", "::1"])
async def test_they_are_ports_of_the_host(start: Start, ports: list[int], host: str) -> None:
    if host == "::1" and not socket.has_ipv6:
        pytest.fail("this machine has no IPv6")
    served = await start(host=host, extra_ports=(ports[0],))
    assert served.notices == ()
    async with httpx2.AsyncClient(trust_env=False) as http:
        name = "[::1]" if host == "::1" else "127.0.0.1"
        assert (await http.get(f"http://{name}:{ports[0]}/")).status_code == 200
