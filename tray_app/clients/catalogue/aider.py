"""aider: https://aider.chat/docs/llms/openai-compat.html, https://aider.chat/docs/config/aider_conf.html."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from server.secrets.key_store import KEY_PREFIX
from tray_app.clients.client import Change, Client, Configuration, Found, Places, Snippet, Traces
from tray_app.clients.configuring import plan
from tray_app.clients.connection import NOT_NEEDED, Connection

_PREFIX = "openai/"
"""With it aider talks to whatever the base URL names."""


def _file(places: Places) -> Path:
    return places.home / ".aider.conf.yml"


def _changes(connection: Connection) -> Sequence[Change]:
    return (
        Change(("openai-api-base",), connection.openai_url),
        Change(("openai-api-key",), connection.secret),
        Change(("model",), _PREFIX + connection.model),
        # aider does not know our models, and asks about them at each start.
        Change(("show-model-warnings",), False, keep=True),
        # With models that it does not know it has whole files written anew for each change.
        Change(("edit-format",), "diff", keep=True),
    )


def _found(data: Any) -> Found | None:
    """The file has one place for every OpenAI server; ours has a key of ours."""
    data = data if isinstance(data, dict) else {}
    key = str(data.get("openai-api-key", ""))
    if not key.startswith(KEY_PREFIX) and key != NOT_NEEDED:
        return None
    return Found(str(data.get("openai-api-base")), key, (str(data.get("model", "")).removeprefix(_PREFIX),))


def _in_shell(connection: Connection) -> str:
    return (
        f"export OPENAI_API_BASE={shlex.quote(connection.openai_url)}\n"
        f"export OPENAI_API_KEY={shlex.quote(connection.secret)}\n"
        f"aider --edit-format diff --model {shlex.quote(_PREFIX + connection.model)}\n"
    )


CONFIGURATION = Configuration("yaml", _file, lambda to: to.openai_url, _changes, _found)

AIDER = Client(
    id="aider",
    name="aider",
    icon="mdi6.console",
    summary="Pair programming in the terminal",
    dialect="chat completions",
    documentation="https://aider.chat/docs/llms/openai-compat.html",
    steps=(
        "Choose Configure for me, or paste the text below into the file named there.",
        "Start aider in your project.",
    ),
    note="A .aider.conf.yml in your project or its Git repository takes precedence over the one in your "
    "home directory.",
    snippets=(
        Snippet("~/.aider.conf.yml", "yaml", lambda to: plan("", CONFIGURATION, to)),
        Snippet("Or for one session, in a terminal", "bash", _in_shell),
    ),
    configuration=CONFIGURATION,
    traces=Traces(commands=("aider",), files=(".aider.conf.yml", ".aider")),
)
