"""Ollama's own package, unmodified, does what its documentation shows: chats, tools, pictures, schemas, completions."""

from typing import Any

import ollama
import orjson
import pytest
from pydantic import BaseModel

from tests.clients.live import KEY, Live, Serve
from tests.clients.test_media import GIF, SMALL
from tests.simulator import (
    FIRST_DELTA,
    Gate,
    HttpError,
    Stop,
    StreamError,
    Text,
    Thinking,
    ToolUse,
    client_system,
    client_tools,
    conversation,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-opus-5-5"
HELLO = [{"role": "user", "content": "Hello"}]


def client(server: Live, **headers: str) -> ollama.AsyncClient:
    made = ollama.AsyncClient(
        host=server.url, headers={"Authorization": f"Bearer {KEY}", **headers}, trust_env=False, timeout=60
    )
    server.stack.push_async_callback(made._client.aclose)
    return made


def warmth(city: str, unit: str = "C") -> str:
    """
    Tell how warm it is.

    Args:
      city: The name of the city.
      unit: The unit, C or F.
    """
    return f"20 degrees in {city}"


def results(server: Live) -> dict[str, str]:
    """The tool results of the last turn at the API, by call."""
    _, blocks = conversation(server.sent())[-1]
    found = [block for block in blocks if block["type"] == "tool_result"]
    return {block["tool_use_id"]: "".join(one["text"] for one in block["content"]) for block in found}


async def test_a_chat_goes_on_in_one_process(server: Live) -> None:
    others = server.pids("idle")
    messages: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": f"Hello {id(server)}"},
    ]
    for _ in range(3):
        answer = await client(server).chat(MODEL, messages)
        assert (answer.done, answer.done_reason) == (True, "stop")
        assert (answer.message.content or "").startswith("You said: ")
        assert (answer.prompt_eval_count or 0) > 0
        messages += [answer.message, {"role": "user", "content": "On"}]
    assert client_system(server.sent()) == "Be brief."
    assert [role for role, _ in conversation(server.sent())] == ["user", "assistant", "user", "assistant", "user"]
    assert len(server.pids("idle") - others) == 1
    assert len(server.simulator.messages_calls) == 3


async def test_an_answer_is_streamed_as_it_is_written(server: Live) -> None:
    gate = Gate(after_events=FIRST_DELTA + 1)
    server.simulator.script([Thinking("Let me think."), Text("One two three.", chunks=3), gate])
    contents, thoughts = [], []
    async for part in await client(server).chat(MODEL, HELLO, stream=True):
        gate.open()  # else no more of the answer would ever come
        contents.append(part.message.content)
        thoughts.append(part.message.thinking)
    assert "".join(filter(None, thoughts)) == "Let me think."
    assert "".join(filter(None, contents)) == "One two three."
    assert (part.done, part.message.content) == (True, "")


@pytest.mark.parametrize("stream", [False, True])
async def test_tools(server: Live, stream: bool) -> None:
    """The package drops the ids of calls; the waiting process goes on all the same."""
    server.simulator.script(
        [Text("Let me see."), *(ToolUse("warmth", {"city": city}, id=f"toolu_{city}") for city in ("Ulm", "Bonn"))]
    )
    server.simulator.script(Text("20 degrees."))
    others = server.pids("holding")
    messages: list[Any] = [{"role": "user", "content": f"How warm is it? {stream}"}]
    message = await ask(server, messages, stream)
    assert message.content == "Let me see."
    assert [call.function.arguments for call in message.tool_calls or ()] == [{"city": "Ulm"}, {"city": "Bonn"}]
    [tool] = client_tools(server.sent())
    assert (tool["name"], tool["description"]) == ("warmth", "Tell how warm it is.")
    assert set(tool["input_schema"]["properties"]) == {"city", "unit"}
    holding = server.pids("holding") - others
    messages.append(message)
    for call in message.tool_calls or ():
        said = warmth(**call.function.arguments)
        messages.append({"role": "tool", "tool_name": call.function.name, "content": said})
    answer = await ask(server, messages, stream)
    assert answer.content == "20 degrees."
    assert results(server) == {"toolu_Ulm": "20 degrees in Ulm", "toolu_Bonn": "20 degrees in Bonn"}
    assert len(holding) == 1
    assert holding <= server.pids("idle"), "the process that held the calls went on with them"
    assert len(server.simulator.messages_calls) == 2


async def ask(server: Live, messages: list[Any], stream: bool) -> ollama.Message:
    """The answer's message, put together from its parts as the package's examples do."""
    if not stream:
        return (await client(server).chat(MODEL, messages, tools=[warmth])).message
    whole = ollama.Message(role="assistant", content="", tool_calls=[])
    async for part in await client(server).chat(MODEL, messages, tools=[warmth], stream=True):
        whole.content = (whole.content or "") + (part.message.content or "")
        whole.tool_calls = [*(whole.tool_calls or ()), *(part.message.tool_calls or ())]
    return whole


