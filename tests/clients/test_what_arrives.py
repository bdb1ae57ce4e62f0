"""Whatever a client sends, in every dialect with tools, reaches the model in the same roles, words, numbers and order.

Each example is a request with a made-up history and tools, and a second one that brings the results of the model's
calls to the process that holds them. What the simulator received is compared with what was sent.
"""

from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from server.models.tool_names import argument_name, tool_name
from tests.clients.live import Live
from tests.schemas import NAMES, schemas
from tests.simulator import Recorded, Text, ToolUse, client_system, client_tools, conversation
from tests.soak import examples

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(3600)]

MODELS = st.sampled_from(["claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-4-5"])
SAID = st.sampled_from(
    [
        "/clear",
        "@/etc/passwd",
        "<system-reminder>\nno\n</system-reminder>",
        "m² ½ ﬁ\u200b",
        " spaced \n",
        "\ttab",
        "日本",
    ]
) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
WORDS = SAID.map(lambda words: words if words.strip() else words + "x")
"""Texts of nothing but whitespace are not taken by the API."""
NUMBERS = st.integers(-9, 9) | st.integers(2**53, 2**70) | st.floats(-9, 9)
INPUTS = st.dictionaries(NAMES, st.text(max_size=9) | NUMBERS | st.none() | st.lists(NUMBERS, max_size=2), max_size=3)


@dataclass(frozen=True)
class Called:
    """A call of a tool, with its result."""

    id: str
    name: str
    input: dict[str, Any]
    result: str


@dataclass(frozen=True)
class Round:
    """A question and what followed: words, calls, and the order in which their results come."""

    question: str
    words: str
    calls: list[Called] = field(default_factory=list)
    order: list[int] = field(default_factory=list)


@st.composite
def rounds(draw: Any, names: list[str], ids: list[str]) -> Round:
    count = draw(st.integers(0, 3)) if names else 0
    calls = [Called(ids.pop(), draw(st.sampled_from(names)), draw(INPUTS), draw(WORDS)) for _ in range(count)]
    return Round(draw(WORDS), draw(WORDS), calls, draw(st.permutations(range(count))))


IDS = ["call_1", "call_1_2", "call_1_2_3", "toolu_a", "x-1", "x-1_0", "b", "c", "d", "e", "f", "g"]


@st.composite
def tools(draw: Any) -> dict[str, Any]:
    described = draw(st.fixed_dictionaries({}, optional={"description": WORDS}))
    return {"name": draw(NAMES | st.sampled_from(["bash", "y" * 128])), **described, "schema": draw(schemas(old=False))}


@st.composite
def requests(draw: Any) -> dict[str, Any]:
    offered = draw(st.lists(tools(), max_size=3, unique_by=lambda tool: tool["name"]))
    names, ids = [tool["name"] for tool in offered], draw(st.permutations(IDS))
    return {
        "model": draw(MODELS),
        "system": draw(st.lists(WORDS, max_size=2)),
        "tools": offered,
        "history": [draw(rounds(names, ids)) for _ in range(draw(st.integers(0, 2)))],
        "last": draw(rounds(names, [f"toolu_{n}" for n in range(3)])),
    }


# What the clients write


def chat_body(example: dict[str, Any], messages: list[dict[str, Any]]) -> dict[str, Any]:
    functions = [
        {key: tool[key] for key in ("name", "description") if key in tool} | {"parameters": tool["schema"]}
        for tool in example["tools"]
    ]
    system = [{"role": "system", "content": words} for words in example["system"]]
    tools = [{"type": "function", "function": function} for function in functions]
    return {"model": example["model"], "messages": [*system, *messages], **({"tools": tools} if tools else {})}


def chat_round(one: Round) -> list[dict[str, Any]]:
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": dumps(call.input)}}
        for call in one.calls
    ]
    said = {"role": "assistant", "content": one.words, **({"tool_calls": calls} if calls else {})}
    return [
        said,
        *({"role": "tool", "tool_call_id": one.calls[n].id, "content": one.calls[n].result} for n in one.order),
    ]


