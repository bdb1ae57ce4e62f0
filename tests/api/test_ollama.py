"""Ollama's two endpoints over HTTP, read by Ollama's own package."""

import json
from typing import Any

import httpx2
import ollama
import pytest

from server.api.exchange.stream_writer import Pace
from server.core.errors import Overloaded, PlanLimitReached, Stopping
from tests.api.conftest import KEY, Serve, Served
from tests.scripted_backend import Gate, answer, begin, end, text, thinking

HELLO = [{"role": "user", "content": "Hello"}]


def client(server: Served, key: str = KEY) -> ollama.AsyncClient:
    """Ollama's client, with the key in a header as its documentation shows."""
    made = ollama.AsyncClient(host=server.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False)
    server.stack.push_async_callback(made._client.aclose)
    return made


def lines(response: httpx2.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in response.text.splitlines()]


async def test_a_whole_chat(server: Served) -> None:
    server.backend.script(begin(), thinking("Hm."), text("Hello ", "there.", index=1), end())
    got = await client(server).chat("opus", HELLO)
    assert (got.message.role, got.message.content, got.message.thinking) == ("assistant", "Hello there.", "Hm.")
    assert (got.model, got.done, got.done_reason) == ("opus", True, "stop")
    assert (got.total_duration or 0) > 0
    assert server.backend.requests[0].model == "opus"
    [ended] = await server.finished()
    assert (ended.record.endpoint, ended.record.status) == ("/api/chat", "ok")


async def test_a_streamed_chat(server: Served) -> None:
    server.backend.script(begin(), thinking("Hm."), text("Hello ", "there.", index=1), end())
    parts = [part async for part in await client(server).chat("opus", HELLO, stream=True)]
    assert [part.message.thinking for part in parts] == ["Hm.", None, None, None]
    assert [part.message.content for part in parts] == ["", "Hello ", "there.", ""]
    assert [part.done for part in parts] == [False, False, False, True]
    assert parts[-1].done_reason == "stop"


async def test_streaming_is_the_default_and_needs_no_content_type(server: Served) -> None:
    server.backend.script(answer("Hi"))
    body = json.dumps({"model": "opus:latest", "messages": HELLO}).encode()
    response = await server.http.post("/api/chat", content=body)
    assert response.headers["content-type"] == "application/x-ndjson"
    first, last = lines(response)
    assert (first["message"], first["done"]) == ({"role": "assistant", "content": "Hi"}, False)
    assert (last["message"], last["done"]) == ({"role": "assistant", "content": ""}, True)
    assert server.backend.requests[0].model == "opus"


async def test_generate(server: Served) -> None:
    server.backend.script(begin(), thinking("Hm."), text("Hi.", index=1), end())
    server.backend.script(answer("Hi ", "there"))
    whole = await client(server).generate("opus", "Hello", system="Be brief.")
    assert (whole.response, whole.thinking, whole.done_reason) == ("Hi.", "Hm.", "stop")
    parts = [part async for part in await client(server).generate("opus", "Hello", stream=True)]
    assert [part.response for part in parts] == ["Hi ", "there", ""]
    asked = server.backend.requests[0]
    assert (asked.system, asked.messages[0]["content"]) == (["Be brief."], [{"type": "text", "text": "Hello"}])


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/api/chat", {"model": "opus"}, "load"),
        ("/api/chat", {"model": "opus", "messages": []}, "load"),
        ("/api/chat", {"model": "opus", "messages": [], "keep_alive": 0}, "unload"),
        ("/api/generate", {"model": "opus"}, "load"),
        ("/api/generate", {"model": "opus", "prompt": "", "keep_alive": "5m"}, "load"),
        ("/api/generate", {"model": "opus", "prompt": "", "keep_alive": "0s"}, "unload"),
        ("/api/generate", {"model": "opus", "keep_alive": -1}, "load"),
    ],
)
async def test_loading_calls_no_model(server: Served, path: str, body: dict[str, Any], reason: str) -> None:
    got = (await server.http.post(path, json=body)).json()
    assert (got["model"], got["done"], got["done_reason"]) == ("opus", True, reason)
    assert server.backend.requests == []


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/api/chat", {"model": "llama3", "messages": HELLO}, 404, "model not found"),
        ("/api/generate", {"model": "llama3"}, 404, "'llama3'"),
        ("/api/chat", {"model": "opus", "messages": [{"role": "king", "content": "x"}]}, 400, "messages[0].role"),
        ("/api/chat", {"model": "opus", "messages": HELLO, "think": "a lot"}, 400, "`think`"),
        ("/api/chat", {"model": "opus", "messages": HELLO, "format": "xml"}, 400, "`format`"),
        ("/api/blobs/sha256:00", {}, 404, "nothing at /api/blobs"),
        ("/somewhere/api/tags", {}, 404, "nothing at /somewhere/api/tags"),
    ],
)
async def test_errors_are_strings(server: Served, path: str, body: dict[str, Any], status: int, words: str) -> None:
    response = await server.http.post(path, json=body)
    assert (response.status_code, list(response.json())) == (status, ["error"])
    assert words in response.json()["error"]


