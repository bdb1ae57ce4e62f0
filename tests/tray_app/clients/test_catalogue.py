"""Each text of the catalogue is valid in its format, and contains the server's address."""

import ast
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from server.dialects.registry import DIALECTS
from tray_app.clients.catalogue import CLIENTS
from tray_app.clients.client import Client, Snippet
from tray_app.clients.configuring import configure_text
from tray_app.clients.connection import MASK, NOT_NEEDED, Connection
from tray_app.clients.editing import toml, yaml
from tray_app.context import Context

SNIPPETS = [
    pytest.param(client, snippet, id=f"{client.id}-{number}")
    for client in CLIENTS
    for number, snippet in enumerate(client.snippets)
]
CONNECTIONS = {
    "usual": Connection("http://127.0.0.1:8000", "dgm-Ab_-9", "sonnet"),
    "no key": Connection("http://127.0.0.1:8000", None, "opus"),
    "elsewhere": Connection("http://[::1]:18000", "dgm-x", "claude-opus-5-5[1m]"),
    "odd words": Connection("http://192.168.1.4:80", 'it\'s "my" $key\\#: {x}', "my alias: 'a' \"b\" $x"),
}
"""Worst case: the environment can set any key, and an alias can have any name."""


def leaves(data: Any) -> Iterator[str]:
    """All strings in `data`, keys included."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from leaves(value)
    elif isinstance(data, list):
        for value in data:
            yield from leaves(value)
    else:
        yield str(data)


def bash_words(command: str) -> Iterator[str]:
    for word in shlex.split(command.replace("\\\n", " ")):
        yield from leaves(json.loads(word)) if word.startswith("{") else [word]


def python_texts(program: str) -> Iterator[str]:
    return (str(node.value) for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Constant))


def javascript_texts(program: str) -> Iterator[str]:
    return (json.loads(found) for found in re.findall(r'"(?:\\.|[^"\\])*"', program))


READERS: dict[str, Callable[[str], Iterator[str]]] = {
    "yaml": lambda text: leaves(yaml.load(text)),
    "toml": lambda text: leaves(toml.load(text)),
    "json": lambda text: leaves(json.loads(text)),
    "bash": bash_words,
    "python": python_texts,
    "javascript": javascript_texts,
}
ABSENT: dict[str, Callable[[Connection], set[str]]] = {
    "zed": lambda to: {to.secret},
    "vscode": lambda to: {to.secret},
    "open-webui": lambda to: {to.model},
}
"""Values that are not in a client's texts, because it has its own settings for them or asks the server."""


@pytest.mark.parametrize("to", CONNECTIONS.values(), ids=CONNECTIONS.keys())
@pytest.mark.parametrize(("client", "snippet"), SNIPPETS)
def test_snippets_are_of_their_format_and_complete(client: Client, snippet: Snippet, to: Connection) -> None:
    text = snippet.text(to)
    assert text.endswith("\n")
    said = list(READERS[snippet.language](text))
    wanted = {f":{urlsplit(to.url).port}", to.model, to.secret} - ABSENT.get(client.id, lambda _: set())(to)
    if client.configuration is not None and client.configuration.companion is not None:
        wanted &= {to.model} if snippet.text == client.configuration.companion.text else wanted
    for expected in wanted:
        assert any(expected in one for one in said), f"{expected} is not in what a program reads from the text"


@pytest.mark.parametrize(("client", "snippet"), SNIPPETS)
def test_what_is_shown_hides_the_key_and_nothing_else(client: Client, snippet: Snippet) -> None:
    to = CONNECTIONS["usual"]
    shown = snippet.text(to.with_masked_key())
    assert to.secret not in shown
    # Unlike the key, the dots need quotes in a shell.
    assert shown.replace(MASK, to.secret).replace("'", "") == snippet.text(to).replace("'", "")


def test_without_a_key_there_is_a_placeholder() -> None:
    to = CONNECTIONS["no key"]
    assert to.with_masked_key() == to
    assert NOT_NEEDED in next(client for client in CLIENTS if client.id == "aider").snippets[0].text(to)


@pytest.mark.parametrize(("client", "snippet"), [one for one in SNIPPETS if one.values[1].language == "javascript"])
def test_javascript_is_what_a_program_of_ours_would_take(client: Client, snippet: Snippet, tmp_path: Path) -> None:
    """Checked by Node.js if it is installed; otherwise brackets must match and each line must be complete."""
    text = snippet.text(CONNECTIONS["odd words"])
    bare = re.sub(r'"(?:\\.|[^"\\])*"', '""', text)
    for opening, closing in ("()", "[]", "{}"):
        assert bare.count(opening) == bare.count(closing)
    assert all(line.endswith((";", "{", ",", "")) for line in bare.splitlines())
    file = tmp_path / "hello.mjs"
    file.write_text(text, encoding="utf-8")
    if (node := shutil.which("node")) is not None:
        subprocess.run([node, "--check", file], check=True, timeout=60)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.id)
def test_each_client_gets_address_key_and_model(client: Client) -> None:
    assert client.name
    assert client.summary
    assert client.documentation.startswith("https://")
    assert client.steps
    assert bool(client.unserved_reason) == (not client.is_served)
    assert client.fields or client.snippets
    to = CONNECTIONS["usual"]
    everything = [field.value(to) for field in client.fields] + [snippet.text(to) for snippet in client.snippets]
    assert any(to.secret in said for said in everything)
    assert any(to.url in said for said in everything)
    assert any(to.model in said for said in everything) or client.id == "open-webui"


def test_ids_of_clients_are_unique() -> None:
    assert len({client.id for client in CLIENTS}) == len({client.name for client in CLIENTS}) == len(CLIENTS) == 12


def test_clients_with_a_file_are_shown_what_would_be_written() -> None:
    configured = [client for client in CLIENTS if client.configuration is not None]
    assert {client.id for client in configured} == {"continue", "aider", "zed", "codex", "opencode"}
    to = CONNECTIONS["usual"]
    for client in configured:
        assert client.configuration is not None
        assert client.snippets[0].text(to) == configure_text("", client.configuration, to)


async def test_clients_marked_as_served_are_served(context: Context) -> None:
    assert all(client.is_served for client in CLIENTS)
    assert all(client.is_served is not bool(client.unserved_reason) for client in CLIENTS)
    await context.server.start()
    paths = {"/v1/chat/completions": True, "/v1/messages": True, "/v1/responses": True, "/v1/embeddings": False}
    headers = {"x-api-key": await context.api_key() or ""}
    async with httpx2.AsyncClient(trust_env=False, headers=headers, timeout=60) as http:
        answers = {path: await http.post(f"{context.server.url}{path}", json={}) for path in paths}
    assert {path: answer.status_code != 404 for path, answer in answers.items()} == paths
    assert {path for path, served in paths.items() if served} == {dialect.path for dialect in DIALECTS}
