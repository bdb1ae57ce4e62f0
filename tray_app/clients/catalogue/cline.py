"""Cline, for VS Code and the terminal: https://docs.cline.bot/provider-config/openai-compatible."""

import shlex

from tray_app.clients.client import Client, Field, Snippet, Traces
from tray_app.clients.connection import Connection
from tray_app.translation import Later


def _in_terminal(connection: Connection) -> str:
    options = {"--baseurl": connection.openai_url, "--apikey": connection.secret, "--modelid": connection.model}
    lines = ["cline auth --provider openai-compatible", *(shlex.join(option) for option in options.items())]
    return " \\\n  ".join(lines) + "\n"


CLINE = Client(
    id="cline",
    name="Cline",
    icon="mdi6.robot-outline",
    summary=Later("Agent for VS Code and the terminal"),
    dialect="chat completions",
    documentation="https://docs.cline.bot/provider-config/openai-compatible",
    steps=(
        Later("Open Cline's settings with the gear in its panel."),
        Later("Choose “OpenAI Compatible” as API Provider."),
        Later("Fill in the fields below."),
        Later("Under Model Configuration, tick Image Support to send pictures."),
    ),
    fields=(
        Field(Later("API Provider"), lambda _: "OpenAI Compatible"),
        Field(Later("Base URL"), lambda to: to.openai_url),
        Field(Later("API Key"), lambda to: to.secret),
        Field(Later("Model ID"), lambda to: to.model),
    ),
    snippets=(Snippet(Later("For the cline command, in a terminal"), "bash", _in_terminal),),
    traces=Traces(
        commands=("cline",),
        files=(
            ".vscode/extensions/saoudrizwan.claude-dev-*",
            ".vscode-insiders/extensions/saoudrizwan.claude-dev-*",
            ".cline",
        ),
    ),
)
