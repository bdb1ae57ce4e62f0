"""The whole product where Claude Code is not signed in: the Anthropic API answers, if a key is stored for that."""

import functools
import io
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from server.composition import Server
from server.config.own_commands import own_command
from server.config.settings import Settings
from server.config.settings_in_force import SettingsInForce
from server.core.events import EventBus
from server.hosting.runtime import Runtime
from server.logs import configure_logs, log_file
from server.secrets import KeyStore
from server.secrets.anthropic_key import ANTHROPIC_API_KEY
from server.secrets.storage import MemoryStorage
from tests.files import files_below
from tests.simulator import Cut, HttpError, Simulator, Text, ToolUse, client_tools, conversation

KEY = "dgm-the-key-of-this-server"
STORED = "sk-ant-api03-the-persons-own-key_0123456789"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="
HELLO = [{"role": "user", "content": "Hello"}]
WEATHER = {
    "name": "weather",
    "description": "The weather of a town.",
    "input_schema": {"type": "object", "properties": {"town": {"type": "string"}}},
}


@dataclass
class Served:
    """The running product and its clients."""

    product: Server
    settings: Settings
    openai: openai.AsyncOpenAI
    anthropic: anthropic.AsyncAnthropic
    http: httpx2.AsyncClient

    async def last_request(self) -> dict[str, Any]:
        """The latest row of the request log."""
        rows: list[dict[str, Any]] = (await self.http.get("/api/requests")).json()["items"]
        return rows[0]


Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
async def serve(
    tmp_path: Path, simulator: Simulator, cli_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Serve]:
    """Starts the product over the real CLI, which has no account: `await serve(stored=..., spares=...)`."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", simulator.url)
    async with AsyncExitStack() as stack:

        async def start(stored: str | None = STORED, **changes: Any) -> Served:
            fields = {"port": 0, "spares": 0, "claude_path": cli_path, "anthropic_base_url": simulator.url, **changes}
            settings = Settings(data_dir=tmp_path / "data", config_dir=tmp_path / "config", **fields)
            key_store = KeyStore(MemoryStorage(), fixed_key=KEY)
            await key_store.set(ANTHROPIC_API_KEY, stored)
            runtime = Runtime(
                SettingsInForce(settings), bus=EventBus(), host=functools.partial(Server.create, key_store=key_store)
            )
            await runtime.start()
            stack.push_async_callback(runtime.stop)
            return await _served(stack, runtime)

        yield start


async def _served(stack: AsyncExitStack, runtime: Runtime) -> Served:
    assert isinstance(runtime.hosted, Server)
    assert runtime.url is not None
    options: dict[str, Any] = {"api_key": KEY, "max_retries": 0}
    for_openai = openai.AsyncOpenAI(base_url=f"{runtime.url}/v1", **options)
    for_anthropic = anthropic.AsyncAnthropic(base_url=runtime.url, **options)
    http = httpx2.AsyncClient(base_url=runtime.url, headers={"x-api-key": KEY}, timeout=60)
    for client in (for_openai, for_anthropic):
        stack.push_async_callback(client.close)
    await stack.enter_async_context(http)
    return Served(runtime.hosted, runtime.settings, for_openai, for_anthropic, http)


async def test_openais_client_is_answered_with_the_stored_key(serve: Serve, simulator: Simulator) -> None:
    served = await serve()
    raw = await served.openai.chat.completions.with_raw_response.create(model="gpt-5", messages=HELLO)
    assert raw.parse().choices[0].message.content == "You said: Hello"
    assert "your own key" in raw.headers["warning"]
    assert raw.headers["x-backend"] == "anthropic_api"
    (call,) = simulator.messages_calls
    assert call.headers["x-api-key"] == STORED
    assert call.headers["user-agent"].startswith("dragoman/")
    assert (call.model, conversation(call)) == ("claude-opus-5-5", [("user", [{"type": "text", "text": "Hello"}])])
    row = await served.last_request()
    assert (row["status"], row["backend"]) == ("ok", "anthropic_api")
    assert row["output_tokens"] > 0
    assert any("your own key" in warning for warning in row["warnings"])


async def test_openais_client_is_streamed_to(serve: Serve) -> None:
    served = await serve()
    raw = await served.openai.chat.completions.with_raw_response.create(model="gpt-5", messages=HELLO, stream=True)
    assert "your own key" in raw.headers["warning"]
    chunks = [chunk async for chunk in raw.parse()]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "You said: Hello"
    assert (await served.last_request())["backend"] == "anthropic_api"


async def test_several_answers_have_one_warning(serve: Serve) -> None:
    served = await serve()
    raw = await served.openai.chat.completions.with_raw_response.create(model="gpt-5", messages=HELLO, n=2)
    assert len(raw.parse().choices) == 2
    assert raw.headers["warning"].count("your own key") == 1
    assert len((await served.last_request())["warnings"]) == 1


@pytest.mark.parametrize("streamed", [False, True])
async def test_anthropics_client_with_tools_and_images(serve: Serve, simulator: Simulator, streamed: bool) -> None:
    served = await serve()
    simulator.script([Text("Let me see."), ToolUse("weather", {"town": "Oslo"})])
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    turns: list[dict[str, Any]] = [{"role": "user", "content": [image, {"type": "text", "text": "Where is it?"}]}]
    fields: dict[str, Any] = {"model": "sonnet", "max_tokens": 100, "tools": [WEATHER]}
    first = await _message(served, streamed, **fields, messages=turns)
    call = first.content[-1]
    assert (first.stop_reason, call.name, call.input) == ("tool_use", "weather", {"town": "Oslo"})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "Rain."}, image]}
    answered = [block.model_dump(exclude_none=True) for block in first.content]
    turns += [{"role": "assistant", "content": answered}, {"role": "user", "content": [result]}]
    second = await _message(served, streamed, **fields, messages=turns)
    assert second.content[0].text == "The tool said: Rain."
    _, last = simulator.messages_calls
    assert client_tools(last) == [WEATHER]
    assert [blocks for _, blocks in conversation(last)] == [turn["content"] for turn in turns]


async def _message(served: Served, streamed: bool, **fields: Any) -> anthropic.types.Message:
    if not streamed:
        return await served.anthropic.messages.create(**fields)
    async with served.anthropic.messages.stream(**fields) as stream:
        return await stream.get_final_message()


async def test_tokens_are_counted_and_not_estimated(serve: Serve, simulator: Simulator) -> None:
    served = await serve()
    raw = await served.anthropic.messages.with_raw_response.count_tokens(model="opus", messages=HELLO)
    assert (await raw.parse()).input_tokens > 0
    assert "warning" not in raw.headers
    assert [call.path for call in simulator.requests] == ["/v1/messages/count_tokens"]


async def test_without_a_key_the_client_reads_what_to_do(serve: Serve, simulator: Simulator) -> None:
    served = await serve(stored=None)
    with pytest.raises(openai.AuthenticationError) as caught:
        await served.openai.chat.completions.create(model="gpt-5", messages=HELLO)
    assert caught.value.code == "claude_code_not_signed_in"
    for words in ("auth login", own_command("key", "--anthropic")):
        assert words in caught.value.message
    with pytest.raises(anthropic.AuthenticationError, match="key --anthropic"):
        await served.anthropic.messages.create(model="opus", max_tokens=9, messages=HELLO)
    assert (await served.last_request())["backend"] == "claude_code"
    raw = await served.anthropic.messages.with_raw_response.count_tokens(model="opus", messages=HELLO)
    assert "estimated" in raw.headers["warning"]
    assert simulator.requests == []


async def test_switched_off_the_key_is_left_alone(serve: Serve, simulator: Simulator) -> None:
    served = await serve(anthropic_fallback=False)
    with pytest.raises(openai.AuthenticationError):
        await served.openai.chat.completions.create(model="gpt-5", messages=HELLO)
    assert simulator.requests == []


async def test_a_budget_refuses_what_may_cost_too_much(serve: Serve, simulator: Simulator) -> None:
    served = await serve(api_usd_a_day=0.05)
    fields: dict[str, Any] = {"model": "sonnet", "messages": HELLO}
    refused = await served.http.post("/v1/messages", json={**fields, "max_tokens": 64_000})
    assert refused.status_code == 401
    assert "may cost up to $0.6" in refused.json()["error"]["message"]
    assert simulator.messages_calls == []
    for _ in range(3):
        assert (await served.http.post("/v1/messages", json={**fields, "max_tokens": 2000})).status_code == 200
    spent = await served.product.services.store.sum_spending("2000-01-01")
    assert 0 < spent < 0.05
    assert (await served.last_request())["cost_usd"] == pytest.approx(spent / 3)


async def test_mcp_servers_go_to_the_api(serve: Serve, simulator: Simulator) -> None:
    served = await serve(api_usd_a_month=5.0)
    servers = [{"type": "url", "url": "https://mcp.example", "name": "example"}]
    body = {"model": "sonnet", "max_tokens": 100, "messages": HELLO, "mcp_servers": servers}
    answer = await served.http.post("/v1/messages", json=body)
    assert (answer.status_code, answer.headers["x-backend"]) == (200, "anthropic_api")
    (call,) = simulator.messages_calls
    assert call.body["mcp_servers"] == servers
    assert call.headers["anthropic-beta"].startswith("mcp-client-")


async def test_without_claude_code_at_all(serve: Serve, tmp_path: Path) -> None:
    served = await serve(claude_path=tmp_path / "claude")
    answer = await served.openai.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert answer.choices[0].message.content == "You said: Hello"
    assert "claude-sonnet-5-5" in [model.id async for model in served.openai.models.list()]
    backend = (await served.http.get("/health")).json()["backend"]
    assert backend["ready"] is True
    assert "Anthropic API" in backend["detail"]


async def test_an_error_of_the_api_is_the_apis_in_the_log_of_requests(serve: Serve, simulator: Simulator) -> None:
    served = await serve()
    simulator.script(HttpError(401))
    with pytest.raises(openai.AuthenticationError) as caught:
        await served.openai.chat.completions.create(model="gpt-5", messages=HELLO)
    assert caught.value.code == "anthropic_api_key_refused"
    row = await served.last_request()
    assert (row["status"], row["backend"], row["http_status"]) == ("error", "anthropic_api", 401)


@pytest.mark.parametrize("level", ["debug", "info"])
async def test_the_key_is_nowhere_to_be_read(
    serve: Serve, simulator: Simulator, caplog: pytest.LogCaptureFixture, level: str
) -> None:
    """Check that no log (debug logs of packages included), data file or response contains it."""
    caplog.set_level(logging.DEBUG)
    served = await serve(log_level=level, log_bodies=True)
    console = io.StringIO()
    configure_logs(served.settings, console=console)
    logging.getLogger().setLevel(logging.DEBUG)
    read = []
    for reply in (Text("Hi"), HttpError(401, message=f"invalid x-api-key {STORED}"), HttpError(500), Cut(), Cut()):
        simulator.script(reply)
        response = await served.http.post("/v1/chat/completions", json={"model": "gpt-5", "messages": HELLO})
        read.append(response.text + str(response.headers))
    read += [(await served.http.get(path)).text for path in ("/health", "/api/requests", "/api/sessions")]
    await served.product.services.writes.wait_for_writes()
    written = [held for _, held in files_below(served.settings.data_dir)]
    assert log_file(served.settings.data_dir).stat().st_size > 0
    assert "anthropic_api" in console.getvalue()
    assert len(simulator.messages_calls) >= 5
    assert not [text for text in (*read, console.getvalue(), caplog.text) if STORED in text]
    assert not [data for data in written if STORED.encode() in data]