def messages_body(example: dict[str, Any], messages: list[dict[str, Any]]) -> dict[str, Any]:
    tools = [
        {key: tool[key] for key in ("name", "description") if key in tool} | {"input_schema": tool["schema"]}
        for tool in example["tools"]
    ]
    system = [{"type": "text", "text": words} for words in example["system"]]
    return {
        "model": example["model"], "max_tokens": 100, "messages": messages,
        **({"tools": tools} if tools else {}), **({"system": system} if system else {}),
    }  # fmt: skip


def messages_round(one: Round) -> list[dict[str, Any]]:
    calls = [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.input} for call in one.calls]
    said = [{"role": "assistant", "content": [{"type": "text", "text": one.words}, *calls]}]
    results = [
        {"type": "tool_result", "tool_use_id": one.calls[n].id, "content": one.calls[n].result} for n in one.order
    ]
    return [*said, {"role": "user", "content": results}] if results else said


def responses_body(example: dict[str, Any], items: list[dict[str, Any]]) -> dict[str, Any]:
    tools = [
        {"type": "function", "strict": False, "parameters": tool["schema"]}
        | {key: tool[key] for key in ("name", "description") if key in tool}
        for tool in example["tools"]
    ]
    system = [{"role": "developer", "content": words} for words in example["system"]]
    return {"model": example["model"], "input": [*system, *items], **({"tools": tools} if tools else {})}


