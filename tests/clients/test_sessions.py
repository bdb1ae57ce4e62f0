"""Sessions by an explicit id, across a restart; and histories that are not kept are nowhere."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tests.cli.processes import serving
from tests.clients.live import Live, Serve
from tests.files import files_below
from tests.simulator import Hang, Simulator, client_system, conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-haiku-5-5"


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


async def chat(server: Live, words: str, **how: Any) -> str:
    """Send only what is new, to the session "mine"."""
    raw = await server.openai().chat.completions.with_raw_response.create(
        model=MODEL, messages=[{"role": "user", "content": words}], **how
    )
    assert raw.headers["x-session-id"] == "mine"
    return raw.parse().choices[0].message.content


async def message(server: Live, words: str, **how: Any) -> str:
    raw = await server.anthropic().messages.with_raw_response.create(
        model=MODEL, max_tokens=99, messages=[{"role": "user", "content": words}], **how
    )
    assert raw.headers["x-session-id"] == "mine"
    return (await raw.parse()).content[0].text


IN_HEADER = {"extra_headers": {"x-session-id": "mine"}}
IN_BODY = {"extra_body": {"session_id": "mine"}}


async def test_the_new_message_is_enough(serve: Serve) -> None:
    """In both dialects, by header and body, in the live process and after a restart."""
    server = await serve()
    await chat(server, "One", **IN_HEADER)
    await message(server, "Two", **IN_BODY)
    live = server.pids("idle")
    assert await message(server, "Three", **IN_HEADER) == "You said: Three"
    assert server.pids("idle") == live, "another process was used"
    await server.runtime.stop()
    await server.runtime.start()
    assert await chat(server, "Four", **IN_BODY) == "You said: Four"
    turns = [
        turn
        for words in ("One", "Two", "Three")
        for turn in (("user", [text(words)]), ("assistant", [text(f"You said: {words}")]))
    ]
    assert conversation(server.sent()) == [*turns, ("user", [text("Four")])]
    assert len(server.simulator.messages_calls) == 4


async def test_a_session_has_its_system_prompt_and_its_tools_calls(serve: Serve) -> None:
    server = await serve()
    look = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    create = server.openai().chat.completions.create
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "call look"}]
    first = await create(model=MODEL, messages=asked, tools=[look], **IN_HEADER)
    (call,) = first.choices[0].message.tool_calls
    await server.runtime.stop()
    await server.runtime.start()
    result = {"role": "tool", "tool_call_id": call.id, "content": "a cat"}
    history = [*asked, first.choices[0].message, result]
    create = Live(server.runtime, server.simulator, server.stack).openai().chat.completions.create
    answered = await create(model=MODEL, messages=history, tools=[look], **IN_HEADER)
    assert answered.choices[0].message.content == "The tool said: a cat"
    await create(model=MODEL, messages=[{"role": "user", "content": "And now?"}], tools=[look], **IN_HEADER)
    assert client_system(server.sent()) == "Be brief."
    assert [role for role, _ in conversation(server.sent())] == ["user", "assistant"] * 2 + ["user"]


async def test_search_list_and_delete(server: Live) -> None:
    http, client = server.http(), server.openai()
    for name, words in (("s1", "about Zebras"), ("s2", "about gnus")):
        await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": words}], extra_body={"session_id": name}
        )
    listed = (await http.get("/api/sessions")).json()
    assert [item["id"] for item in listed["items"][:2]] == ["s2", "s1"]
    found = (await http.get("/api/sessions", params={"search": "zebra"})).json()
    assert [item["id"] for item in found["items"]] == ["s1"]
    session = (await http.get("/api/sessions/s1")).json()
    assert [block["content"] for block in session["messages"]] == [
        [text("about Zebras")],
        [text("You said: about Zebras")],
    ]
    working = server.pids("idle")
    assert (await http.delete("/api/sessions/s1")).status_code == 200
    assert (await http.get("/api/sessions/s1")).status_code == 404
    assert len(server.pids("idle")) == len(working) - 1, "what was deleted is not kept in a process"
    assert (await http.get("/api/requests", params={"session_id": "s2"})).json()["total"] == 1


def on_disk(directory: Path, words: str) -> list[str]:
    """The files that hold these words."""
    return [str(path) for path, held in files_below(directory) if words.encode() in held]


@pytest.mark.parametrize("history", [True, False])
async def test_history_that_is_switched_off_leaves_nothing(serve: Serve, tmp_path: Path, history: bool) -> None:
    server = await serve(history=history)
    assert await chat(server, "Xylophone", **IN_HEADER) == "You said: Xylophone"
    assert (await server.http().get("/api/sessions")).json()["total"] == history
    assert (await server.http().get("/api/requests")).json()["total"] == history
    await chat(server, "Again", **IN_HEADER)
    assert len(conversation(server.sent())) == (3 if history else 1)
    await server.runtime.stop()
    assert bool(on_disk(tmp_path, "Xylophone")) is history


async def test_the_log_holds_no_prompts(simulator: Simulator, cli_path: Path, tmp_path: Path) -> None:
    """Nor answers, nor keys; but who asked, when, and what it took."""
    places = ("--data-dir", str(tmp_path / "data"), "--claude-path", str(cli_path), "--log-level", "debug")
    with serving(*places, DRAGOMAN_API_KEY="my-own-key", DRAGOMAN_HISTORY="false") as running:
        async with httpx2.AsyncClient(base_url=running.url, headers={"x-api-key": "my-own-key"}, timeout=60) as client:
            for words in ("Xylophone", 7):
                body = {
                    "model": MODEL,
                    "messages": [{"role": "user", "content": words}, {"role": "user", "content": "Zither"}],
                }
                answer = await client.post("/v1/chat/completions", json=body)
        assert answer.status_code == 400
        _, out, err = running.stop()
    log = (tmp_path / "data" / "logs" / "server.log").read_text()
    assert "request ended" in log
    assert MODEL in log
    for secret in ("Xylophone", "Zither", "You said", "my-own-key", "sk-ant-made-up"):
        assert secret not in log + out + err
        assert on_disk(tmp_path / "data", secret) == []


@pytest.mark.parametrize("left", [True, False])
async def test_a_repeat_while_the_first_runs_is_answered_at_once(serve: Serve, left: bool) -> None:
    """Send a retry as SDKs do after a timeout; a proxy may keep the first connection open."""
    server = await serve(queue_seconds=600)
    assert await chat(server, "One", **IN_HEADER) == "You said: One"
    server.simulator.script(Hang())
    first = asyncio.ensure_future(chat(server, "Two", **IN_HEADER))
    await server.simulator.await_calls(2)
    if left:
        first.cancel()
    assert await chat(server, "Two", **IN_HEADER) == "You said: Two"
    with pytest.raises(asyncio.CancelledError if left else openai.ConflictError):
        await first
    said = [("user", [text("One")]), ("assistant", [text("You said: One")]), ("user", [text("Two")])]
    assert conversation(server.sent()) == said
    assert len(server.simulator.messages_calls) == 3
    assert await message(server, "Three", **IN_BODY) == "You said: Three"
    said += [("assistant", [text("You said: Two")]), ("user", [text("Three")])]
    assert conversation(server.sent()) == said, "something was kept twice, or of the first"
