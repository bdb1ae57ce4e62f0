"""The API backend on a real socket."""

import logging
import socket

import httpx2
import pytest

from server import __version__
from server.backends.anthropic_api import AnthropicApiBackend
from server.backends.anthropic_api import backend as api
from server.core.errors import (
    ApiKeyRefused,
    DragomanError,
    Overloaded,
    PlanLimitReached,
    SetupError,
    Stopping,
    UpstreamFailed,
)
from server.secrets import KeyStore
from server.secrets.anthropic_key import ANTHROPIC_API_KEY
from server.secrets.storage import MemoryStorage
from tests.asking import ask, assistant, fold, text, tool, user, words
from tests.backends.anthropic_api.conftest import KEY
from tests.simulator import (
    FIRST_DELTA,
    CitedText,
    Cut,
    Gate,
    HttpError,
    Ping,
    Raw,
    ServerToolResult,
    ServerToolUse,
    StreamError,
    Text,
    Thinking,
    ToolUse,
    client_system,
    conversation,
)

PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}


async def test_an_answer(backend, simulator):
    simulator.script([Ping(), Text("Hello there, friend", usage={"input_tokens": 7})])
    whole = await fold(backend.stream(ask("Hi", system=["Be brief."])))
    assert words(whole) == "Hello there, friend"
    assert whole.message["stop_reason"] == "end_turn"
    assert whole.usage["input_tokens"] == 7
    (call,) = simulator.messages_calls
    assert conversation(call) == [("user", [text("Hi")])]
    assert client_system(call) == "Be brief."


async def test_who_asks_and_with_what(backend, simulator, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-the-clis-own")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "the-clis-own")
    await fold(backend.stream(ask("Hi")))
    await backend.count_tokens(ask("Hi"))
    for call in simulator.requests:
        assert call.headers["x-api-key"] == KEY
        assert call.headers["anthropic-version"] == "2023-06-01"
        assert call.headers["user-agent"] == f"dragoman/{__version__}"
        assert "authorization" not in call.headers


async def test_thinking_tools_and_images_come_and_go(backend, simulator):
    simulator.script([Thinking("Let me look."), ToolUse("look", {"at": "sea"}), ToolUse("look", {"at": "sky"})])
    question = user("What is it?", PNG)
    whole = await fold(backend.stream(ask(question, tools=[tool("look", at={"type": "string"})])))
    assert [block["type"] for block in whole.content] == ["thinking", "tool_use", "tool_use"]
    assert whole.content[0]["thinking"] == "Let me look."
    assert [block["input"] for block in whole.content[1:]] == [{"at": "sea"}, {"at": "sky"}]
    results = [{"type": "tool_result", "tool_use_id": block["id"], "content": [PNG]} for block in whole.content[1:]]
    turns = [question, assistant(*whole.content), user(*results)]
    await fold(backend.stream(ask(*turns, tools=[tool("look", at={"type": "string"})])))
    assert conversation(simulator.messages_calls[1]) == [(turn["role"], turn["content"]) for turn in turns]


SEARCH = {"type": "web_search_20250305", "name": "web_search"}


async def test_a_search_comes_and_goes(backend, simulator):
    simulator.script([ServerToolUse(), ServerToolResult(), CitedText("Cats sleep.")])
    whole = await fold(backend.stream(ask("Cats?", tools=[SEARCH], betas=["new-2026-01-01"])))
    assert [block["type"] for block in whole.content] == ["server_tool_use", "web_search_tool_result", "text"]
    assert whole.usage["server_tool_use"]["web_search_requests"] == 1
    turns = [user("Cats?"), assistant(*whole.content), user("On")]
    await fold(backend.stream(ask(*turns, tools=[SEARCH])))
    first, second = simulator.messages_calls
    assert first.headers["anthropic-beta"] == "new-2026-01-01"
    assert conversation(second) == [(turn["role"], turn["content"]) for turn in turns]


async def test_a_search_that_the_key_may_not_use_is_left_out(backend, simulator):
    refused = HttpError(403, message="web_search is not permitted for this organization")
    simulator.script(refused, lambda call: any("type" in one for one in call.body.get("tools", ())))
    request = ask("Hi", tools=[SEARCH, tool("look")], optional_tools=frozenset({"web_search"}))
    for _ in range(2):
        events = [event async for event in backend.stream(request)]
        assert "web_search is refused" in events[0]["warnings"][0]
    assert [call.status for call in simulator.messages_calls] == [403, 200, 200]


async def test_a_prefill_is_native(backend, simulator):
    request = ask("Count.", assistant("1, 2,"), model="claude-haiku-4-5", thinking={"type": "disabled"})
    simulator.script(Text(" 3"))
    assert words(await fold(backend.stream(request))) == " 3"
    assert conversation(simulator.messages_calls[0])[-1] == ("assistant", [text("1, 2,")])


async def test_short_names_are_full_ones_to_the_api(backend, simulator):
    for name in ("opus", "default", "claude-sonnet-4-5"):
        await fold(backend.stream(ask("Hi", model=name)))
    models = [call.model for call in simulator.messages_calls]
    assert models == ["claude-opus-5-5", "claude-opus-5-5", "claude-sonnet-4-5"]


async def test_requests_share_a_connection(backend, caplog, monkeypatch):
    # Long enough for a busy computer to send the end, or the next request.
    monkeypatch.setattr(api, "_END_SECONDS", 60.0)
    monkeypatch.setattr(api, "_LIMITS", httpx2.Limits(keepalive_expiry=60.0))
    caplog.set_level(logging.DEBUG, logger="httpcore2")
    for _ in range(3):
        await fold(backend.stream(ask("Hi")))
    assert caplog.text.count("connect_tcp.complete") == 1


async def test_an_error_of_the_api_is_asked_once(backend, simulator):
    simulator.script(HttpError(429, retry_after=17))
    with pytest.raises(PlanLimitReached) as caught:
        await fold(backend.stream(ask("Hi")))
    assert caught.value.retry_after == 17
    assert len(simulator.messages_calls) == 1
    assert words(await fold(backend.stream(ask("Hi")))) == "You said: Hi"


@pytest.mark.parametrize("cut", [Cut(), Raw([])], ids=["aborted", "empty"])
async def test_a_connection_cut_before_the_first_event_is_tried_once_more(backend, simulator, cut):
    simulator.script(cut)
    assert words(await fold(backend.stream(ask("Hi")))) == "You said: Hi"
    assert len(simulator.messages_calls) == 2


async def test_a_connection_cut_twice_is_an_error(backend, simulator):
    simulator.script(Cut(), times=2)
    with pytest.raises(UpstreamFailed, match="was cut"):
        await fold(backend.stream(ask("Hi")))
    assert len(simulator.messages_calls) == 2


@pytest.mark.parametrize(
    ("ending", "kind"), [(Cut(after_events=5), UpstreamFailed), (StreamError(after_events=5), Overloaded)]
)
async def test_a_stream_that_breaks_is_not_begun_again(backend, simulator, ending, kind):
    gate = Gate(after_events=FIRST_DELTA)
    simulator.script([Text("one two three", chunks=3), gate, ending])
    seen = []

    async def read():
        async for event in backend.stream(ask("Hi")):
            seen.append(event["type"])
            if event["type"] == "content_block_delta":
                gate.open()

    with pytest.raises(kind):
        await read()
    assert seen.count("message_start") == 1
    assert "message_stop" not in seen
    assert len(simulator.messages_calls) == 1


async def test_a_stream_that_ends_early_is_cut(backend, simulator):
    simulator.script(Raw([{"type": "message_start", "message": {"id": "msg_1"}}]))
    with pytest.raises(UpstreamFailed, match="was cut"):
        await fold(backend.stream(ask("Hi")))
    assert len(simulator.messages_calls) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Raw([b"event: message_start\ndata: {\n\n"]),
        Raw([b"data: [1]\n\n"]),
        HttpError(200, message="JSON where a stream should be"),
        HttpError(307, headers={"location": "https://elsewhere.example/"}),
    ],
    ids=["no JSON", "no object", "no stream", "a redirect"],
)
async def test_answers_that_make_no_sense(backend, simulator, reply):
    simulator.script(reply, when=lambda recorded: True)
    with pytest.raises(UpstreamFailed):
        await fold(backend.stream(ask("Hi")))
    assert len(simulator.messages_calls) == 1


