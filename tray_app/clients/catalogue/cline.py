"""Cline, for VS Code: https://docs.cline.bot/provider-config/openai-compatible."""

from tray_app.clients.client import Client, Field, Traces

CLINE = Client(
    id="cline",
    name="Cline",
    icon="mdi6.robot-outline",
    summary="Agent for VS Code",
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
    traces=Traces(
        files=(
            ".vscode/extensions/saoudrizwan.claude-dev-*",
            ".vscode-insiders/extensions/saoudrizwan.claude-dev-*",
            ".cline",
        )
    ),
)
