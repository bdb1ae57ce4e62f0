"""Ollama's version, lists and descriptions of models."""

import json

import httpx2
import ollama
import pytest

from server.dialects.ollama.greeting import PORT, expects_greeting
from server.models import capabilities_of
from tests.api.conftest import Serve, Served
from tests.api.test_ollama import client

STRINGS = {"parent_model", "format", "family", "parameter_size", "quantization_level"}


@pytest.mark.parametrize("agent", ["ollama-python/0.6.3 (x86_64 linux)", "ollama/0.17.7 (amd64 linux) Go/go1.24"])
async def test_the_greeting(server: Served, agent: str) -> None:
    response = await server.http.get("/", headers={"user-agent": agent, "authorization": ""})
    assert (response.status_code, response.text) == (200, "Ollama is running")
    assert (await server.http.head("/", headers={"user-agent": agent})).status_code == 200


async def test_others_get_the_list_of_endpoints(server: Served) -> None:
    listed = (await server.http.get("/")).json()
    assert listed["ollama_base_url"] == server.url
    assert listed["lm_studio_base_url"] == f"{server.url}/api/v0"
    assert {"POST /api/chat", "POST /api/generate"} <= set(listed["endpoints"])


@pytest.mark.parametrize(
    ("port", "accept", "greeted"),
    [(PORT, "*/*", True), (PORT, "text/html,*/*", True), (PORT, "application/json", False), (8000, "*/*", False)],
)
def test_the_greeting_at_ollama_s_own_port(port: int, accept: str, greeted: bool) -> None:
    assert expects_greeting({"accept": accept}.get, port) is greeted


async def test_the_version_is_one_that_programs_take(server: Served) -> None:
    version = (await server.http.get("/api/version")).json()["version"]
    assert [int(number) for number in version.split(".")] >= [0, 17, 6]
    assert len(version.split(".")) == 3


async def test_the_list(serve: Serve) -> None:
    server = await serve(aliases={"house-model": "haiku", "lost": "no-such-model"})
    listed = (await client(server).list()).models
    names = [model.model for model in listed]
    assert names[:4] == ["opus", "sonnet", "haiku", "house-model"]
    assert "claude-opus-5-5" in names
    assert "lost" not in names
    raw = (await server.http.get("/api/tags")).json()["models"]
    for entry in raw:
        assert entry["name"] == entry["model"]
        assert (type(entry["size"]), type(entry["digest"])) == (int, str)
        assert all(isinstance(entry["details"][name], str) for name in STRINGS)
        assert entry["details"]["families"] == ["claude"]


async def test_all_are_loaded(server: Served) -> None:
    loaded = (await client(server).ps()).models
    assert "opus" in [model.model for model in loaded]
    assert loaded[0].context_length == capabilities_of("claude-opus-5-5").context_window
    assert loaded[0].expires_at is not None


@pytest.mark.parametrize("member", ["model", "name"])
@pytest.mark.parametrize("name", ["opus", "opus:latest", "OPUS", "gpt-5"])
async def test_a_description(server: Served, member: str, name: str) -> None:
    raw = (await server.http.post("/api/show", content=json.dumps({member: name}).encode())).json()
    shown = ollama.ShowResponse.model_validate(raw)
    window = capabilities_of("claude-opus-5-5").context_window
    assert {"completion", "tools", "vision", "thinking"} <= set(shown.capabilities or ())
    assert shown.modelinfo is not None
    assert shown.modelinfo["general.architecture"] == "claude"
    assert shown.modelinfo["claude.context_length"] == window
    assert shown.modelinfo["general.basename"] == "Opus 5.5"
    assert f"num_ctx {window}" in (shown.parameters or "").splitlines()


async def test_a_pull_of_a_model_that_is_there(server: Served) -> None:
    assert (await client(server).pull("opus")).status == "success"
    states = [part.status async for part in await client(server).pull("sonnet", stream=True)]
    assert states[-1] == "success"


@pytest.mark.parametrize("path", ["/api/show", "/api/pull"])
async def test_no_such_model(server: Served, path: str) -> None:
    response = await server.http.post(path, json={"model": "llama3"})
    assert response.status_code == 404
    assert "model not found" in response.json()["error"]
    nameless = await server.http.post(path, json={})
    assert (nameless.status_code, "`model` is missing" in nameless.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("POST", "/api/embed", "no embeddings"),
        ("POST", "/api/embeddings", "no embeddings"),
        ("POST", "/api/create", "/api/create has nothing to work on"),
        ("POST", "/api/copy", "/api/copy has nothing to work on"),
        ("POST", "/api/push", "/api/push has nothing to work on"),
        ("DELETE", "/api/delete", "/api/delete has nothing to work on"),
        ("GET", "/api/show", "does not support GET"),
    ],
)
async def test_what_claude_has_not_is_refused_in_words(server: Served, method: str, path: str, words: str) -> None:
    response: httpx2.Response = await server.http.request(method, path, json={"model": "opus", "input": "x"})
    assert response.status_code in (400, 405)
    assert words in response.json()["error"]
