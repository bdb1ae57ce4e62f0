"""LM Studio's lists, and OpenAI's answers with its statistics."""

from typing import Any

import openai
import pytest

from server.models import capabilities_of
from tests.api.conftest import KEY, Served
from tests.openai_schema import validate
from tests.scripted_backend import answer

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
WINDOW = capabilities_of("claude-opus-5-5").context_window


def client(server: Served) -> openai.AsyncOpenAI:
    made = openai.AsyncOpenAI(api_key=KEY, max_retries=0, base_url=f"{server.url}/api/v0")
    server.stack.push_async_callback(made.close)
    return made


def check_statistics(value: dict[str, Any]) -> None:
    assert value["stats"]["stop_reason"] == "eosFound"
    assert value["stats"]["tokens_per_second"] > 0
    assert value["stats"]["time_to_first_token"] >= 0
    assert value["model_info"]["context_length"] == WINDOW
    assert value["runtime"]["supported_formats"] == ["gguf"]


async def test_a_whole_answer(server: Served) -> None:
    server.backend.script(answer("Good ", "day"))
    body = {"model": "opus", "messages": HELLO, "max_tokens": -1}
    whole = (await server.http.post("/api/v0/chat/completions", json=body)).json()
    validate("CreateChatCompletionResponse", whole)
    assert whole["choices"][0]["message"]["content"] == "Good day"
    check_statistics(whole)
    assert server.backend.requests[0].max_tokens is None
    [ended] = await server.finished()
    assert ended.record.endpoint == "/api/v0/chat/completions"


@pytest.mark.parametrize("options", [None, {"include_usage": True}])
async def test_a_stream_ends_with_the_statistics(server: Served, options: Any) -> None:
    server.backend.script(answer("Good ", "day"))
    stream = await client(server).chat.completions.create(
        model="opus", messages=HELLO, stream=True, stream_options=options or openai.omit
    )
    chunks = [chunk.model_dump(exclude_unset=True) async for chunk in stream]
    for chunk in chunks:
        validate("CreateChatCompletionStreamResponse", chunk)
    assert ["stats" in chunk for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    check_statistics(chunks[-1])
    reasons = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]]
    assert reasons[-1] == "stop"


async def test_a_limit_that_is_one_arrives(server: Served) -> None:
    server.backend.script(answer("Hi"))
    await client(server).chat.completions.create(model="opus", messages=HELLO, max_tokens=99)
    assert server.backend.requests[0].max_tokens == 99


async def test_an_error_is_openai_s(server: Served) -> None:
    with pytest.raises(openai.NotFoundError) as raised:
        await client(server).chat.completions.create(model="llama3", messages=HELLO)
    assert raised.value.code == "model_not_found"


async def test_the_first_list(server: Served) -> None:
    listed = (await server.http.get("/api/v0/models")).json()
    assert listed["object"] == "list"
    one = next(entry for entry in listed["data"] if entry["id"] == "opus")
    words = {"object": "model", "type": "vlm", "compatibility_type": "gguf", "state": "loaded"}
    assert words.items() <= one.items()
    assert one["max_context_length"] == one["loaded_context_length"] == WINDOW
    assert one["capabilities"] == ["tool_use", "vision"]
    assert all(isinstance(one[name], str) for name in ("publisher", "arch", "quantization"))
    assert (await server.http.get("/api/v0/models/opus")).json() == one
    missing = await server.http.get("/api/v0/models/llama3")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")


async def test_the_second_list(server: Served) -> None:
    listed = (await server.http.get("/api/v1/models")).json()["models"]
    one = next(entry for entry in listed if entry["key"] == "opus")
    assert (one["display_name"], one["max_context_length"]) == ("Opus 5.5", WINDOW)
    assert one["capabilities"] == {"vision": True, "trained_for_tool_use": True}
    assert [instance["id"] for instance in one["loaded_instances"]] == ["opus"]


async def test_loading(server: Served) -> None:
    loaded = (await server.http.post("/api/v1/models/load", json={"model": "opus"})).json()
    assert (loaded["status"], loaded["instance_id"]) == ("loaded", "opus")
    unloaded = await server.http.post("/api/v1/models/unload", json={"instance_id": "opus"})
    assert unloaded.json() == {"instance_id": "opus"}
    there = await server.http.post("/api/v1/models/download", json={"model": "opus"})
    assert there.json()["status"] == "already_downloaded"
    for path in ("load", "download"):
        assert (await server.http.post(f"/api/v1/models/{path}", json={"model": "llama3"})).status_code == 404
    nameless = await server.http.post("/api/v1/models/load", json={"model": ["opus"]})
    assert (nameless.status_code, nameless.json()["error"]["param"]) == (400, "model")
    assert server.backend.requests == []


@pytest.mark.parametrize(
    ("path", "words"),
    [("/api/v0/embeddings", "no embeddings"), ("/api/v1/chat", "/api/v0/chat/completions")],
)
async def test_refusals(server: Served, path: str, words: str) -> None:
    response = await server.http.post(path, json={"model": "opus", "input": "x"})
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]


async def test_a_completion(server: Served) -> None:
    server.backend.script(answer("<fill-in>a, b</fill-in>"))
    body = {"model": "opus", "prompt": "def f(", "suffix": "):", "max_tokens": -1}
    whole = (await server.http.post("/api/v0/completions", json=body)).json()
    assert whole["choices"][0]["text"] == "a, b"
    check_statistics(whole)
    server.backend.script(answer("<fill-in>a, b</fill-in>"))
    stream = await client(server).completions.create(model="opus", prompt="def f(", suffix="):", stream=True)
    chunks = [chunk.model_dump(exclude_unset=True) async for chunk in stream]
    assert "".join(choice["text"] for chunk in chunks for choice in chunk["choices"]) == "a, b"
    check_statistics(chunks[-1])
