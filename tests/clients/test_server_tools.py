"""Tools that Anthropic runs, through the real CLI: what arrives, what comes back, and how the conversation goes on."""

from typing import Any

import openai
import psutil
import pytest

from tests.clients.live import Live, Serve, gone
from tests.simulator import (
    CitedText,
    HttpError,
    Recorded,
    Reply,
    ServerToolResult,
    ServerToolUse,
    Simulator,
    Stop,
    Text,
    ToolUse,
    client_tools,
    conversation,
)
from tests.simulator.replies import CITED, FOUND

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-opus-5-5"
SEARCH: dict[str, Any] = {
    "type": "web_search_20250305",
    "name": "web_search",
    "max_uses": 3,
    "allowed_domains": ["example.com"],
    "user_location": {"type": "approximate", "city": "Berlin", "country": "DE", "timezone": "Europe/Berlin"},
}
LOOK = {"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}
SEARCHED = [Text("Let me see."), ServerToolUse(), ServerToolResult(), CitedText("Cats sleep a lot."), Text(" Always.")]
BLOCKS: list[dict[str, Any]] = [
    {"type": "text", "text": "Let me see."},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "cats"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [FOUND]},
    {"type": "text", "text": "Cats sleep a lot.", "citations": [CITED]},
    {"type": "text", "text": " Always."},
]


def user(words: str) -> dict[str, Any]:
    return {"role": "user", "content": words}


def asked(messages: list[Any], **parameters: Any) -> dict[str, Any]:
    return {"model": MODEL, "max_tokens": 2000, "messages": messages, "tools": [SEARCH], **parameters}


def sent_answer(server: Live, at: int = 1) -> list[dict[str, Any]]:
    """The blocks of an earlier answer as they reached the API, last call."""
    role, blocks = conversation(server.sent())[at]
    assert role == "assistant"
    return blocks


def has_tools(recorded: Recorded) -> bool:
    return bool(recorded.body.get("tools"))


async def kill_processes(server: Live) -> None:
    """End every CLI process, so that the next turn needs a fresh one."""
    pids = server.pids()
    for pid in pids:
        psutil.Process(pid).kill()
    await gone(pids)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_search_arrives_and_comes_back(server: Live, stream: bool) -> None:
    server.simulator.script(SEARCHED)
    client = server.anthropic()
    if stream:
        async with client.messages.stream(**asked([user(f"cats {stream}")])) as events:
            message = await events.get_final_message()
    else:
        message = await client.messages.create(**asked([user(f"cats {stream}")]))
    assert client_tools(server.sent()) == [SEARCH]
    assert [block.to_dict() for block in message.content] == BLOCKS
    assert message.stop_reason == "end_turn"
    assert message.usage.server_tool_use is not None
    assert message.usage.server_tool_use.web_search_requests == 1


@pytest.mark.parametrize("live", [True, False])
async def test_the_next_turn_has_the_search(server: Live, live: bool) -> None:
    server.simulator.script(SEARCHED)
    client = server.anthropic()
    messages: list[Any] = [user(f"cats, and then {live}")]
    answer = await client.messages.create(**asked(messages))
    before = server.pids("idle")
    if not live:
        await kill_processes(server)
    await client.messages.create(**asked([*messages, {"role": "assistant", "content": answer.content}, user("On")]))
    assert sent_answer(server) == BLOCKS
    assert bool(before & server.pids("idle")) is live


async def test_beside_the_clients_own_tools(server: Live) -> None:
    server.simulator.script([*SEARCHED, ToolUse("look", id="toolu_1")])
    client = server.anthropic()
    messages: list[Any] = [user("cats and look")]
    tools = [LOOK, SEARCH]
    answer = await client.messages.create(**asked(messages, tools=tools))
    assert client_tools(server.sent()) == tools
    assert answer.stop_reason == "tool_use"
    holding = server.pids("holding")
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "seen"}
    messages += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    server.simulator.script(Text("Done."))
    last = await client.messages.create(**asked(messages, tools=tools))
    assert last.content[0].to_dict() == {"type": "text", "text": "Done."}
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    assert sent_answer(server) == [*BLOCKS, call]
    assert holding & server.pids("idle") == holding