async def test_the_guards_speak_ollama_too(server: Served) -> None:
    wrong = await server.http.post("/api/chat", json={}, headers={"authorization": "Bearer wrong"})
    assert (wrong.status_code, list(wrong.json())) == (401, ["error"])
    page = await server.http.post("/api/show", json={}, headers={"origin": "http://evil.example"})
    assert (page.status_code, list(page.json())) == (403, ["error"])


async def test_this_server_s_own_paths_keep_their_form(server: Served) -> None:
    for path in ("/api/sessions/none", "/api/requests/none"):
        assert (await server.http.get(path)).json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("error", "status"), [(PlanLimitReached("Used up.", retry_after=60), 429), (Overloaded("Busy."), 503)]
)
async def test_an_error_before_the_first_event(server: Served, error: Exception, status: int) -> None:
    server.backend.script(error)
    stream = await client(server).chat("opus", HELLO, stream=True)
    with pytest.raises(ollama.ResponseError, match=str(error)) as raised:
        await anext(stream)
    assert raised.value.status_code == status


async def test_an_error_in_a_stream_ends_it_without_done(server: Served) -> None:
    gate = Gate()
    server.backend.script(begin(), text("Hi"), gate, Stopping("The server is stopping."))
    parts = []

    async def read() -> None:
        async for part in await client(server).chat("opus", HELLO, stream=True):
            parts.append(part)
            gate.open()

    with pytest.raises(ollama.ResponseError, match="The server is stopping"):
        await read()
    assert [part.done for part in parts] == [False]


async def test_a_silent_stream_is_kept_open_by_empty_lines(serve: Serve) -> None:
    server = await serve(pace=Pace(commit_after=0.01, ping_every=0.01))
    gate = Gate()
    server.backend.script(gate, answer("Hi"))
    contents = []
    async for part in await client(server).chat("opus", HELLO, stream=True):
        contents.append(part.message.content)
        if len(contents) == 3:
            gate.open()
    assert contents[:3] == ["", "", ""]
    assert "".join(filter(None, contents)) == "Hi"


async def test_a_base_url_with_v1(server: Served) -> None:
    server.backend.script(answer("Hi"))
    response = await server.http.post("/v1/api/chat", json={"model": "opus", "messages": HELLO, "stream": False})
    assert response.json()["message"]["content"] == "Hi"


async def test_a_hole_is_filled_in(server: Served) -> None:
    server.backend.script(answer("<fill-in>a, ", "b</fill-in>"))
    whole = await client(server).generate("opus", "def f(", suffix="):", options={"num_predict": 64})
    assert (whole.response, whole.done_reason) == ("a, b", "stop")
    server.backend.script(answer("<fill-in>a, ", "b</fill-in>"))
    prompt = "<fim_prefix>def f(<fim_suffix>):<fim_middle>"
    parts = [part async for part in await client(server).generate("opus", prompt, raw=True, stream=True)]
    assert "".join(part.response or "" for part in parts) == "a, b"
    assert parts[-1].done_reason == "stop"


async def test_a_stop_of_white_space_ends_the_answer(server: Served) -> None:
    server.backend.script(answer("one\n", "two"))
    whole = await client(server).chat("opus", HELLO, options={"stop": ["\n"]})
    assert (whole.message.content, whole.done_reason) == ("one", "stop")


async def test_another_model_of_a_chain_is_named(serve: Serve) -> None:
    server = await serve(aliases={"best": "opus > sonnet"})
    for stream in (False, True):
        server.backend.script(Overloaded("Busy."))
        server.backend.script(answer("Hi"))
        response = await server.http.post("/api/chat", json={"model": "best", "messages": HELLO, "stream": stream})
        assert {line["model"] for line in lines(response)} == {"sonnet"}
