"""The runtime: a server that can be started and stopped any number of times on one event loop."""

import asyncio
import contextlib
import functools
import gc
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from server.config.settings import Settings
from server.config.settings_in_force import SettingsInForce
from server.core.errors import DatabaseUnusable, PortUnavailable, SetupError
from server.core.events import Event, EventBus, StateChanged
from server.hosting import http_server
from server.hosting.runtime import Runtime
from server.hosting.sockets import open_listener
from tests.ports import kept_port
from tests.waiting import until

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Echo:
    """Serves `/` at once, `/stream` until requests are cancelled, and `/stuck` forever; records the calls.

    `/version` is the number of reconfigurations, which raise `refusal` if that is set.
    """

    def __init__(self, start_error: Exception | None = None, *, lifespan_fails: bool = False) -> None:
        self.start_error = start_error
        self.lifespan_fails = lifespan_fails
        self.calls: list[str] = []
        self.draining = asyncio.Event()
        self.finished = asyncio.Event()
        self.streaming = asyncio.Event()
        self.applied: list[Settings] = []
        self.refusal: Exception | None = None
        self.version = 0

    @property
    def app(self) -> Any:
        return functools.partial(self._serve, self.version)

    async def reconfigure(self, settings: Settings) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.applied.append(settings)
        self.version += 1

    async def start(self) -> None:
        self.calls.append("start")
        if self.start_error is not None:
            raise self.start_error

    async def finish_requests(self) -> None:
        self.calls.append("finish")
        await self.finished.wait()

    def cancel_requests(self) -> None:
        self.calls.append("drain")
        self.draining.set()

    async def stop(self) -> None:
        self.calls.append("stop")

    async def _serve(self, version: int, scope: dict[str, Any], receive: Any, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        if scope["path"] == "/stream":
            await send({"type": "http.response.body", "body": b"begun ", "more_body": True})
            self.streaming.set()
            await self.draining.wait()
        elif scope["path"] == "/stuck":
            self.streaming.set()
            await asyncio.Event().wait()
        body = f"version {version}" if scope["path"] == "/version" else "done"
        await send({"type": "http.response.body", "body": body.encode()})

    async def _lifespan(self, receive: Any, send: Send) -> None:
        await receive()
        if self.lifespan_fails:
            await send({"type": "lifespan.startup.failed", "message": "no"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})


class Hanging(Echo):
    """An application whose start never ends."""

    async def start(self) -> None:
        await super().start()
        await asyncio.Event().wait()


class Stage:
    """A runtime that serves `echo`, and the events that it published."""

    def __init__(self, echo: Echo, **settings: Any) -> None:
        self.echo = echo
        self.events: list[Event] = []
        bus = EventBus()
        bus.subscribe(self.events.append)
        self.runtime = Runtime(SettingsInForce(Settings(port=0, **settings)), bus=bus, host=self._host)

    async def _host(self, in_force: SettingsInForce, bus: EventBus) -> Echo:
        return self.echo

    @property
    def states(self) -> list[str]:
        return [event.state for event in self.events if isinstance(event, StateChanged)]

    async def fetch(self, path: str = "/", headers: str = "") -> str:
        reader, writer = await self.connect(path, headers)
        async with asyncio.timeout(60):
            answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer.decode()

    async def connect(self, path: str, headers: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Send a request and leave the rest to the caller."""
        assert self.runtime.url is not None
        address = urlsplit(self.runtime.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n".encode())
        return reader, writer


async def test_it_serves_from_start_to_stop() -> None:
    stage = Stage(Echo())
    assert (stage.runtime.state, stage.runtime.url) == ("stopped", None)
    await stage.runtime.start()
    url = stage.runtime.url
    answer = await stage.fetch()
    assert answer.startswith("HTTP/1.1 200 OK")
    assert "done" in answer
    assert "server:" not in answer.lower()
    await stage.runtime.stop()
    assert (stage.runtime.state, stage.runtime.url, stage.runtime.hosted) == ("stopped", None, None)
    told = [StateChanged("starting"), StateChanged("running", url), StateChanged("stopping"), StateChanged("stopped")]
    assert stage.events == told
    assert stage.echo.calls == ["start", "drain", "stop"]
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)


async def test_starting_and_stopping_twice_is_harmless() -> None:
    stage = Stage(Echo())
    await stage.runtime.stop()
    await asyncio.gather(stage.runtime.start(), stage.runtime.start())
    url = stage.runtime.url
    await stage.runtime.start()
    assert stage.runtime.url == url
    await asyncio.gather(stage.runtime.stop(), stage.runtime.stop())
    assert stage.states == ["starting", "running", "stopping", "stopped"]


async def test_stopping_gives_up_a_start_that_hangs() -> None:
    """A start may wait minutes for the password of a keyring."""
    stage = Stage(Hanging())
    starting = asyncio.create_task(stage.runtime.start())
    await until(lambda: stage.echo.calls)
    await asyncio.gather(stage.runtime.stop(), stage.runtime.stop())
    await starting
    assert stage.states == ["starting", "stopped"]
    assert stage.echo.calls == ["start", "stop"]
    stage.echo = Echo()
    await stage.runtime.start()
    assert "done" in await stage.fetch()
    await stage.runtime.stop()


async def test_whoever_is_cancelled_while_they_start_it_is_cancelled() -> None:
    stage = Stage(Hanging())
    starting = asyncio.create_task(stage.runtime.start())
    await until(lambda: stage.echo.calls)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert stage.states == ["starting", "stopped"]
    assert stage.echo.calls == ["start", "stop"]


async def test_streams_are_ended_and_not_cut() -> None:
    stage = Stage(Echo())
    await stage.runtime.start()
    reading = asyncio.create_task(stage.fetch("/stream"))
    await stage.echo.streaming.wait()
    await stage.runtime.stop()
    assert "begun" in await reading
    assert "done" in reading.result()


async def test_an_answer_that_does_not_end_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "GRACE_SECONDS", 0.05)
    stage = Stage(Echo())
    await stage.runtime.start()
    reading = asyncio.create_task(stage.fetch("/stuck"))
    await stage.echo.streaming.wait()
    await stage.runtime.stop()
    assert "done" not in await reading
    assert stage.runtime.state == "stopped"


async def test_a_port_in_use_fails_and_can_be_mended() -> None:
    with kept_port() as port:
        stage = Stage(Echo())
        with await open_listener("127.0.0.1", port):
            await stage.runtime.reconfigure(Settings(port=port))
            with pytest.raises(PortUnavailable):
                await stage.runtime.start()
            failed = stage.events[-1]
            assert isinstance(failed, StateChanged)
            assert (failed.state, failed.url, str(port) in failed.reason) == ("failed", None, True)
            assert stage.echo.calls == []
        await stage.runtime.start()
        assert stage.runtime.url == f"http://127.0.0.1:{port}"
        await stage.runtime.stop()


async def test_settings_given_to_a_stopped_server_are_those_of_its_start() -> None:
    stage = Stage(Echo())
    await stage.runtime.start()
    first = stage.runtime.url
    with kept_port() as port:
        await stage.runtime.stop()
        await stage.runtime.reconfigure(Settings(port=port))
        await stage.runtime.start()
        assert stage.runtime.url == f"http://127.0.0.1:{port}" != first
        assert "done" in await stage.fetch()
        await stage.runtime.stop()
        await stage.runtime.start()
        assert "done" in await stage.fetch()
        await stage.runtime.stop()


@pytest.mark.parametrize("error", [DatabaseUnusable("The disk is full."), RuntimeError("a bug")])
async def test_services_that_do_not_start_leave_nothing_behind(error: Exception) -> None:
    stage = Stage(Echo(error))
    with pytest.raises(type(error)):
        await stage.runtime.start()
    assert stage.events[-1] == StateChanged("failed", None, str(error))
    assert stage.echo.calls == ["start", "stop"]
    stage.echo.start_error = None
    await stage.runtime.start()
    await stage.runtime.stop()
    assert stage.runtime.state == "stopped"


async def test_an_application_that_fails_in_its_lifespan_does_not_end_the_program() -> None:
    stage = Stage(Echo(lifespan_fails=True))
    with pytest.raises(SetupError, match="did not start"):
        await stage.runtime.start()
    assert stage.runtime.state == "failed"
    assert stage.echo.calls == ["start", "drain", "stop"]


async def test_services_that_do_not_stop_well_do_not_keep_the_server_running() -> None:
    class Broken(Echo):
        async def stop(self) -> None:
            raise RuntimeError("a bug")

    stage = Stage(Broken())
    await stage.runtime.start()
    await stage.runtime.stop()
    assert stage.runtime.state == "stopped"


async def test_a_start_that_is_given_up_leaves_nothing_behind() -> None:
    class Slow(Echo):
        async def start(self) -> None:
            self.streaming.set()
            await asyncio.Event().wait()

    stage = Stage(Slow())
    starting = asyncio.create_task(stage.runtime.start())
    await stage.echo.streaming.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert stage.states == ["starting", "stopped"]
    assert stage.echo.calls == ["stop"]


async def test_a_server_that_ends_by_itself_has_failed() -> None:
    stage = Stage(Echo())
    await stage.runtime.start()
    failed: asyncio.Future[StateChanged] = asyncio.get_running_loop().create_future()
    stage.runtime._bus.subscribe(lambda event: failed.set_result(event))  # type: ignore[arg-type]
    (serving,) = (task for task in asyncio.all_tasks() if task.get_name() == "http server")
    serving.cancel()
    async with asyncio.timeout(60):
        assert (await failed).state == "failed"
    assert stage.echo.calls[-1] == "stop"
    await stage.runtime.start()
    await stage.runtime.stop()


async def test_headers_without_end_are_refused() -> None:
    stage = Stage(Echo(), max_header_bytes=2048)
    await stage.runtime.start()
    assert (await stage.fetch(headers=f"x-long: {'x' * 1000}\r\n")).startswith("HTTP/1.1 200")
    address = urlsplit(stage.runtime.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"GET / HTTP/1.1\r\nx-long: " + b"x" * 3000)
    async with asyncio.timeout(60):
        assert (await reader.read()).startswith(b"HTTP/1.1 431")
    writer.close()
    await writer.wait_closed()
    await stage.runtime.stop()


async def test_thirty_starts_and_stops_leak_nothing() -> None:
    stage = Stage(Echo())
    process = psutil.Process()

    async def cycle() -> None:
        await stage.runtime.start()
        await stage.fetch()
        idle, writer = await stage.connect("/stream")
        await stage.runtime.stop()
        with contextlib.suppress(ConnectionError):
            await idle.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        stage.echo.draining.clear()

    def counts() -> tuple[int, int, int]:
        gc.collect()
        descriptors = process.num_handles() if psutil.WINDOWS else process.num_fds()
        return descriptors, threading.active_count(), len(asyncio.all_tasks())

    await cycle()
    before = counts()
    for _ in range(30):
        await cycle()
    after = counts()
    assert all(then <= now for then, now in zip(after, before, strict=True)), (before, after)
