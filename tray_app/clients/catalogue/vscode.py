"""GitHub Copilot in VS Code with a custom model.

https://code.visualstudio.com/docs/agent-customization/language-models, "Add a custom endpoint model". VS Code keeps the
key in its secret storage, so the user fills in the file that it opens.
"""

import json

from tray_app.clients.client import Client, Field, Snippet, Traces
from tray_app.clients.connection import Connection
from tray_app.translation import Later


def _model_json(connection: Connection) -> str:
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
    summary=Later("Copilot's chat with your own model"),
    dialect="chat completions",
    documentation="https://code.visualstudio.com/docs/agent-customization/language-models",
    steps=(
        Later("Run “Chat: Manage Language Models” from the Command Palette."),
        Later("Choose Add Models, then Custom Endpoint."),
        Later("Fill in the fields below as VS Code asks for them."),
        Later("VS Code opens chatLanguageModels.json: paste the model as the value of “models” and save."),
        Later("Choose the model in the chat. Restart VS Code if it is not in the list."),
    ),
    fields=(
        Field(Later("Group name"), lambda _: "Dragoman"),
        Field(Later("API key"), lambda to: to.secret),
        Field(Later("API type"), lambda _: "Chat Completions"),
    ),
    note=(
        Later(
            "Inline completions still come from GitHub. In an organisation, an administrator must allow custom models."
        )
    ),
    snippets=(Snippet(Later("The value of “models” in chatLanguageModels.json"), "json", _model_json),),
    traces=Traces(commands=("code", "code-insiders"), files=(".vscode", "Applications/Visual Studio Code.app")),
)
