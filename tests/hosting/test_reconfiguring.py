"""Reconfiguration of a running server: no request is cut off, and none is lost."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from server.config.settings import Settings
from server.core.errors import PortUnavailable, SettingsInvalid, SetupError
from server.core.events import StateChanged
from server.hosting import http_server
from server.hosting.sockets import open_listener
from tests.hosting.test_runtime import Echo, Stage
from tests.ports import kept_port


def with_settings(settings: Settings, **changes: Any) -> Settings:
    return settings.model_copy(update=changes)


@pytest.fixture
def another_port() -> Iterator[int]:
    """A free port to move to, reserved for this test."""
    with kept_port() as port:
        yield port


async def refuses(url: str) -> bool:
    address = urlsplit(url)
    try:
        _, writer = await asyncio.open_connection(address.hostname, address.port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


async def test_requests_while_settings_change_are_all_answered() -> None:
    """Requests on kept connections and on new ones."""
    stage = Stage(Echo())
    await stage.runtime.start()
    url = str(stage.runtime.url)
    answered: list[str] = []
    changed = asyncio.Event()

    async def ask(client: httpx2.AsyncClient, headers: dict[str, str]) -> list[int]:
        versions = []
        while not changed.is_set():
            answered.append((await client.get("/version", headers=headers)).text)
            versions.append(int(answered[-1].split()[1]))
        return versions

    async with httpx2.AsyncClient(base_url=url, timeout=60) as client:
        asking = [asyncio.create_task(ask(client, headers)) for headers in ({}, {"connection": "close"})]
        for spares in range(20):
            seen = len(answered)
            await stage.runtime.reconfigure(
                with_settings(stage.runtime.settings, spares=spares % 8, idle_seconds=1 + spares)
            )
            async with asyncio.timeout(60):
                while len(answered) < seen + 4:  # noqa: ASYNC110 - the requests are made by the other tasks
                    await asyncio.sleep(0)
        changed.set()
        each = await asyncio.gather(*asking)
    assert stage.runtime.url == url
    assert "version 20" in answered
    # The order in which the two clients read their responses does not matter.
    assert each == [sorted(versions) for versions in each]
    assert stage.states == ["starting", "running"], "nothing is told where the URL stays"
    await stage.runtime.stop()


async def test_a_stream_goes_on_to_its_end_over_a_change_of_the_port(another_port: int) -> None:
    stage = Stage(Echo())
    await stage.runtime.start()
    old = str(stage.runtime.url)
    reading = asyncio.create_task(stage.fetch("/stream"))
    await stage.echo.streaming.wait()
    await stage.runtime.reconfigure(with_settings(stage.runtime.settings, port=another_port))
    assert stage.runtime.url == f"http://127.0.0.1:{another_port}"
    assert await refuses(old)
    assert "version 1" in await stage.fetch("/version")
    assert stage.events[-1] == StateChanged("running", stage.runtime.url)
    assert not reading.done()
    stage.echo.draining.set()
    assert (await reading).endswith("done\r\n0\r\n\r\n")
    await stage.runtime.stop()
    assert stage.echo.calls == ["start", "drain", "stop"]


async def test_a_stop_ends_what_began_on_the_old_port_too(another_port: int) -> None:
    stage = Stage(Echo())
    await stage.runtime.start()
    reading = asyncio.create_task(stage.fetch("/stream"))
    await stage.echo.streaming.wait()
    await stage.runtime.reconfigure(with_settings(stage.runtime.settings, port=another_port))
    new = str(stage.runtime.url)
    await stage.runtime.stop()
    assert "done" in await reading
    assert await refuses(new)


async def test_connections_at_rest_do_not_reach_an_address_that_was_given_up(another_port: int) -> None:
    stage = Stage(Echo())
    await stage.runtime.start()
    address = urlsplit(stage.runtime.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    await reader.readuntil(b"done\r\n0\r\n\r\n")
    await stage.runtime.reconfigure(with_settings(stage.runtime.settings, port=another_port))
    async with asyncio.timeout(60):
        assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    await stage.runtime.stop()


async def test_a_port_that_is_taken_changes_nothing() -> None:
    stage = Stage(Echo())
    await stage.runtime.start()
    url, before = stage.runtime.url, stage.runtime.settings
    with await open_listener("127.0.0.1", 0) as taken, pytest.raises(PortUnavailable):
        await stage.runtime.reconfigure(with_settings(before, port=taken.getsockname()[1], spares=3))
    assert (stage.runtime.url, stage.runtime.settings, stage.echo.applied) == (url, before, [])
    assert "version 0" in await stage.fetch("/version")
    assert stage.states == ["starting", "running"]
    await stage.runtime.stop()


async def test_settings_that_are_refused_change_nothing(another_port: int) -> None:
    stage = Stage(Echo())
    await stage.runtime.start()
    url, before = str(stage.runtime.url), stage.runtime.settings
    stage.echo.refusal = SetupError("No keyring.")
    with pytest.raises(SetupError, match="keyring"):
        await stage.runtime.reconfigure(with_settings(before, port=another_port))
    assert (stage.runtime.url, stage.runtime.settings) == (url, before)
    assert await refuses(f"http://127.0.0.1:{another_port}")
    assert not await refuses(url)
    await stage.runtime.stop()


async def test_the_same_port_on_more_addresses() -> None:
    """The two addresses overlap: the old one is closed first, and bound again if the new one fails."""
    stage = Stage(Echo())
    await stage.runtime.start()
    port = int(str(stage.runtime.url).rpartition(":")[2])
    await stage.runtime.reconfigure(with_settings(stage.runtime.settings, port=port))
    reading = asyncio.create_task(stage.fetch("/stream"))
    await stage.echo.streaming.wait()
    everywhere = with_settings(stage.runtime.settings, host="0.0.0.0")
    await stage.runtime.reconfigure(everywhere)
    assert stage.states == ["starting", "running"], "for this machine the URL is the same"
    assert "version 2" in await stage.fetch("/version")
    assert _listening_addresses(stage) == {("0.0.0.0", port)}
    await stage.runtime.reconfigure(with_settings(everywhere, host="127.0.0.1"))
    assert _listening_addresses(stage) == {("127.0.0.1", port)}
    stage.echo.draining.set()
    assert "done" in await reading
    await stage.runtime.stop()


async def test_an_address_that_cannot_be_had_after_all_leaves_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if another program had that port on another address of this machine."""
    stage = Stage(Echo())
    await stage.runtime.start()
    port = int(str(stage.runtime.url).rpartition(":")[2])
    before = stage.runtime.settings

    async def listen_here(host: str, port: int) -> socket.socket:
        if host == "0.0.0.0":
            raise PortUnavailable("Taken.", host=host, port=port, in_use=True)
        return await open_listener(host, port)

    monkeypatch.setattr(http_server, "open_listener", listen_here)
    with pytest.raises(PortUnavailable):
        await stage.runtime.reconfigure(with_settings(before, host="0.0.0.0", port=port))
    assert stage.runtime.settings == before
    assert stage.echo.applied[-1] == before
    assert _listening_addresses(stage) == {("127.0.0.1", port)}
    assert "done" in await stage.fetch()
    await stage.runtime.stop()


