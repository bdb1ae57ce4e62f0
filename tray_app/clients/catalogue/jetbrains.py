"""JetBrains AI Assistant: https://www.jetbrains.com/help/ai-assistant/bring-your-own-key-byok.html."""

from tray_app.clients.client import Client, Field
from tray_app.translation import Later

JETBRAINS = Client(
    id="jetbrains",
    name="JetBrains AI Assistant",
    icon="mdi6.alpha-j-box-outline",
    summary=Later("Chat and agents in IntelliJ IDEA, PyCharm and other IDEs"),
    dialect="chat completions",
    documentation="https://www.jetbrains.com/help/ai-assistant/bring-your-own-key-byok.html",
    steps=(
        Later("Open Settings > Tools > AI Assistant > Providers & API keys (Models & API keys in older versions)."),
        Later("Choose “OpenAI-compatible” as the provider."),
        Later("Fill in the fields below and apply."),
        Later("Choose the model in the AI chat."),
    ),
    fields=(
        Field(Later("Base URL"), lambda to: to.openai_url),
        Field(Later("Key"), lambda to: to.secret),
        Field(Later("Model"), lambda to: to.model),
    ),
)
