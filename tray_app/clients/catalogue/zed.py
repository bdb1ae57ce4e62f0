"""Zed: https://zed.dev/docs/ai/llm-providers, the section on OpenAI-compatible endpoints.

Zed keeps keys in the system's keychain, by the API's URL, and accepts none in its settings. It also reads a variable
derived from the provider's name, so ours must not result in DRAGOMAN_API_KEY, which configures this server's own key.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tray_app.clients.client import Change, Client, Configuration, Field, Places, ServerEntry, Snippet, Traces
from tray_app.clients.configuring import configure_text
from tray_app.clients.connection import Connection
from tray_app.clients.editing import Entry, value_at
from tray_app.translation import Later

NAME = "Local Claude Code"
_PROVIDER = ("language_models", "openai_compatible", NAME)
_CAPABILITIES = {"tools": True, "images": True, "parallel_tool_calls": True, "prompt_cache_key": False}
"""All four are required by Zed."""


def _config_file(places: Places) -> Path:
    if places.system == "win32":
        roaming = places.environment.get("APPDATA") or places.home / "AppData" / "Roaming"
        return Path(roaming, "Zed", "settings.json")
    if places.system == "darwin":
        return places.home / ".config" / "zed" / "settings.json"
    return places.config_path("zed", "settings.json")


def _list_changes(connection: Connection) -> Sequence[Change]:
    model = (*_PROVIDER, "available_models", Entry("name", connection.model))
    return (
        Change((*_PROVIDER, "api_url"), connection.openai_url),
        Change((*model, "display_name"), f"Claude Code: {connection.model}", keep=True),
        Change((*model, "max_tokens"), connection.limits.context, keep=True),
        Change((*model, "capabilities"), _CAPABILITIES, keep=True),
    )


def _read_entry(data: Any) -> ServerEntry | None:
    provider = value_at(data, _PROVIDER)
    if not isinstance(provider, dict):
        return None
    models = provider.get("available_models")
    names = [str(model.get("name")) for model in models or () if isinstance(model, dict)]
    return ServerEntry(str(provider.get("api_url")), None, tuple(names))


CONFIGURATION = Configuration(
    "jsonc", _config_file, lambda to: to.openai_url, _list_changes, _read_entry, holds_key=False
)

ZED = Client(
    id="zed",
    name="Zed",
    icon="mdi6.alpha-z-box-outline",
    summary=Later("Editor with an agent panel"),
    dialect="chat completions",
    documentation="https://zed.dev/docs/ai/llm-providers",
    steps=(
        Later("Choose Configure for me, or add the text below to Zed's settings."),
        Later("In Zed, run “agent: open settings” and find “Local Claude Code” among the LLM providers."),
        Later("Paste the key there. Zed keeps it in your system's keychain."),
        Later("Choose the model in the agent panel."),
    ),
    fields=(Field(Later("API key"), lambda to: to.secret),),
    note=Later("Zed stores the key for this URL. Paste it again after the key or the port changes."),
    snippets=(Snippet(Later("settings.json"), "json", lambda to: configure_text("", CONFIGURATION, to)),),
    configuration=CONFIGURATION,
    traces=Traces(
        commands=("zed", "zeditor"),
        files=(".config/zed", "AppData/Roaming/Zed", ".local/zed.app", "Applications/Zed.app"),
    ),
)