async def test_a_reader_that_leaves_ends_the_work(backend, simulator):
    simulator.script([Text("one two"), Gate(after_events=FIRST_DELTA)])
    events = backend.stream(ask("Hi"))
    assert (await anext(events))["type"] == "message_start"
    await events.aclose()
    await simulator.await_calls(lambda calls: calls[-1].disconnected)


async def test_nobody_listens(key_store):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        backend = AnthropicApiBackend(f"http://127.0.0.1:{unused.getsockname()[1]}", key_store)
        for work in (fold(backend.stream(ask("Hi"))), backend.count_tokens(ask("Hi"))):
            with pytest.raises(UpstreamFailed, match="cannot be reached") as caught:
                await work
            assert "anthropic_base_url" in caught.value.hint
        await backend.stop()


async def test_counts(backend, simulator):
    thinking = {"type": "enabled", "budget_tokens": 2000}
    request = ask("Hello " * 500, model="claude-haiku-4-5", tools=[tool("look")], thinking=thinking)
    assert await backend.count_tokens(request) > 500
    (call,) = simulator.requests
    assert call.path == "/v1/messages/count_tokens"
    assert call.body["tools"] == [tool("look")]


async def test_a_count_that_is_refused(backend):
    with pytest.raises(DragomanError, match="claude-of-nowhere"):
        await backend.count_tokens(ask("Hi", model="claude-of-nowhere"))


@pytest.mark.parametrize("stored", [None, "", "sk-ant-broken\nx-evil: 1", "sk-ant-ünusual"])
async def test_without_a_key_that_can_be_sent_nothing_is_sent(simulator, stored):
    store = KeyStore(MemoryStorage())
    await store.set(ANTHROPIC_API_KEY, stored)
    backend = AnthropicApiBackend(simulator.url, store)
    for work in (fold(backend.stream(ask("Hi"))), backend.count_tokens(ask("Hi"))):
        with pytest.raises(ApiKeyRefused, match="key --anthropic") as caught:
            await work
        assert not stored or stored not in str(caught.value)
    assert simulator.requests == []


class LockedStorage(MemoryStorage):
    """Secret storage that cannot be read."""

    async def get(self, name):
        raise SetupError("It is locked.")


async def test_a_place_for_secrets_that_cannot_be_read_is_empty(simulator):
    backend = AnthropicApiBackend(simulator.url, KeyStore(LockedStorage()))
    await backend.start()
    assert not await backend.has_key()
    assert not backend.status().ready
    with pytest.raises(ApiKeyRefused, match="locked"):
        await fold(backend.stream(ask("Hi")))


async def test_its_status_follows_the_key(backend, key_store):
    assert backend.status().ready
    assert KEY not in repr(backend.status())
    await key_store.set(ANTHROPIC_API_KEY, None)
    assert not backend.status().ready
    assert not await backend.has_key()


async def test_after_the_stop_nothing_is_sent(backend, simulator):
    await fold(backend.stream(ask("Hi")))
    await backend.stop()
    with pytest.raises(Stopping):
        await fold(backend.stream(ask("Hi")))
    assert len(simulator.messages_calls) == 1
