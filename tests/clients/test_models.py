"""The models that Claude Code offers, and the names that other providers' clients know."""

from typing import Any

import anthropic
import openai
import pytest

from tests.clients.live import HELLO, Live, Serve
from tests.openai_schema import validate
from tests.simulator import HttpError, Simulator
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_list_to_both_clients(server: Live) -> None:
    to_openai = [model.id async for model in server.openai().models.list()]
    to_anthropic = {model.id: model async for model in server.anthropic().models.list()}
    assert {"opus", "sonnet", "haiku", "claude-opus-5-5", "gpt-5", "gpt-4o", "gpt-4o-mini"} <= set(to_openai)
    assert to_openai == list(to_anthropic)
    assert to_anthropic["claude-opus-5-5"].type == "model"
    validate("ListModelsResponse", (await server.http().get("/v1/models")).json())
    assert server.simulator.requests == [], "it is the CLI's own list; nobody is asked"


@pytest.mark.parametrize(
    ("name", "reaches"),
    [
        ("gpt-5", "claude-opus-5-5"),
        ("gpt-4o-2024-08-06", "claude-sonnet-5-5"),
        ("openai/gpt-3.5-turbo", "claude-haiku-5-5"),
        ("claude-opus-4-1", "claude-opus-5-5"),
        ("openai/gpt-5.6-terra", "claude-sonnet-5-5"),
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5-20251001"),
        ("claude-3.7-sonnet:beta", "claude-sonnet-5-5"),
    ],
)
async def test_a_name_reaches_its_model(server: Live, name: str, reaches: str) -> None:
    assert (await server.openai().models.retrieve(name)).id == name
    await server.openai().chat.completions.create(model=name, messages=HELLO, temperature=0.5)
    assert server.sent().model == reaches


@pytest.mark.parametrize("suffix", [":thinking", "-thinking"])
async def test_a_name_that_asks_for_thinking(server: Live, suffix: str) -> None:
    name = f"claude-sonnet-4.5{suffix}"
    await server.openai().chat.completions.create(model=name, messages=HELLO)
    assert (server.sent().model, server.sent().body["thinking"]["type"]) == ("claude-sonnet-4-5", "enabled")
    await server.anthropic().messages.create(model=name, messages=HELLO, max_tokens=4000)
    assert server.sent().body["thinking"]["type"] == "enabled"
    await server.openai().chat.completions.create(model=name, messages=HELLO, reasoning_effort="none")
    assert server.sent().body["thinking"]["type"] == "disabled", "what the request says goes first"


@pytest.mark.parametrize(
    ("name", "effort", "thinking"),
    [
        ("opus:high", "high", None),
        ("opus:low[1m]", "low", None),
        ("gpt-5.5:max", "max", None),
        ("claude-sonnet-4.6:medium", "medium", None),
        ("claude-opus-4.8:nothink", None, "disabled"),
        ("claude-opus-4.8:think", None, "adaptive"),
        ("anthropic/claude-opus-4.8@preset/mine:xhigh", "xhigh", None),
        ("terse", "low", "disabled"),
    ],
)
async def test_what_a_name_asks_for_reaches_the_model(
    serve: Serve, name: str, effort: str | None, thinking: str | None
) -> None:
    server = await serve(aliases={"terse": "claude-opus-4-8:low:nothink"})
    await server.openai().chat.completions.create(model=name, messages=HELLO)
    by_chat = server.sent()
    await server.anthropic().messages.create(model=name, messages=HELLO, max_tokens=4000)
    by_messages = server.sent()
    await server.openai().responses.create(model=name, input="Hello")
    for sent in (by_chat, by_messages, server.sent()):
        if effort is not None:
            assert sent.body["output_config"]["effort"] == effort
        if thinking is not None:
            assert sent.body["thinking"]["type"] == thinking
    await server.openai().chat.completions.create(model=name, messages=HELLO, reasoning_effort="medium")
    assert server.sent().body["output_config"]["effort"] == "medium", "what the request says goes first"


async def test_a_chain_goes_on_to_the_next_model(serve: Serve, simulator: Simulator) -> None:
    server = await serve(aliases={"smart": "opus:high > claude-sonnet-4.5:low > haiku"})
    simulator.script(HttpError(529, "overloaded_error", "Overloaded"), when=lambda call: "opus" in call.model)
    raw = await server.openai().chat.completions.with_raw_response.create(model="smart", messages=HELLO)
    assert "opus could not answer" in raw.headers["warning"]
    assert raw.parse().model == "claude-sonnet-4-5"
    sent = server.sent()
    assert (sent.model, sent.body["thinking"]["type"]) == ("claude-sonnet-4-5", "enabled")


async def test_the_windows_that_claude_code_reports_are_learned(server: Live) -> None:
    await server.http().post("/v1/chat/completions", json={"model": "haiku", "messages": HELLO})
    await until(lambda: any(info.context_window for info in server.backend.models()))
    [haiku] = [info for info in server.backend.models() if info.name == "haiku"]
    assert (haiku.context_window, haiku.usual_output) == (1_000_000, 128_000)
    entry = (await server.http().get("/v1/models/haiku")).json()
    assert (entry["context_window"], entry["max_output_tokens"]) == (1_000_000, 128_000)


async def test_the_limits_are_those_of_the_model_that_is_meant(server: Live) -> None:
    create = server.anthropic().messages.with_raw_response.create
    wanted: dict[str, Any] = {"max_tokens": 100_000, "extra_body": {"temperature": 0.5}}
    raw = await create(model="anthropic/claude-sonnet-4.5", messages=HELLO, **wanted)
    sent = server.sent().body
    assert (sent["model"], sent["max_tokens"], sent["temperature"]) == ("claude-sonnet-4-5", 64_000, 0.5)
    assert "100000" in raw.headers["warning"]


async def test_aliases_of_one_s_own(serve: Serve) -> None:
    server = await serve(aliases={"house-model": "claude-opus-4-7", "gpt-5": "haiku"}, default_model="sonnet")
    client = server.openai()
    assert {"house-model", "gpt-5"} <= {model.id async for model in client.models.list()}
    for name, reaches in (("house-model", "claude-opus-4-7"), ("gpt-5", "claude-haiku-5-5")):
        await client.chat.completions.create(model=name, messages=HELLO)
        assert server.sent().model == reaches
    await server.http().post("/v1/chat/completions", json={"messages": HELLO})
    assert server.sent().model == "claude-sonnet-5-5"


async def test_a_name_of_nothing(server: Live) -> None:
    with pytest.raises(openai.NotFoundError):
        await server.openai().models.retrieve("gemini-3-pro")
    with pytest.raises(anthropic.NotFoundError):
        await server.anthropic().models.retrieve("gemini-3-pro")


async def test_health_says_how_claude_code_is(server: Live) -> None:
    health = (await server.http(key=None).get("/health")).json()
    assert health["status"] == "ok"
    assert "2." in str(health)
    assert "sk-ant-made-up" not in str(health)
    assert server.simulator.requests == []