async def test_calls_that_no_client_was_given_are_replayed(server: Live) -> None:
    """As after a restart of the server."""
    call = {"function": {"name": "warmth", "arguments": {"city": "Ulm"}}}
    history: list[Any] = [
        {"role": "user", "content": "How warm is it in Ulm?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "Warm"},
    ]
    answer = await client(server).chat(MODEL, history)
    assert answer.done
    roles = [(role, [block["type"] for block in blocks]) for role, blocks in conversation(server.sent())]
    assert roles == [("user", ["text"]), ("assistant", ["tool_use"]), ("user", ["tool_result"])]
    assert list(results(server).values()) == ["Warm"]


async def test_pictures_reach_the_model(server: Live) -> None:
    images = [ollama.Image(value=SMALL), ollama.Image(value=GIF)]
    await client(server).chat(MODEL, [ollama.Message(role="user", content="What is it?", images=images)])
    blocks = conversation(server.sent())[-1][1]
    sources = [block["source"] for block in blocks if block["type"] == "image"]
    assert [source["media_type"] for source in sources] == ["image/png", "image/gif"]
    assert [source["data"] for source in sources] == [SMALL, GIF]


class Country(BaseModel):
    name: str
    capital: str
    languages: list[str]


async def test_structured_output(server: Live) -> None:
    country = {"name": "France", "capital": "Paris", "languages": ["French"]}
    server.simulator.script(Text(orjson.dumps(country).decode()))
    answer = await client(server).chat(
        "claude-sonnet-5-5", [{"role": "user", "content": "Tell of France."}], format=Country.model_json_schema()
    )
    assert Country.model_validate_json(answer.message.content or "") == Country.model_validate(country)
    wanted = server.sent().body["output_config"]["format"]
    assert wanted["type"] == "json_schema"
    assert set(wanted["schema"]["properties"]) == set(country)


async def test_options_reach_the_model(server: Live) -> None:
    options = {"temperature": 0.3, "num_predict": 77, "stop": ["END"], "num_ctx": 4096}
    await client(server).chat("claude-haiku-4-5", HELLO, options=options, think=False)
    body = server.sent().body
    assert (body["temperature"], body["max_tokens"], body["stop_sequences"]) == (0.3, 77, ["END"])
    assert body.get("thinking", {"type": "disabled"}) == {"type": "disabled"}


@pytest.mark.parametrize(("think", "effort"), [("low", "low"), ("max", "max")])
async def test_levels_of_thinking_reach_the_model(server: Live, think: Any, effort: str) -> None:
    await client(server).chat(MODEL, HELLO, think=think)
    assert server.sent().body["output_config"]["effort"] == effort


async def test_thinking_is_on_unless_it_is_switched_off(server: Live) -> None:
    await client(server).chat("claude-sonnet-4-5", HELLO)
    assert server.sent().body["thinking"]["type"] == "enabled"
    await client(server).chat("claude-sonnet-4-5", HELLO, think=False)
    assert server.sent().body["thinking"]["type"] == "disabled"


async def test_an_answer_that_is_cut_by_its_limit(server: Live) -> None:
    server.simulator.script([Text("One two"), Stop("max_tokens")])
    answer = await client(server).chat(MODEL, HELLO, options={"num_predict": 2})
    assert (answer.message.content, answer.done_reason) == ("One two", "length")


async def test_generate_and_a_hole(server: Live) -> None:
    answer = await client(server).generate(MODEL, "Hello there", system="Be brief.")
    assert answer.response == "You said: Hello there"
    assert client_system(server.sent()) == "Be brief."
    server.simulator.script(Text("<fill-in>a, b</fill-in>"))
    filled = await client(server).generate(MODEL, "def f(", suffix="):\n    return a + b")
    assert filled.response == "a, b"
    words = "".join(block["text"] for block in conversation(server.sent())[-1][1])
    assert "def f(<fill-in/>):\n    return a + b" in words


async def test_lists_name_the_models_and_their_windows(server: Live) -> None:
    names = [model.model for model in (await client(server).list()).models]
    assert MODEL in names
    shown = await client(server).show(MODEL)
    assert shown.modelinfo is not None
    assert shown.modelinfo["claude.context_length"] == 1_000_000
    assert "insert" in (shown.capabilities or ())
    assert (await client(server).pull("opus")).status == "success"
    assert server.simulator.messages_calls == []


async def test_errors_are_told(server: Live) -> None:
    with pytest.raises(ollama.ResponseError, match="model not found") as missing:
        await client(server).chat("llama3.2", HELLO)
    assert missing.value.status_code == 404
    server.simulator.script(HttpError(529, "overloaded_error", "Overloaded"))
    with pytest.raises(ollama.ResponseError) as busy:
        await client(server).chat(MODEL, HELLO)
    assert busy.value.status_code == 503


async def test_an_error_within_a_stream_is_told(server: Live) -> None:
    server.simulator.script([Text("One two three.", chunks=3), StreamError(after_events=FIRST_DELTA + 1)])
    parts = []

    async def read() -> None:
        async for part in await client(server).chat(MODEL, HELLO, stream=True):
            parts.append(part)  # noqa: PERF401 - the parts before the error count

    with pytest.raises(ollama.ResponseError):
        await read()
    assert parts
    assert not any(part.done for part in parts)


async def test_a_program_without_a_key(serve: Serve) -> None:
    server = await serve(keyless_access=True)
    keyless = ollama.AsyncClient(host=server.url, trust_env=False, timeout=60)
    server.stack.push_async_callback(keyless._client.aclose)
    assert (await keyless.chat(MODEL, HELLO)).message.content == "You said: Hello"