NATIVE_TOOLS = [
    {"type": "web_fetch_20250910", "name": "web_fetch", "max_content_tokens": 900, "citations": {"enabled": True}},
    {"type": "code_execution_20250825", "name": "code_execution"},
    {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"},
    {"type": "web_search_20260209", "name": "web_search", "blocked_domains": ["example.org"]},
]


async def test_other_server_tools_arrive_unchanged(server: Live) -> None:
    deferred = {**LOOK, "defer_loading": True, "allowed_callers": ["direct", "code_execution_20250825"], "strict": True}
    await server.anthropic().messages.create(**asked([user("all of them")], tools=[*NATIVE_TOOLS, deferred]))
    assert client_tools(server.sent()) == [*NATIVE_TOOLS, deferred]


EXECUTED = [
    ServerToolUse("bash_code_execution", {"command": "ls"}, id="srvtoolu_7"),
    ServerToolResult(
        "srvtoolu_7",
        "bash_code_execution_tool_result",
        {"type": "bash_code_execution_result", "stdout": "a", "stderr": "", "return_code": 0, "content": []},
    ),
    Text("There is a."),
]
CONTAINER = {"id": "container_1", "expires_at": "2026-12-01T00:00:00Z"}


async def test_code_execution_keeps_its_container(server: Live) -> None:
    server.simulator.script(Reply(EXECUTED, container=CONTAINER))
    client = server.anthropic()
    tools = [NATIVE_TOOLS[1]]
    messages: list[Any] = [user("ls")]
    answer = await client.messages.create(**asked(messages, tools=tools))
    assert answer.container is not None
    assert answer.container.id == "container_1"
    messages += [{"role": "assistant", "content": answer.content}, user("Again")]
    await client.messages.create(**asked(messages, tools=tools, container="container_1"))
    assert server.sent().body["container"] == "container_1"
    assert [block["type"] for block in sent_answer(server)] == [
        "server_tool_use",
        "bash_code_execution_tool_result",
        "text",
    ]


async def test_a_paused_answer_is_continued(server: Live) -> None:
    pending = ServerToolUse(id="srvtoolu_9")
    server.simulator.script([Text("Let me see."), pending, Stop("pause_turn")])
    client = server.anthropic()
    messages: list[Any] = [user("cats for long")]
    answer = await client.messages.create(**asked(messages))
    assert answer.stop_reason == "pause_turn"
    calls = len(server.simulator.messages_calls)
    server.simulator.script([ServerToolResult("srvtoolu_9"), Text("Found.")])
    messages.append({"role": "assistant", "content": answer.content})
    last = await client.messages.create(**asked(messages))
    assert [block.type for block in last.content] == ["web_search_tool_result", "text"]
    assert len(server.simulator.messages_calls) == calls + 1
    assert conversation(server.sent())[-1] == ("assistant", [block.to_dict() for block in answer.content])


@pytest.mark.parametrize("kind", ["bash_20250124", "text_editor_20250728", "memory_20250818"])
async def test_tools_that_anthropic_defines_and_the_client_runs(server: Live, kind: str) -> None:
    name = {"text_editor_20250728": "str_replace_based_edit_tool"}.get(kind, kind.rsplit("_", 1)[0])
    tools = [{"type": kind, "name": name}, LOOK]
    server.simulator.script(ToolUse(name, {"command": "ls"}, id="toolu_1"))
    client = server.anthropic()
    messages: list[Any] = [user(f"use {kind}")]
    answer = await client.messages.create(**asked(messages, tools=tools))
    assert client_tools(server.sent()) == tools
    assert [(block.type, getattr(block, "name", None)) for block in answer.content] == [("tool_use", name)]
    calls = len(server.simulator.messages_calls)
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "seen"}
    messages += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    last = await client.messages.create(**asked(messages, tools=tools))
    assert last.content[0].to_dict() == {"type": "text", "text": "The tool said: seen"}
    assert len(server.simulator.messages_calls) == calls + 1
    assert sent_answer(server)[0] == {"type": "tool_use", "id": "toolu_1", "name": name, "input": {"command": "ls"}}


async def test_a_call_by_a_program_keeps_its_caller(server: Live) -> None:
    caller = {"type": "code_execution_20250825", "tool_id": "srvtoolu_1"}
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}, "caller": caller}
    execution = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "look()"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "seen"}]}
    messages: list[Any] = [
        user("look by program"),
        {"role": "assistant", "content": [execution, call]},
        {"role": "user", "content": [result]},
    ]
    tools = [NATIVE_TOOLS[1], {**LOOK, "allowed_callers": ["code_execution_20250825"]}]
    await server.anthropic().messages.create(**asked(messages, tools=tools))
    assert sent_answer(server) == [execution, call]


async def test_a_refusal_is_told_in_words(server: Live) -> None:
    server.simulator.script(HttpError(400, message="web_search is not enabled for this organization"), has_tools)
    raw = await server.http().post("/v1/messages", json=asked([user("cats, please")]))
    assert raw.status_code == 400
    assert "web_search is not enabled for this organization" in raw.json()["error"]["message"]


