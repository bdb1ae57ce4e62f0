"""opencode: https://opencode.ai/docs/providers/.

This is the format of version 1, which version 2 also reads (https://opencode.ai/docs/migrate-v1/).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tray_app.clients.client import Change, Client, Configuration, Places, ServerEntry, Snippet, Traces
from tray_app.clients.configuring import configure_text
from tray_app.clients.connection import Connection
from tray_app.clients.editing import value_at
from tray_app.translation import Later

ID = "dragoman"
_PROVIDER = ("provider", ID)
_MODALITIES = {"input": ["text", "image", "pdf"], "output": ["text"]}


def _config_file(places: Places) -> Path:
    with_comments = places.config_path("opencode", "opencode.jsonc")
    return with_comments if with_comments.exists() else with_comments.with_suffix(".json")


def _list_changes(connection: Connection) -> Sequence[Change]:
    model = (*_PROVIDER, "models", connection.model)
    limit = {"context": connection.limits.context, "output": connection.limits.output}
    return (
        Change(("$schema",), "https://opencode.ai/config.json", keep=True),
        Change((*_PROVIDER, "npm"), "@ai-sdk/openai-compatible"),
        Change((*_PROVIDER, "name"), "Dragoman", keep=True),
        Change((*_PROVIDER, "options", "baseURL"), connection.openai_url),
        Change((*_PROVIDER, "options", "apiKey"), connection.secret),
        Change((*model, "name"), f"Claude Code: {connection.model}", keep=True),
        # Without these opencode never shortens a long conversation, and sends no images.
        Change((*model, "limit"), limit, keep=True),
        Change((*model, "attachment"), True, keep=True),
        Change((*model, "modalities"), _MODALITIES, keep=True),
    )


def _read_entry(data: Any) -> ServerEntry | None:
    provider = value_at(data, _PROVIDER)
    if provider is None:
        return None
    options = value_at(provider, ("options",)) or {}
    models = value_at(provider, ("models",)) or {}
    return ServerEntry(str(options.get("baseURL")), str(options.get("apiKey")), tuple(models))


CONFIGURATION = Configuration("jsonc", _config_file, lambda to: to.openai_url, _list_changes, _read_entry)

OPENCODE = Client(
    id="opencode",
    name="opencode",
    icon="mdi6.application-brackets-outline",
    summary=Later("Agent for the terminal"),
    dialect="chat completions",
    documentation="https://opencode.ai/docs/providers/",
    steps=(
        Later("Choose Configure for me, or paste the text below into the file named there."),
        Later("Start opencode, type /models, and choose the model under “Dragoman”."),
    ),
    snippets=(
        Snippet(Later("~/.config/opencode/opencode.json"), "json", lambda to: configure_text("", CONFIGURATION, to)),
    ),
    configuration=CONFIGURATION,
    traces=Traces(commands=("opencode",), files=(".config/opencode", ".opencode")),
)
