"""curl, in both dialects."""

import json
import shlex

from tray_app.clients.client import Client, Snippet, Traces
from tray_app.clients.connection import Connection
from tray_app.translation import Later


def _chat_completions(connection: Connection) -> str:
    return _command(f"{connection.openai_url}/chat/completions", {}, connection)


def _messages(connection: Connection) -> str:
    return _command(f"{connection.url}/v1/messages", {"max_tokens": 1000}, connection)


def _command(url: str, more: dict[str, int], connection: Connection) -> str:
    body = {"model": connection.model, **more, "messages": [{"role": "user", "content": "Hello"}]}
    lines = [
        f"curl {shlex.quote(url)}",
        "-H " + shlex.quote(f"Authorization: Bearer {connection.secret}"),
        "-H " + shlex.quote("Content-Type: application/json"),
        "-d " + shlex.quote(json.dumps(body, ensure_ascii=False)),
    ]
    return " \\\n  ".join(lines) + "\n"


CURL = Client(
    id="curl",
    name="curl",
    icon="mdi6.console-network-outline",
    summary=Later("One request from a terminal"),
    dialect="chat completions",
    documentation="https://curl.se/docs/manpage.html",
    steps=(Later("Paste one of these commands into a terminal."),),
    note=Later("Quoting works in bash, zsh and fish."),
    snippets=(
        Snippet(Later("OpenAI's Chat Completions"), "bash", _chat_completions),
        Snippet(Later("Anthropic's Messages"), "bash", _messages),
    ),
    traces=Traces(commands=("curl",)),
)