PASSED = {
    "metadata": {"user_id": "somebody"},
    "service_tier": "standard_only",
    "inference_geo": "us",
    "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
}


async def test_parameters_and_betas_arrive(server: Live) -> None:
    thinking = {"type": "adaptive", "display": "omitted"}
    raw = await server.anthropic().beta.messages.with_raw_response.create(
        **asked([user("parameters")], thinking=thinking, betas=["context-management-2025-06-27", "new-2026-01-01"]),
        **PASSED,
        user_profile_id="profile_1",
    )
    call = server.sent()
    assert {name: call.body[name] for name in PASSED} == PASSED
    assert call.body["thinking"] == thinking
    assert call.headers["anthropic-user-profile-id"] == "profile_1"
    betas = call.headers["anthropic-beta"].split(",")
    assert {"new-2026-01-01", "context-management-2025-06-27"} <= set(betas)
    assert len(betas) == len(set(betas)), "one that Claude Code asks for itself was sent twice"
    assert "warning" not in raw.headers
    # They are this request's alone.
    await server.anthropic().messages.create(**asked([user("parameters again")]))
    call = server.sent()
    assert "new-2026-01-01" not in call.headers["anthropic-beta"]
    assert not {"service_tier", "inference_geo"} & call.body.keys()


LOCATION = {"type": "approximate", "approximate": {"city": "Berlin", "country": "DE"}}
OPTIONS: dict[str, Any] = {"search_context_size": "low", "user_location": LOCATION}
ANNOTATION = {
    "type": "url_citation",
    "url_citation": {"url": CITED["url"], "title": CITED["title"], "start_index": 11, "end_index": 28},
}
CHAT_TOOL: Any = {"type": "function", "function": {"name": "look", "parameters": LOOK["input_schema"]}}


async def test_a_chat_completion_searches(server: Live) -> None:
    server.simulator.script(SEARCHED)
    raw = await server.openai().chat.completions.with_raw_response.create(
        model=MODEL, messages=[{"role": "user", "content": "cats in chat"}], web_search_options=OPTIONS
    )
    assert client_tools(server.sent()) == [
        {
            "type": "web_search_20250305",
            "name": "web_search",
            "max_uses": 2,
            "user_location": {"type": "approximate", "city": "Berlin", "country": "DE"},
        }
    ]
    assert "warning" not in raw.headers
    message = raw.parse().choices[0].message
    assert message.content == "Let me see.Cats sleep a lot. Always."
    assert message.annotations is not None
    assert [one.to_dict() for one in message.annotations] == [ANNOTATION]
    cited = message.annotations[0].url_citation
    assert message.content[cited.start_index : cited.end_index] == "Cats sleep a lot."


async def test_a_streamed_chat_completion_searches(server: Live) -> None:
    server.simulator.script(SEARCHED)
    stream = await server.openai().chat.completions.create(
        model="gpt-4o-search-preview", messages=[{"role": "user", "content": "cats in a stream"}], stream=True
    )
    deltas = [choice.delta.to_dict() async for chunk in stream for choice in chunk.choices]
    assert "".join(str(delta.get("content") or "") for delta in deltas) == "Let me see.Cats sleep a lot. Always."
    assert [delta["annotations"] for delta in deltas if "annotations" in delta] == [[ANNOTATION]]
    assert not any(delta.get("tool_calls") for delta in deltas)
    assert [tool["name"] for tool in client_tools(server.sent())] == ["web_search"]


async def test_a_chat_that_searched_goes_on_in_its_process(server: Live) -> None:
    server.simulator.script(SEARCHED)
    create = server.openai().chat.completions.create
    messages: list[Any] = [{"role": "user", "content": "cats, to be continued"}]
    first = await create(model=MODEL, messages=messages, web_search_options={})
    before = server.pids("idle")
    messages += [first.choices[0].message.to_dict(), {"role": "user", "content": "On"}]
    await create(model=MODEL, messages=messages, web_search_options={})
    assert sent_answer(server) == BLOCKS
    assert before & server.pids("idle")
    # On a fresh process the model reads what the client kept: its words.
    await kill_processes(server)
    await create(model=MODEL, messages=messages, web_search_options={})
    assert sent_answer(server) == [{"type": "text", "text": "Let me see.Cats sleep a lot. Always."}]


