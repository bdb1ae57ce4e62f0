"""curl, with one command for each dialect."""

import json
import shlex
from functools import partial

from server.dialects.dialect import Dialect
from server.dialects.registry import DIALECTS
from tray_app.clients.client import Client, Snippet, Traces
from tray_app.clients.connection import Connection
from tray_app.translation import Later


def _curl_command(dialect: Dialect, connection: Connection) -> str:
    body = dialect.client.make_body(connection.model, "Hello")
    lines = [
        f"curl {shlex.quote(connection.url + dialect.path)}",
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
    snippets=tuple(
        Snippet(dialect.title, "bash", partial(_curl_command, dialect))
        for dialect in DIALECTS
        if not dialect.is_variant
    ),
    traces=Traces(commands=("curl",)),
)
