"""Cline, for VS Code and the terminal: https://docs.cline.bot/provider-config/openai-compatible."""

import shlex

from tray_app.clients.client import Client, Field, Snippet, Traces
from tray_app.clients.connection import Connection


def _in_terminal(connection: Connection) -> str:
    options = {"--baseurl": connection.openai_url, "--apikey": connection.secret, "--modelid": connection.model}
    lines = ["cline auth --provider openai-compatible", *(shlex.join(option) for option in options.items())]
    return " \\\n  ".join(lines) + "\n"


CLINE = Client(
    id="cline",
    name="Cline",
    icon="mdi6.robot-outline",
    summary="Agent for VS Code and the terminal",
    dialect="chat completions",
    documentation="https://docs.cline.bot/provider-config/openai-compatible",
    steps=(
        "Open Cline's settings with the gear in its panel.",
        "Choose “OpenAI Compatible” as API Provider.",
        "Fill in the fields below.",
        "Under Model Configuration, tick Image Support to send pictures.",
    ),
    fields=(
        Field("API Provider", lambda _: "OpenAI Compatible"),
        Field("Base URL", lambda to: to.openai_url),
        Field("API Key", lambda to: to.secret),
        Field("Model ID", lambda to: to.model),
    ),
    snippets=(Snippet("For the cline command, in a terminal", "bash", _in_terminal),),
    traces=Traces(
        commands=("cline",),
        files=(
            ".vscode/extensions/saoudrizwan.claude-dev-*",
            ".vscode-insiders/extensions/saoudrizwan.claude-dev-*",
            ".cline",
        ),
    ),
)