async def test_a_paused_chat_is_continued_by_the_server(server: Live) -> None:
    server.simulator.script([Text("Let me see."), ServerToolUse(), Stop("pause_turn")])
    server.simulator.script([ServerToolResult(), CitedText("Cats sleep a lot.")])
    stream = await server.openai().chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "cats for very long"}],
        web_search_options={},
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == "Let me see.Cats sleep a lot."
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["stop"]
    assert [one for choice in choices for one in choice.delta.to_dict().get("annotations", ())] == [ANNOTATION]
    assert [block["type"] for block in conversation(server.sent())[-1][1]] == ["text", "server_tool_use"]
    calls = server.simulator.messages_calls[-2:]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens > max(len(call.raw) // 4 for call in calls)


REFUSED = HttpError(400, message="tools.1: web search is not available for this organization")


def offers_search(recorded: Recorded) -> bool:
    return "web_search" in [tool.get("name") for tool in recorded.body.get("tools") or ()]


async def test_a_refused_search_beside_tools_is_left_out(serve: Serve, simulator: Simulator) -> None:
    server = await serve()
    simulator.script(REFUSED, offers_search)
    create = server.openai().chat.completions.with_raw_response.create
    for words in ("first", "second"):
        calls = len(simulator.messages_calls)
        raw = await create(
            model=MODEL,
            messages=[{"role": "user", "content": f"Beside {words}"}],
            tools=[CHAT_TOOL],
            web_search_options={},
        )
        assert raw.parse().choices[0].message.content == f"You said: Beside {words}"
        assert "web_search is refused by the API" in raw.headers["warning"]
        tried = [offers_search(call) for call in simulator.messages_calls[calls:]]
        assert any(tried) is (words == "first"), "it was tried again"
        assert not tried[-1]


async def test_a_refused_search_that_is_all_is_told(server: Live) -> None:
    server.simulator.script(REFUSED, offers_search)
    with pytest.raises(openai.BadRequestError, match="web search is not available"):
        await server.openai().chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Only this"}], web_search_options={}
        )


FUNCTION: Any = {"type": "function", "name": "look", "parameters": LOOK["input_schema"]}
FLAT = {"type": "url_citation", **ANNOTATION["url_citation"], "start_index": 0, "end_index": 17}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_response_searches(server: Live, stream: bool) -> None:
    server.simulator.script(SEARCHED)
    client = server.openai()
    asked_for: Any = {
        "model": MODEL,
        "input": f"cats in a response {stream}",
        "tools": [{"type": "web_search", "filters": {"allowed_domains": ["example.com"]}}, FUNCTION],
        "include": ["web_search_call.action.sources"],
    }
    if stream:
        async with client.responses.stream(**asked_for) as events:
            response = await events.get_final_response()
    else:
        response = await client.responses.create(**asked_for)
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5, "allowed_domains": ["example.com"]}
    assert client_tools(server.sent())[0] == search
    said, searched, answered = (item.to_dict() for item in response.output)
    assert [item["type"] for item in (said, searched, answered)] == ["message", "web_search_call", "message"]
    assert searched["status"] == "completed"
    sources = [{"type": "url", "url": FOUND["url"]}]
    assert searched["action"] == {"type": "search", "query": "cats", "queries": ["cats"], "sources": sources}
    (part,) = answered["content"]  # type: ignore[misc]
    assert (part["text"], part["annotations"]) == ("Cats sleep a lot. Always.", [FLAT])  # type: ignore[index]


async def test_a_response_that_searched_goes_on_in_its_process(server: Live) -> None:
    server.simulator.script(SEARCHED)
    create = server.openai().responses.create
    tools: Any = [{"type": "web_search"}, FUNCTION]
    first = await create(model=MODEL, input="cats, and more in a response", tools=tools)
    before = server.pids("idle")
    await create(model=MODEL, input="On", tools=tools, previous_response_id=first.id)
    assert sent_answer(server) == BLOCKS
    assert before & server.pids("idle")


async def test_codex_goes_on_without_a_refused_search(serve: Serve, simulator: Simulator) -> None:
    server = await serve()
    simulator.script(REFUSED, offers_search)
    create = server.openai().responses.with_raw_response.create
    tools: Any = [FUNCTION, {"type": "web_search", "external_web_access": True}]
    for words in ("first", "second"):
        raw = await create(model=MODEL, input=f"Codex {words}", tools=tools)
        assert raw.parse().output_text == f"You said: Codex {words}"
        assert "web_search is refused by the API" in raw.headers["warning"]
    with pytest.raises(openai.BadRequestError, match="web search is not available"):
        await create(model=MODEL, input="Only this", tools=tools, tool_choice={"type": "web_search_preview"})
