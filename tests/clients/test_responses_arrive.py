"""What clients of the Responses API send reaches the model: whole, in native roles, on fresh and on live processes.

The bodies are shaped as Codex, the Agents SDK, LangChain, the AI SDK, Copilot and Zed shape them.
"""

import base64
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from server.dialects.responses.compaction import INSTRUCTION
from tests.clients.live import Live
from tests.clients.test_media import PDF, SMALL, block
from tests.simulator import (
    RedactedThinking,
    Text,
    Thinking,
    ToolUse,
    client_system,
    client_tools,
    conversation,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-opus-5-5"
CODEX = orjson.loads((Path(__file__).parent / "captured" / "codex-0.169.0.json").read_bytes())["requests"]
GRAMMAR = 'start: "*** Begin Patch" LF hunk+ "*** End Patch"'
SHELL: Any = {
    "type": "function",
    "name": "shell",
    "description": "Runs a command.",
    "strict": False,
    "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]},
}
EXEC: Any = {
    "type": "custom",
    "name": "exec",
    "description": "Runs JavaScript.",
    "format": {"type": "grammar", "syntax": "lark", "definition": GRAMMAR},
}
IMAGE = {"type": "input_image", "image_url": f"data:image/png;base64,{SMALL}", "detail": "original"}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def message(role: str, *parts: Any, **more: Any) -> dict[str, Any]:
    """A message as Codex and the SDKs send it: with an id of the client's own making and a list of parts."""
    kind = "output_text" if role == "assistant" else "input_text"
    content = [{"type": kind, "text": part} if isinstance(part, str) else part for part in parts]
    return {"type": "message", "id": "msg_123", "role": role, "content": content, **more}


def function_call(call_id: str, name: str, arguments: str = "{}", **more: Any) -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": f"fc_{call_id}",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
        **more,
    }


def output(call_id: str, value: Any, kind: str = "function_call_output") -> dict[str, Any]:
    return {"type": kind, "id": f"fco_{call_id}", "call_id": call_id, "output": value}


