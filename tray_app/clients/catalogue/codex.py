"""Codex CLI: https://github.com/openai/codex, `codex-rs/model-provider-info`.

It supports only the Responses API: `wire_api = "chat"` was removed (https://github.com/openai/codex/discussions/7782).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tray_app.clients.catalogue.codex_models import compaction_limit, make_catalogue, usual_effort
from tray_app.clients.client import Change, Client, Companion, Configuration, Places, ServerEntry, Snippet, Traces
from tray_app.clients.configuring import configure_text
from tray_app.clients.connection import Connection
from tray_app.clients.editing import value_at
from tray_app.translation import Later

ID = "dragoman"
MODELS_FILE = "dragoman-models.json"
_IDLE_MS = 600_000
"""Longer than the server's own longest silence."""
_RETRIES = 2
"""Codex asks again for each request and each stream: with its defaults of 4 and 5, 30 times after a server error."""
_PROVIDER = ("model_providers", ID)


def _config_file(places: Places) -> Path:
    return Path(places.environment.get("CODEX_HOME") or places.home / ".codex", "config.toml")


def _models_file(places: Places) -> Path:
    return _config_file(places).with_name(MODELS_FILE)


def _list_changes(connection: Connection) -> Sequence[Change]:
    return (
        Change(("model",), connection.model),
        Change(("model_provider",), ID),
        Change(("model_context_window",), connection.limits.context),
        Change(("model_auto_compact_token_limit",), compaction_limit(connection.limits)),
        Change(("model_reasoning_effort",), usual_effort(connection.model), keep=True),
        # Relative to the folder of the file itself.
        Change(("model_catalog_json",), MODELS_FILE),
        Change((*_PROVIDER, "name"), "Dragoman", keep=True),
        Change((*_PROVIDER, "base_url"), connection.openai_url),
        Change((*_PROVIDER, "wire_api"), "responses"),
        # The alternative is an environment variable, which exists only in the shell that sets it.
        Change((*_PROVIDER, "experimental_bearer_token"), connection.secret),
        Change((*_PROVIDER, "request_max_retries"), _RETRIES, keep=True),
        Change((*_PROVIDER, "stream_max_retries"), _RETRIES, keep=True),
        Change((*_PROVIDER, "stream_idle_timeout_ms"), _IDLE_MS, keep=True),
    )


def _read_entry(data: Any) -> ServerEntry | None:
    provider = value_at(data, _PROVIDER)
    if provider is None:
        return None
    key = str(provider.get("experimental_bearer_token"))
    return ServerEntry(str(provider.get("base_url")), key, (str(data.get("model")),))


CONFIGURATION = Configuration(
    "toml",
    _config_file,
    lambda to: to.openai_url,
    _list_changes,
    _read_entry,
    companion=Companion(_models_file, make_catalogue),
)

CODEX = Client(
    id="codex",
    name="Codex CLI",
    icon="mdi6.code-braces-box",
    summary=Later("OpenAI's agent for the terminal"),
    dialect="responses",
    documentation="https://github.com/openai/codex/discussions/7782",
    steps=(
        Later("Choose Configure for me, or paste the texts below into the files named there."),
        Later("Start codex."),
    ),
    snippets=(
        Snippet(Later("~/.codex/config.toml"), "toml", lambda to: configure_text("", CONFIGURATION, to)),
        Snippet(Later("~/.codex/dragoman-models.json"), "json", make_catalogue),
    ),
    configuration=CONFIGURATION,
    traces=Traces(commands=("codex",), files=(".codex",)),
)
