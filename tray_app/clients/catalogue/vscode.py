"""GitHub Copilot in VS Code with a model of one's own.

https://code.visualstudio.com/docs/agent-customization/language-models, "Add a custom endpoint model". VS Code keeps the
key in its secret storage, so the file that it opens is filled in by hand.
"""

import json

from tray_app.clients.client import Client, Field, Snippet, Traces
from tray_app.clients.connection import Connection


def _model(connection: Connection) -> str:
    model = {
        "id": connection.model,
        "name": f"Claude Code: {connection.model}",
        "url": f"{connection.openai_url}/chat/completions",
        "toolCalling": True,
        "vision": True,
        "maxInputTokens": connection.limits.context - connection.limits.output,
        "maxOutputTokens": connection.limits.output,
    }
    return json.dumps([model], ensure_ascii=False, indent=2) + "\n"


VSCODE = Client(
    id="vscode",
    name="VS Code Copilot",
    icon="mdi6.microsoft-visual-studio-code",
    summary="Copilot's chat with your own model",
    dialect="chat completions",
    documentation="https://code.visualstudio.com/docs/agent-customization/language-models",
    steps=(
        "Run “Chat: Manage Language Models” from the Command Palette.",
        "Choose Add Models, then Custom Endpoint.",
        "Fill in the fields below as VS Code asks for them.",
        "VS Code opens chatLanguageModels.json: paste the model as the value of “models” and save.",
        "Choose the model in the chat. Restart VS Code if it is not in the list.",
    ),
    fields=(
        Field("Group name", lambda _: "Dragoman"),
        Field("API key", lambda to: to.secret),
        Field("API type", lambda _: "Chat Completions"),
    ),
    note=("Inline completions still come from GitHub. In an organisation, an administrator must allow custom models."),
    snippets=(Snippet("The value of “models” in chatLanguageModels.json", "json", _model),),
    traces=Traces(commands=("code", "code-insiders"), files=(".vscode", "Applications/Visual Studio Code.app")),
)