def tool_use(call_id: str, name: str, given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def result(call_id: str, *blocks: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": list(blocks)}


async def respond(server: Live, *items: Any, **more: Any) -> httpx2.Response:
    """The response to these items, which must succeed."""
    body = {"model": MODEL, "input": list(items), **more}
    response = await server.http().post("/v1/responses", json=body)
    assert response.status_code == 200, response.text
    return response


def seen(server: Live) -> list[tuple[str, list[dict[str, Any]]]]:
    """The conversation as it reached the model; texts without blocks are lists of one."""
    turns = conversation(server.sent())
    return [(role, [_long_form(one) for one in blocks]) for role, blocks in turns]


def _long_form(one: dict[str, Any]) -> dict[str, Any]:
    if one["type"] == "tool_result" and isinstance(one.get("content"), str):
        return {**one, "content": [text(one["content"])]}
    return one


async def test_a_turn_of_codex(server: Live) -> None:
    """A shell task in two requests, as Codex 0.169 sent them."""
    server.simulator.script(ToolUse("exec_command", {"cmd": "cat notes.txt"}, id="call_1"))
    first = {**CODEX[0]["body"], "model": MODEL}
    headers = {
        name: first_value for name, first_value in CODEX[0]["headers"].items() if name.startswith(("x-", "orig"))
    }
    lines = await _stream(server, first, headers)
    assert lines[-1]["type"] == "response.completed"
    developers = [part["text"] for item in first["input"][:2] for part in item["content"]]
    agents = "Tools whose names begin with `multi_agent_v1__`: Tools for spawning and managing sub-agents."
    assert client_system(server.sent()) == "\n\n".join([*developers, agents])
    said = [text(part["text"]) for item in first["input"][2:] for part in item["content"]]
    assert seen(server) == [("user", said)]
    names = [tool["name"] for tool in client_tools(server.sent())]
    assert names[:4] == ["exec_command", "write_stdin", "request_user_input", "view_image"]
    assert [name for name in names if "__" in name] == [
        f"multi_agent_v1__{tool['name']}" for tool in next(one for one in first["tools"] if "tools" in one)["tools"]
    ]
    [call] = [event["item"] for event in lines if event["type"] == "response.output_item.done"]
    items = CODEX[1]["body"]["input"][1:]
    assert (call["type"], call["name"], call["call_id"]) == ("function_call", "exec_command", items[0]["call_id"])
    second = {**first, "input": [*first["input"], *items]}
    await _stream(server, second, headers)
    assert seen(server) == [
        ("user", said),
        ("assistant", [tool_use("call_1", "exec_command", {"cmd": "cat notes.txt"})]),
        ("user", [result("call_1", text(items[1]["output"]))]),
    ]


async def _stream(server: Live, body: dict[str, Any], headers: dict[str, str]) -> list[dict[str, Any]]:
    response = await server.http().post("/v1/responses", json=body, headers=headers)
    assert response.status_code == 200, response.text
    return [orjson.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]


async def test_code_mode_of_codex(server: Live) -> None:
    """Tools come in the input, are freeform, and their outputs are lists with images. A call may lack its namespace."""
    tools = {
        "type": "additional_tools",
        "id": "at_1",
        "role": "developer",
        "tools": [
            {"type": "namespace", "name": "functions", "description": "", "tools": [EXEC]},
            {"type": "namespace", "name": "clock", "description": "Time.", "tools": [{**SHELL, "name": "now"}]},
        ],
    }
    server.simulator.script(ToolUse("functions__exec", {"input": 'tools.apply_patch("a")\n'}, id="call_1"))
    start = [tools, message("developer", "You are Codex."), message("user", "Patch it.")]
    [call] = (await respond(server, *start)).json()["output"]
    assert (call["type"], call["name"], call["namespace"]) == ("custom_tool_call", "exec", "functions")
    assert call["input"] == 'tools.apply_patch("a")\n'
    assert client_system(server.sent()) == "You are Codex.\n\nTools whose names begin with `clock__`: Time."
    sent, now = client_tools(server.sent())
    assert (sent["name"], now["name"]) == ("functions__exec", "clock__now")
    assert sent["description"].startswith("Runs JavaScript.")
    assert GRAMMAR in sent["description"]
    for namespace in ({"namespace": "functions"}, {}):
        replayed = {
            "type": "custom_tool_call",
            "call_id": "call_1",
            "name": "exec",
            "input": call["input"],
            **namespace,
        }
        answer = output("call_1", [{"type": "input_text", "text": "done"}, IMAGE], "custom_tool_call_output")
        await respond(server, *start, replayed, answer)
        assert seen(server)[1:] == [
            ("assistant", [tool_use("call_1", "functions__exec", {"input": call["input"]})]),
            ("user", [result("call_1", text("done"), block(SMALL))]),
        ]


async def test_a_search_for_tools_that_the_client_runs(server: Live) -> None:
    search = {
        "type": "tool_search",
        "execution": "client",
        "description": "Finds tools.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}},
    }
    server.simulator.script(ToolUse("tool_search", {"query": "agents"}, id="call_1"))
    [call] = (await respond(server, message("user", "Search"), tools=[search])).json()["output"]
    assert (call["type"], call["arguments"], call["execution"]) == ("tool_search_call", {"query": "agents"}, "client")
    found = {"type": "namespace", "name": "agents", "description": "Agents.", "tools": [{**SHELL, "name": "spawn"}]}
    answer = {"type": "tool_search_output", "call_id": "call_1", "status": "completed", "tools": [found]}
    server.simulator.script(ToolUse("agents__spawn", {"cmd": "x"}, id="call_2"))
    items = [message("user", "Search"), {**call, "id": None}, answer]
    [spawned] = (await respond(server, *items, tools=[search])).json()["output"]
    assert (spawned["type"], spawned["namespace"], spawned["name"]) == ("function_call", "agents", "spawn")
    assert [tool["name"] for tool in client_tools(server.sent())] == ["tool_search", "agents__spawn"]
    assert seen(server)[1:] == [
        ("assistant", [tool_use("call_1", "tool_search", {"query": "agents"})]),
        ("user", [result("call_1", text("These tools were found and can be called now: agents__spawn"))]),
    ]


async def test_names_that_the_api_does_not_take(server: Live) -> None:
    """They are exchanged on the way, also in the history, and come back as they were."""
    space = {"type": "namespace", "name": "größe." * 10, "tools": [{**SHELL, "name": "x" * 128}]}
    server.simulator.script(lambda recorded: ToolUse(client_tools(recorded)[0]["name"], {"cmd": "ls"}, id="call_1"))
    [call] = (await respond(server, message("user", "Go"), tools=[space])).json()["output"]
    assert (call["namespace"], call["name"]) == (space["name"], "x" * 128)
    [tool] = client_tools(server.sent())
    assert len(tool["name"]) <= 115
    assert tool["name"].isascii()
    items = [message("user", "Go"), call, output("call_1", "done")]
    await respond(server, *items, tools=[space])
    assert seen(server)[1] == ("assistant", [tool_use("call_1", tool["name"], {"cmd": "ls"})])


THOUGHTS = [Thinking("Look first."), RedactedThinking(), Text("I look."), ToolUse("shell", {"cmd": "ls"}, id="call_1")]
NATIVE = [
    {"type": "thinking", "thinking": "Look first.", "signature": "c2lnbmF0dXJl"},
    {"type": "redacted_thinking", "data": "cmVkYWN0ZWQ="},
    text("I look."),
    tool_use("call_1", "shell", {"cmd": "ls"}),
]


@pytest.mark.parametrize("instructions", ["Be brief.", "Be long."], ids=["live", "fresh"])
async def test_reasoning_goes_back_to_the_model_natively(server: Live, instructions: str) -> None:
    """Codex and the AI SDK without storing: `content: null`, the summary and the encrypted content, nothing else."""
    server.simulator.script(THOUGHTS)
    more: dict[str, Any] = {"tools": [SHELL], "store": False, "include": ["reasoning.encrypted_content"]}
    given = (await respond(server, message("user", "Go"), instructions="Be brief.", **more)).json()["output"]
    assert [item["type"] for item in given] == ["reasoning", "reasoning", "message", "function_call"]
    known = ("type", "id", "summary", "encrypted_content")
    thoughts = [{**{name: item[name] for name in known}, "content": None} for item in given[:2]]
    items = [message("user", "Go"), *thoughts, *given[2:], output("call_1", "a b")]
    processes = server.pids()
    response = await respond(server, *items, instructions=instructions, **more)
    assert seen(server) == [("user", [text("Go")]), ("assistant", NATIVE), ("user", [result("call_1", text("a b"))])]
    assert "warning" not in response.headers
    if instructions == "Be brief.":
        assert server.pids("idle") <= processes, "the call is answered in the process that holds it"


@pytest.mark.parametrize("model", ["sonnet", "opus[1m]", "default", "gpt-5", "claude-sonnet-4-5", "claude-haiku-4-5"])
async def test_reasoning_goes_back_under_every_name_of_a_model(server: Live, model: str) -> None:
    """Claude Code replays thinking only of the model that it knows by the same id."""
    server.simulator.script(THOUGHTS)
    more: dict[str, Any] = {"tools": [SHELL], "model": model, "reasoning": {"effort": "high"}}
    given = (await respond(server, message("user", "Go"), instructions="Be brief.", **more)).json()["output"]
    await respond(server, message("user", "Go"), *given, output("call_1", "a b"), instructions="Be long.", **more)
    assert seen(server)[1] == ("assistant", NATIVE)


async def test_reasoning_of_others_is_left_out(server: Live) -> None:
    """On processes that have not thought it themselves."""
    server.simulator.script([Thinking("Hm."), Text("Yes.")])
    reasoning, answer = (await respond(server, message("user", "Is it?"))).json()["output"]
    sealed = reasoning["encrypted_content"]
    for foreign in ("gAAAAABo" + "x" * 200, sealed[:-1], sealed.replace(".", "", 1), f"{sealed}=", "ü", "", None):
        thought = {**reasoning, "encrypted_content": foreign}
        items = [message("user", "Is it?"), thought, answer, message("user", "Sure?")]
        response = await respond(server, *items, instructions=f"Not {foreign}.")
        assert seen(server)[1] == ("assistant", [text("Yes.")])
        assert ("did not seal" in response.headers.get("warning", "")) == bool(foreign)


async def test_an_agent_takes_over(server: Live) -> None:
    """Agents SDK: the items of the first agent, then other instructions and no tools."""
    transfer = {**SHELL, "name": "transfer_to_poet", "parameters": {"type": "object", "properties": {}}, "strict": True}
    server.simulator.script(ToolUse("transfer_to_poet", id="call_1"))
    asked = {"content": "A poem", "role": "user"}
    [call] = (await respond(server, asked, instructions="Triage.", tools=[transfer])).json()["output"]
    await respond(server, asked, call, output("call_1", '{"assistant": "poet"}'), instructions="Rhyme.", tools=[])
    assert client_system(server.sent()) == "Rhyme."
    assert seen(server) == [
        ("user", [text("A poem")]),
        ("assistant", [tool_use("call_1", "transfer_to_poet", {})]),
        ("user", [result("call_1", text('{"assistant": "poet"}'))]),
    ]


async def test_parallel_calls_and_their_outputs(server: Live) -> None:
    """Zed and LangChain: calls in a row, outputs in another order, one of them after the assistant has gone on."""
    calls = [function_call(f"call_{at}", "shell", f'{{"cmd": "{at}"}}') for at in range(3)]
    items = [
        {"role": "user", "content": "Go"},
        message("assistant", "I look.", status="completed", phase="commentary"),
        *calls,
        output("call_1", "one"),
        output("call_0", [{"type": "input_text", "text": "zero"}]),
        message("assistant", "Now", status="completed"),
        output("call_2", "two"),
        message("user", "And?"),
    ]
    await respond(server, *items, tools=[SHELL])
    uses = [tool_use(f"call_{at}", "shell", {"cmd": str(at)}) for at in range(3)]
    assert seen(server) == [
        ("user", [text("Go")]),
        ("assistant", [text("I look."), *uses]),
        ("user", [result("call_1", text("one")), result("call_0", text("zero")), result("call_2", text("two"))]),
        ("assistant", [text("Now")]),
        ("user", [text("And?")]),
    ]


async def test_copilot_and_its_one_id(server: Live) -> None:
    """Every message of the assistant's has the same id, and messages of the system come in the middle."""
    items = [
        message("system", "You are an expert."),
        message("user", "a"),
        message("assistant", "b", status="completed"),
        message("system", "Mind the tests."),
        message("user", "c"),
        message("assistant", "d", status="completed"),
        message("user", "e"),
    ]
    response = await respond(
        server, *items, include=["reasoning.encrypted_content"], truncation="disabled", top_logprobs=0, store=True
    )
    assert client_system(server.sent()) == "You are an expert."
    assert seen(server) == [
        ("user", [text("a")]),
        ("assistant", [text("b")]),
        ("user", [text("<system>\nMind the tests.\n</system>"), text("c")]),
        ("assistant", [text("d")]),
        ("user", [text("e")]),
    ]
    assert "warning" not in response.headers


async def test_images_and_files(server: Live) -> None:
    note = base64.b64encode("Grüße\n".encode()).decode()
    parts = [
        {"type": "input_text", "text": "<image 1>"},
        IMAGE,
        {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
        {"type": "input_file", "file_data": note},
    ]
    await respond(server, message("user", *parts))
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Grüße\n"}}
    blocks = [text("<image 1>"), block(SMALL), {**block(PDF, "application/pdf"), "title": "a.pdf"}, document]
    assert seen(server) == [("user", blocks)]


@pytest.mark.parametrize("given", ["", [], None, [message("user")], [{"role": "user", "content": ""}]])
async def test_a_warm_up_is_answered(server: Live, given: Any) -> None:
    """Codex on LM Studio's port sends an empty input with a limit of one token."""
    body = {"model": MODEL, "input": given, "max_output_tokens": 1}
    response = await server.http().post("/v1/responses", json=body)
    assert response.status_code == 200, response.text
    assert server.sent().body["max_tokens"] == 1


async def test_compaction(server: Live) -> None:
    """The trigger asks for a summary, and the item that comes of it goes back to the model as text."""
    server.simulator.script(Text("We said hello."))
    past = [message("user", "Hello"), message("assistant", "Hi")]
    response = await respond(server, *past, {"type": "compaction_trigger"}, tools=[SHELL])
    [item] = response.json()["output"]
    assert item["type"] == "compaction"
    assert "hello" not in item["encrypted_content"]
    assert seen(server)[-1] == ("user", [text(INSTRUCTION)])
    assert server.sent().body["tool_choice"] == {"type": "none"}
    foreign = {"type": "compaction", "encrypted_content": "gAAAA"}
    response = await respond(server, foreign, item, message("user", "Go on"))
    [(role, [summary, asked])] = seen(server)
    assert (role, asked) == ("user", text("Go on"))
    assert summary["text"].endswith("We said hello.")
    assert "compaction that this server did not seal" in response.headers["warning"]


async def test_parameters(server: Live) -> None:
    properties = {"a": {"type": "string"}}
    schema = {"type": "object", "properties": properties, "required": ["a"], "additionalProperties": False}
    server.simulator.script(Text('{"a": "b"}'))
    response = await respond(
        server,
        {"role": "user", "content": "a"},
        text={"format": {"type": "json_schema", "name": "x", "strict": True, "schema": schema}, "verbosity": "low"},
        reasoning={"effort": "xhigh", "summary": "auto"},
        max_output_tokens=500,
        temperature=0.5,
        prompt_cache_key="thread",
        client_metadata={"a": "b"},
    )
    body = server.sent().body
    assert body["output_config"]["format"]["schema"]["properties"] == properties
    assert (body["output_config"]["effort"], body["max_tokens"]) == ("xhigh", 500)
    warning = response.headers["warning"]
    assert "text.verbosity" in warning
    assert "temperature" in warning
    assert "client_metadata" not in warning
    assert response.headers["x-session-id"] != "thread"


@pytest.mark.parametrize(
    ("choice", "tools", "sent"),
    [
        ("none", ["shell", "exec", "web_search"], {"type": "none"}),
        ("auto", ["shell", "exec", "web_search"], {"type": "auto", "disable_parallel_tool_use": True}),
        ({"type": "custom", "name": "exec"}, ["exec"], {"type": "auto", "disable_parallel_tool_use": True}),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "shell"}]},
            ["shell"],
            {"type": "auto", "disable_parallel_tool_use": True},
        ),
    ],
)
async def test_tool_choice(server: Live, choice: Any, tools: list[str], sent: Any) -> None:
    given = [SHELL, EXEC, {"type": "web_search"}, {"type": "image_generation"}]
    items = [
        message("user", "Go"),
        {"type": "image_generation_call", "id": "ig_1", "result": "x", "status": "completed"},
    ]
    response = await respond(server, *items, tools=given, tool_choice=choice, parallel_tool_calls=False)
    assert [tool["name"] for tool in client_tools(server.sent())] == tools
    assert server.sent().body["tool_choice"] == sent
    assert "image_generation run at OpenAI" in response.headers["warning"]
    assert "image_generation_call" in response.headers["warning"]
