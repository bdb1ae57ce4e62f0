"""aider: https://aider.chat/docs/llms/openai-compat.html, https://aider.chat/docs/config/aider_conf.html."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from server.secrets.key_store import KEY_PREFIX
from tray_app.clients.client import Change, Client, Configuration, Places, ServerEntry, Snippet, Traces
from tray_app.clients.configuring import configure_text
from tray_app.clients.connection import NOT_NEEDED, Connection
from tray_app.translation import Later

_PREFIX = "openai/"
"""With this prefix aider uses the base URL."""


def _config_file(places: Places) -> Path:
    return places.home / ".aider.conf.yml"


def _list_changes(connection: Connection) -> Sequence[Change]:
    return (
        Change(("openai-api-base",), connection.openai_url),
        Change(("openai-api-key",), connection.secret),
        Change(("model",), _PREFIX + connection.model),
        # aider does not know our models, and would ask about them at each start.
        Change(("show-model-warnings",), False, keep=True),
        # For unknown models it would have whole files rewritten for each change.
        Change(("edit-format",), "diff", keep=True),
    )


def _read_entry(data: Any) -> ServerEntry | None:
    """Read the entry, which any OpenAI server may use: it is ours if the key is."""
    data = data if isinstance(data, dict) else {}
    key = str(data.get("openai-api-key", ""))
    if not key.startswith(KEY_PREFIX) and key != NOT_NEEDED:
        return None
    return ServerEntry(str(data.get("openai-api-base")), key, (str(data.get("model", "")).removeprefix(_PREFIX),))


def _in_shell(connection: Connection) -> str:
    return (
        f"export OPENAI_API_BASE={shlex.quote(connection.openai_url)}\n"
        f"export OPENAI_API_KEY={shlex.quote(connection.secret)}\n"
        f"aider --edit-format diff --model {shlex.quote(_PREFIX + connection.model)}\n"
    )


CONFIGURATION = Configuration("yaml", _config_file, lambda to: to.openai_url, _list_changes, _read_entry)

AIDER = Client(
    id="aider",
    name="aider",
    icon="mdi6.console",
    summary=Later("Pair programming in the terminal"),
    dialect="chat completions",
    documentation="https://aider.chat/docs/llms/openai-compat.html",
    steps=(
        Later("Choose Configure for me, or paste the text below into the file named there."),
        Later("Start aider in your project."),
    ),
    note=Later(
        "A .aider.conf.yml in your project or its Git repository takes precedence over the one in your home directory."
    ),
    snippets=(
        Snippet(Later("~/.aider.conf.yml"), "yaml", lambda to: configure_text("", CONFIGURATION, to)),
        Snippet(Later("Or for one session, in a terminal"), "bash", _in_shell),
    ),
    configuration=CONFIGURATION,
    traces=Traces(commands=("aider",), files=(".aider.conf.yml", ".aider")),
)
