"""Continue, for VS Code, JetBrains, and (`cn`) the terminal: https://docs.continue.dev/reference."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tray_app.clients.client import Change, Client, Configuration, Places, ServerEntry, Snippet, Traces
from tray_app.clients.configuring import configure_text
from tray_app.clients.connection import Connection
from tray_app.clients.editing import Entry, value_at
from tray_app.translation import NO_TEXT, Later

NAME = "Dragoman"
_MODEL = ("models", Entry("name", NAME))


def _config_file(places: Places) -> Path:
    return places.home / ".continue" / "config.yaml"


def _list_changes(connection: Connection) -> Sequence[Change]:
    return (
        # These three are required.
        Change(("name",), "Local config", keep=True),
        Change(("version",), "1.0.0", keep=True),
        Change(("schema",), "v1", keep=True),
        Change((*_MODEL, "provider"), "openai"),
        Change((*_MODEL, "model"), connection.model),
        Change((*_MODEL, "apiBase"), connection.openai_url),
        Change((*_MODEL, "apiKey"), connection.secret),
        Change((*_MODEL, "roles"), ["chat", "edit", "apply"], keep=True),
        # Continue derives them from the model's name, and does not know ours.
        Change((*_MODEL, "capabilities"), ["tool_use", "image_input"], keep=True),
        Change((*_MODEL, "defaultCompletionOptions", "contextLength"), connection.limits.context, keep=True),
        Change((*_MODEL, "defaultCompletionOptions", "maxTokens"), connection.limits.output, keep=True),
    )


def _read_entry(data: Any) -> ServerEntry | None:
    model = value_at(data, _MODEL)
    if model is None:
        return None
    return ServerEntry(str(model.get("apiBase")), str(model.get("apiKey")), (str(model.get("model")),))


def _migration_caution(places: Places) -> Later:
    # https://docs.continue.dev/yaml-migration
    file = _config_file(places)
    if file.exists() or not file.with_name("config.json").exists():
        return NO_TEXT
    return Later("Continue ignores config.json once there is a config.yaml. Models in config.json are not copied.")


CONFIGURATION = Configuration(
    "yaml", _config_file, lambda to: to.openai_url, _list_changes, _read_entry, caution=_migration_caution
)

CONTINUE = Client(
    id="continue",
    name="Continue",
    icon="mdi6.play-box-outline",
    summary=Later("Assistant for VS Code, JetBrains and the terminal"),
    dialect="chat completions",
    documentation="https://docs.continue.dev/customize/model-providers/top-level/openai",
    steps=(
        Later("Choose Configure for me, or open the file named below."),
        Later("By hand: add the model and save. Continue reloads the file."),
        Later("Choose “Dragoman” in Continue's list of models."),
    ),
    snippets=(Snippet(Later("~/.continue/config.yaml"), "yaml", lambda to: configure_text("", CONFIGURATION, to)),),
    configuration=CONFIGURATION,
    traces=Traces(
        commands=("cn",),
        files=(
            ".continue",
            ".vscode/extensions/continue.continue-*",
            ".vscode-insiders/extensions/continue.continue-*",
        ),
    ),
)
