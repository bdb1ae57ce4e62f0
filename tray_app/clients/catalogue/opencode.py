"""opencode: https://opencode.ai/docs/providers/.

This is the form of version 1, which version 2 reads from the same places (https://opencode.ai/docs/migrate-v1/).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tray_app.clients.client import Change, Client, Configuration, Found, Places, Snippet, Traces
from tray_app.clients.configuring import plan
from tray_app.clients.connection import Connection
from tray_app.clients.editing import value_at

ID = "dragoman"
_PROVIDER = ("provider", ID)
_MODALITIES = {"input": ["text", "image", "pdf"], "output": ["text"]}


def _file(places: Places) -> Path:
    with_comments = places.config("opencode", "opencode.jsonc")
    return with_comments if with_comments.exists() else with_comments.with_suffix(".json")


def _changes(connection: Connection) -> Sequence[Change]:
    model = (*_PROVIDER, "models", connection.model)
    limit = {"context": connection.limits.context, "output": connection.limits.output}
    return (
        Change(("$schema",), "https://opencode.ai/config.json", keep=True),
        Change((*_PROVIDER, "npm"), "@ai-sdk/openai-compatible"),
        Change((*_PROVIDER, "name"), "Dragoman", keep=True),
        Change((*_PROVIDER, "options", "baseURL"), connection.openai_url),
        Change((*_PROVIDER, "options", "apiKey"), connection.secret),
        Change((*model, "name"), f"Claude Code: {connection.model}", keep=True),
        # Without these opencode never shortens a conversation that grows too long, and sends no pictures.
        Change((*model, "limit"), limit, keep=True),
        Change((*model, "attachment"), True, keep=True),
        Change((*model, "modalities"), _MODALITIES, keep=True),
    )


def _found(data: Any) -> Found | None:
    provider = value_at(data, _PROVIDER)
    if provider is None:
        return None
    options = value_at(provider, ("options",)) or {}
    models = value_at(provider, ("models",)) or {}
    return Found(str(options.get("baseURL")), str(options.get("apiKey")), tuple(models))


CONFIGURATION = Configuration("jsonc", _file, lambda to: to.openai_url, _changes, _found)

OPENCODE = Client(
    id="opencode",
    name="opencode",
    icon="mdi6.application-brackets-outline",
    summary="Agent for the terminal",
    dialect="chat completions",
    documentation="https://opencode.ai/docs/providers/",
    steps=(
        "Choose Configure for me, or paste the text below into the file named there.",
        "Start opencode, type /models, and choose the model under “Dragoman”.",
    ),
    snippets=(Snippet("~/.config/opencode/opencode.json", "json", lambda to: plan("", CONFIGURATION, to)),),
    configuration=CONFIGURATION,
    traces=Traces(commands=("opencode",), files=(".config/opencode", ".opencode")),
)
