"""Codex CLI: https://github.com/openai/codex, `codex-rs/model-provider-info`.

It speaks the Responses API alone: `wire_api = "chat"` was taken out (https://github.com/openai/codex/discussions/7782).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tray_app.clients.client import Change, Client, Configuration, Found, Places, Snippet, Traces
from tray_app.clients.configuring import plan
from tray_app.clients.connection import Connection
from tray_app.clients.editing import value_at

ID = "dragoman"
_PROVIDER = ("model_providers", ID)


def _file(places: Places) -> Path:
    return Path(places.environment.get("CODEX_HOME") or places.home / ".codex", "config.toml")


def _changes(connection: Connection) -> Sequence[Change]:
    return (
        Change(("model",), connection.model),
        Change(("model_provider",), ID),
        Change((*_PROVIDER, "name"), "Dragoman", keep=True),
        Change((*_PROVIDER, "base_url"), connection.openai_url),
        Change((*_PROVIDER, "wire_api"), "responses"),
        # The other way is a variable, which a program that is not started from that shell does not see.
        Change((*_PROVIDER, "experimental_bearer_token"), connection.secret),
    )


def _found(data: Any) -> Found | None:
    provider = value_at(data, _PROVIDER)
    if provider is None:
        return None
    key = str(provider.get("experimental_bearer_token"))
    return Found(str(provider.get("base_url")), key, (str(data.get("model")),))


CONFIGURATION = Configuration("toml", _file, lambda to: to.openai_url, _changes, _found)

CODEX = Client(
    id="codex",
    name="Codex CLI",
    icon="mdi6.code-braces-box",
    summary="OpenAI's agent for the terminal",
    dialect="OpenAI's Responses",
    documentation="https://github.com/openai/codex/discussions/7782",
    steps=(
        "Choose Configure for me, or paste the text below into the file named there.",
        "Start codex.",
    ),
    snippets=(Snippet("~/.codex/config.toml", "toml", lambda to: plan("", CONFIGURATION, to)),),
    configuration=CONFIGURATION,
    traces=Traces(commands=("codex",), files=(".codex",)),
    unserved=(
        "Since February 2026, Codex CLI speaks only OpenAI's Responses API. This server speaks Chat "
        "Completions and Messages, so Codex cannot use it yet."
    ),
)
