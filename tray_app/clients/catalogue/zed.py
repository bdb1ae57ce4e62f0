"""Zed: https://zed.dev/docs/ai/llm-providers, the section on OpenAI-compatible endpoints.

Zed keeps keys in the system's keychain, under the API's URL, and takes none from its settings. The variable that it
reads instead is made of the provider's name: with ours it must not become DRAGOMAN_API_KEY, from which this
server takes its own key.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tray_app.clients.client import Change, Client, Configuration, Field, Found, Places, Snippet, Traces
from tray_app.clients.configuring import plan
from tray_app.clients.connection import Connection
from tray_app.clients.editing import Entry, value_at

NAME = "Local Claude Code"
_PROVIDER = ("language_models", "openai_compatible", NAME)
_CAPABILITIES = {"tools": True, "images": True, "parallel_tool_calls": True, "prompt_cache_key": False}
"""Zed needs the first four of them all."""


def _file(places: Places) -> Path:
    if places.system == "win32":
        roaming = places.environment.get("APPDATA") or places.home / "AppData" / "Roaming"
        return Path(roaming, "Zed", "settings.json")
    if places.system == "darwin":
        return places.home / ".config" / "zed" / "settings.json"
    return places.config("zed", "settings.json")


def _changes(connection: Connection) -> Sequence[Change]:
    model = (*_PROVIDER, "available_models", Entry("name", connection.model))
    return (
        Change((*_PROVIDER, "api_url"), connection.openai_url),
        Change((*model, "display_name"), f"Claude Code: {connection.model}", keep=True),
        Change((*model, "max_tokens"), connection.limits.context, keep=True),
        Change((*model, "capabilities"), _CAPABILITIES, keep=True),
    )


def _found(data: Any) -> Found | None:
    provider = value_at(data, _PROVIDER)
    if not isinstance(provider, dict):
        return None
    models = provider.get("available_models")
    names = [str(model.get("name")) for model in models or () if isinstance(model, dict)]
    return Found(str(provider.get("api_url")), None, tuple(names))


CONFIGURATION = Configuration("jsonc", _file, lambda to: to.openai_url, _changes, _found, holds_key=False)

ZED = Client(
    id="zed",
    name="Zed",
    icon="mdi6.alpha-z-box-outline",
    summary="Editor with an agent panel",
    dialect="chat completions",
    documentation="https://zed.dev/docs/ai/llm-providers",
    steps=(
        "Choose Configure for me, or add the text below to Zed's settings.",
        "In Zed, run “agent: open settings” and find “Local Claude Code” among the LLM providers.",
        "Paste the key there. Zed keeps it in your system's keychain.",
        "Choose the model in the agent panel.",
    ),
    fields=(Field("API key", lambda to: to.secret),),
    note="Zed stores the key for this URL. Paste it again after the key or the port changes.",
    snippets=(Snippet("settings.json", "json", lambda to: plan("", CONFIGURATION, to)),),
    configuration=CONFIGURATION,
    traces=Traces(
        commands=("zed", "zeditor"),
        files=(".config/zed", "AppData/Roaming/Zed", ".local/zed.app", "Applications/Zed.app"),
    ),
)
