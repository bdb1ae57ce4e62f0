"""JetBrains AI Assistant: https://www.jetbrains.com/help/ai-assistant/bring-your-own-key-byok.html."""

from tray_app.clients.client import Client, Field

JETBRAINS = Client(
    id="jetbrains",
    name="JetBrains AI Assistant",
    icon="mdi6.alpha-j-box-outline",
    summary="Chat and agents in IntelliJ IDEA, PyCharm and other IDEs",
    dialect="chat completions",
    documentation="https://www.jetbrains.com/help/ai-assistant/bring-your-own-key-byok.html",
    steps=(
        "Open Settings > Tools > AI Assistant > Providers & API keys (Models & API keys in older versions).",
        "Choose “OpenAI-compatible” as the provider.",
        "Fill in the fields below and apply.",
        "Choose the model in the AI chat.",
    ),
    fields=(
        Field("Base URL", lambda to: to.openai_url),
        Field("Key", lambda to: to.secret),
        Field("Model", lambda to: to.model),
    ),
)