async def test_a_server_that_has_lost_its_address_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(Echo())
    await stage.runtime.start()
    port = int(str(stage.runtime.url).rpartition(":")[2])
    failed = asyncio.Event()
    stage.runtime._bus.subscribe(lambda event: failed.set())

    async def listen_nowhere(host: str, port: int) -> socket.socket:
        raise PortUnavailable("Taken.", host=host, port=port, in_use=True)

    monkeypatch.setattr(http_server, "open_listener", listen_nowhere)
    with pytest.raises(PortUnavailable):
        await stage.runtime.reconfigure(with_settings(stage.runtime.settings, host="0.0.0.0", port=port))
    async with asyncio.timeout(60):
        await failed.wait()
    assert stage.states == ["starting", "running", "failed"]
    assert stage.echo.calls[-1] == "stop"


def _listening_addresses(stage: Stage) -> set[tuple[str, int]]:
    server = stage.runtime._server
    assert server is not None
    return {sock.getsockname() for listener in server.servers for sock in listener.sockets}


async def test_the_port_that_it_has_by_chance_can_be_made_the_one_to_have() -> None:
    stage = Stage(Echo())
    await stage.runtime.start()
    url = str(stage.runtime.url)
    await stage.runtime.reconfigure(with_settings(stage.runtime.settings, port=int(url.rpartition(":")[2])))
    await stage.runtime.reconfigure(with_settings(stage.runtime.settings, host="127.0.0.1", spares=2))
    assert stage.runtime.url == url
    assert "done" in await stage.fetch()
    await stage.runtime.stop()


async def test_an_address_of_another_machine_is_refused() -> None:
    stage = Stage(Echo())
    await stage.runtime.start()
    with pytest.raises(SettingsInvalid):
        await stage.runtime.reconfigure(with_settings(stage.runtime.settings, host="192.0.2.1"))
    assert "done" in await stage.fetch()
    await stage.runtime.stop()


async def test_one_that_is_stopped_starts_with_them(another_port: int) -> None:
    stage = Stage(Echo())
    await stage.runtime.reconfigure(with_settings(stage.runtime.settings, port=another_port))
    assert (stage.states, stage.echo.applied) == ([], [])
    await stage.runtime.start()
    assert stage.runtime.url == f"http://127.0.0.1:{another_port}"
    await stage.runtime.stop()


async def test_settings_that_are_the_same_are_not_applied() -> None:
    stage = Stage(Echo())
    await stage.runtime.start()
    await stage.runtime.reconfigure(with_settings(stage.runtime.settings))
    assert stage.echo.applied == []
    await stage.runtime.stop()


async def test_headers_without_end_are_refused_by_the_limit_of_the_moment() -> None:
    stage = Stage(Echo(), max_header_bytes=8192)
    await stage.runtime.start()
    await stage.runtime.reconfigure(with_settings(stage.runtime.settings, max_header_bytes=2048))
    address = urlsplit(stage.runtime.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"GET / HTTP/1.1\r\nx-long: " + b"x" * 3000)
    async with asyncio.timeout(60):
        assert (await reader.read()).startswith(b"HTTP/1.1 431")
    writer.close()
    await writer.wait_closed()
    await stage.runtime.stop()
