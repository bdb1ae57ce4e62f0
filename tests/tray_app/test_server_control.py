"""The server for the window: start, stop and problems."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from server.core.errors import PortUnavailable, SettingsInvalid
from server.hosting.sockets import open_listener
from tests.ports import kept_port
from tests.scripted_backend import Gate, ScriptedBackend, begin, end, text
from tests.tray_app.conftest import KEY
from tests.waiting import until
from tray_app.context import Context


async def test_it_starts_and_stops_and_tells(context: Context) -> None:
    states = []
    context.server.changed.connect(lambda: states.append(context.server.state))
    await context.server.toggle()
    assert context.server.state == "running"
    assert context.server.base_url == f"{context.server.url}/v1"
    await context.server.toggle()
    assert context.server.url is None
    assert list(dict.fromkeys(states)) == ["starting", "running", "stopping", "stopped"]


async def test_the_second_click_while_it_stops_does_not_start_it_again(
    context: Context, backend: ScriptedBackend
) -> None:
    server = context.server
    await server.start()
    backend.may_stop.clear()
    stopping = asyncio.create_task(server.toggle())
    await until(lambda: server.state == "stopping")
    assert (server.url, server.is_down, server.is_changing) == (None, False, True)
    await server.toggle()
    backend.may_stop.set()
    await stopping
    assert server.state == "stopped"
    # A start during a stop happens as soon as the server has stopped.
    await server.start()
    backend.may_stop.clear()
    stopping, starting = asyncio.create_task(server.stop()), asyncio.create_task(server.start())
    await until(lambda: server.state == "stopping")
    backend.may_stop.set()
    await asyncio.gather(stopping, starting)
    assert server.state == "running"


async def test_requests_in_flight_are_counted_and_can_be_cancelled(context: Context, backend: ScriptedBackend) -> None:
    await context.server.start()
    backend.script(Gate())
    headers = {"authorization": f"Bearer {KEY}"}
    body = {"model": "default", "messages": [{"role": "user", "content": "Hello"}]}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as client:
        asking = asyncio.ensure_future(client.post(f"{context.server.base_url}/chat/completions", json=body))
        await until(lambda: context.server.in_flight == 1 and backend.requests)
        services = context.server.services
        assert services is not None
        (running,) = services.running._requests.values()
        assert context.server.cancel_request(running.record.id)
        assert (await asking).status_code == 499
    assert context.server.in_flight == 0
    assert not context.server.cancel_request(running.record.id)


async def test_a_port_in_use_is_the_problem_until_it_is_free(context: Context) -> None:
    with kept_port() as port:
        await context.change_settings({"port": port})
        with await open_listener("127.0.0.1", port):
            with pytest.raises(PortUnavailable):
                await context.server.start()
            problem = context.server.problem
            assert isinstance(problem, PortUnavailable)
            assert (problem.port, problem.in_use, context.server.state) == (port, True, "failed")
        await context.server.start()
        assert context.server.problem is None
        assert context.server.url == f"http://127.0.0.1:{port}"


async def test_it_does_not_ask_itself(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    await context.change_settings({"port": 8123})
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:8123")
    with pytest.raises(SettingsInvalid):
        await context.server.start()
    assert isinstance(context.server.problem, SettingsInvalid)
    assert context.server.state == "failed"
    assert context.server.base_url == "http://127.0.0.1:8123/v1"


async def test_nor_does_it_go_where_it_would_ask_itself(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    await context.server.start()
    url = context.server.url
    with kept_port() as port:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://127.0.0.1:{port}")
        with pytest.raises(SettingsInvalid, match="send its requests to this server"):
            await context.change_settings({"port": port})
    assert context.server.url == url
    assert context.settings.port == 0


async def test_a_start_under_way_can_be_given_up(context: Context) -> None:
    starting = asyncio.ensure_future(context.server.start())
    while context.server.state != "starting":  # noqa: ASYNC110 - in one turn of the loop
        await asyncio.sleep(0)
    await context.server.toggle()
    await asyncio.wait([starting])
    assert context.server.state == "stopped"
    assert context.server.problem is None


class Asking:
    """A client whose response waits at a gate."""

    def __init__(self, context: Context, backend: ScriptedBackend) -> None:
        self.context = context
        self.gate = Gate()
        backend.script(begin(), self.gate, *text("Hello"), *end())
        self.url = f"{context.server.base_url}/chat/completions"
        self.client = httpx2.AsyncClient(headers={"authorization": f"Bearer {KEY}"}, timeout=60)

    async def ask(self) -> httpx2.Response:
        body = {"model": "default", "messages": [{"role": "user", "content": "Hello"}]}
        return await self.client.post(self.url, json=body)


@pytest.fixture
async def asking(context: Context, backend: ScriptedBackend) -> AsyncIterator[Asking]:
    await context.server.start()
    asking = Asking(context, backend)
    yield asking
    await asking.client.aclose()


async def test_answers_are_finished_before_the_stop_and_new_requests_are_refused(
    context: Context, asking: Asking
) -> None:
    server = context.server
    first = asyncio.ensure_future(asking.ask())
    await asking.gate.reached.wait()
    finishing = asyncio.ensure_future(server.finish())
    await until(lambda: server.is_finishing)
    assert server.state == "running"
    refused = await asking.ask()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert refused.json()["error"]["code"] == "server_stopping"
    assert not finishing.done()
    asking.gate.open()
    answer = await first
    assert answer.json()["choices"][0]["message"]["content"] == "Hello"
    await finishing
    assert (server.state, server.is_finishing, server.in_flight) == ("stopped", False, 0)
    await server.start()
    assert (await asking.client.get(f"{server.base_url}/models")).status_code == 200


async def test_finishing_can_be_cut_short(context: Context, asking: Asking) -> None:
    server = context.server
    first = asyncio.ensure_future(asking.ask())
    await asking.gate.reached.wait()
    waiting = [asyncio.ensure_future(server.finish()) for _ in range(2)]
    await until(lambda: server.is_finishing)
    await server.toggle()
    assert server.state == "stopped"
    await asyncio.gather(*waiting)
    assert (await first).status_code == 503


async def test_at_rest_finishing_is_stopping(context: Context) -> None:
    await context.server.finish()
    await context.server.start()
    await context.server.finish()
    assert context.server.state == "stopped"