def responses_round(one: Round) -> list[dict[str, Any]]:
    calls = [
        {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": dumps(call.input)}
        for call in one.calls
    ]
    results = [
        {"type": "function_call_output", "call_id": one.calls[n].id, "output": one.calls[n].result} for n in one.order
    ]
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": one.words}]}
    return [said, *calls, *results]


def ollama_body(example: dict[str, Any], messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {**chat_body(example, messages), "stream": False}


def ollama_round(one: Round) -> list[dict[str, Any]]:
    calls = [{"id": call.id, "function": {"name": call.name, "arguments": call.input}} for call in one.calls]
    said = {"role": "assistant", "content": one.words, **({"tool_calls": calls} if calls else {})}
    results = [
        {"role": "tool", "tool_call_id": call.id, "tool_name": call.name, "content": call.result}
        for call in (one.calls[n] for n in one.order)
    ]
    return [said, *results]


def dumps(value: Any) -> str:
    from json import dumps as exact  # orjson has no integers beyond 64 bits

    return exact(value)


# What has to arrive


def expected_turns(example: dict[str, Any], *, answered: bool) -> list[tuple[str, list[Any]]]:
    """The turns as the model has to read them; calls and results by their place, since ids may be exchanged."""
    turns: list[tuple[str, list[Any]]] = []
    renamed = argument_names(example)
    for one in [*example["history"], *([example["last"]] if answered else [])]:
        add(turns, "user", [one.question])
        calls = [("call", tool_name(call.name), as_sent(call.input, renamed[call.name])) for call in one.calls]
        add(turns, "assistant", [one.words, *calls])
        if one.calls:
            add(turns, "user", [("result", n, one.calls[n].result) for n in one.order])
    if not answered:
        add(turns, "user", [example["last"].question])
    return turns


def argument_names(example: dict[str, Any]) -> dict[str, dict[str, str]]:
    """By tool: the names that the API knows its arguments by."""
    return {
        tool["name"]: {name: argument_name(name) for name in tool["schema"]["properties"]} for tool in example["tools"]
    }


def as_sent(given: dict[str, Any], renamed: dict[str, str]) -> dict[str, Any]:
    return {renamed.get(name, name): exact(value) for name, value in given.items()}


def exact(value: Any) -> Any:
    """Integers that JavaScript would round travel as their digits."""
    if isinstance(value, list):
        return [exact(item) for item in value]
    return str(value) if isinstance(value, int) and abs(value) >= 2**53 else value


def add(turns: list[tuple[str, list[Any]]], role: str, content: list[Any]) -> None:
    if turns and turns[-1][0] == role:
        last = turns[-1][1]
        if isinstance(last[-1], str) and isinstance(content[0], str):
            last[-1] += content.pop(0)
        last.extend(content)
    else:
        turns.append((role, content))


def arrived_turns(recorded: Recorded) -> list[tuple[str, list[Any]]]:
    turns: list[tuple[str, list[Any]]] = []
    ids: list[str] = []
    for role, blocks in conversation(recorded):
        content: list[Any] = []
        if role == "assistant":
            ids = [block["id"] for block in blocks if block["type"] == "tool_use"]
        for block in blocks:
            match block["type"]:
                case "text":
                    content.append(block["text"])
                case "tool_use":
                    content.append(("call", block["name"], block["input"]))
                case "tool_result":
                    inner = block["content"]
                    said = inner if isinstance(inner, str) else "".join(part["text"] for part in inner)
                    content.append(("result", ids.index(block["tool_use_id"]), said))
        joined: list[tuple[str, list[Any]]] = []
        for part in content:
            add(joined, role, [part])
        add(turns, role, joined[0][1])
    return turns


def expected_tools(example: dict[str, Any]) -> list[dict[str, Any]]:
    tools = []
    for tool in example["tools"]:
        names = {name: argument_name(name) for name in tool["schema"]["properties"]}
        properties = {
            names[name]: part if name == names[name] else {"title": name, **part}
            for name, part in tool["schema"]["properties"].items()
        }
        schema = {**tool["schema"], "properties": properties}
        if "required" in schema:
            schema["required"] = [names[name] for name in schema["required"]]
        described = {"description": tool["description"]} if "description" in tool else {}
        tools.append({"name": tool_name(tool["name"]), **described, "input_schema": schema})
    return tools


def check(example: dict[str, Any], recorded: Recorded, *, answered: bool) -> None:
    assert recorded.status == 200
    assert arrived_turns(recorded) == expected_turns(example, answered=answered)
    assert client_system(recorded) == "\n\n".join(words for words in example["system"])
    assert orjson.dumps(client_tools(recorded)) == orjson.dumps(expected_tools(example))


def scripted(example: dict[str, Any]) -> list[Any]:
    """The model's answer to the last question; it has the API's names."""
    last: Round = example["last"]
    renamed = {
        tool["name"]: {name: argument_name(name) for name in tool["schema"]["properties"]} for tool in example["tools"]
    }
    calls = [
        ToolUse(tool_name(call.name), {renamed[call.name].get(k, k): v for k, v in call.input.items()}, id=call.id)
        for call in last.calls
    ]
    return [Text(last.words), *calls]


DIALECTS = {
    "chat": ("/v1/chat/completions", chat_body, chat_round),
    "messages": ("/v1/messages", messages_body, messages_round),
    "responses": ("/v1/responses", responses_body, responses_round),
    "ollama": ("/api/chat", ollama_body, ollama_round),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(
    max_examples=examples(60),
    suppress_health_check=list(HealthCheck),
    # An example takes a process: to shrink one would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(example=requests())
async def test_it_arrives_as_it_was_sent(server: Live, dialect: str, example: dict[str, Any]) -> None:
    path, body, said = DIALECTS[dialect]
    http, last = server.http(), example["last"]
    messages: list[dict[str, Any]] = []
    for one in example["history"]:
        messages += [{"role": "user", "content": one.question}, *said(one)]
    messages.append({"role": "user", "content": last.question})
    server.simulator.reset()
    server.simulator.script(scripted(example))
    await ask(http, path, body(example, messages))
    check(example, server.sent(), answered=False)
    if not last.calls:
        return
    rounded = any(as_sent(call.input, {}) != call.input for call in last.calls)
    assert bool(server.pids("holding")) is not rounded, "only a process that has rounded numbers is not gone on with"
    await ask(http, path, body(example, [*messages, *said(last)]))
    check(example, server.sent(), answered=True)


async def ask(http: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> httpx2.Response:
    response = await http.post(path, content=dumps(body), headers={"content-type": "application/json"})
    assert response.status_code == 200, response.text
    return response
