"""Programs that ask for an Ollama URL: https://docs.ollama.com/api.

Such programs are Home Assistant, Obsidian's plugins, GitHub Copilot's Ollama provider and JetBrains' “Ollama”.
"""

from tray_app.clients.client import Client, Field, Traces
from tray_app.translation import Later

OLLAMA = Client(
    id="ollama",
    name="Programs for Ollama",
    icon="mdi6.alpha-o-box-outline",
    summary=Later("Any program that asks for an Ollama or LM Studio URL"),
    dialect="Ollama chat",
    documentation="https://docs.ollama.com/api",
    steps=(
        Later("Choose Ollama as the provider and fill in the fields below. LM Studio's programs take the same URL."),
        Later("If the program has no field for a key: turn on “Programs without a key” under Settings > Access."),
        Later("If it has no field for a port: choose Ollama's port under Settings > Server > Also listen on."),
        Later("Choose the model in the program's list."),
    ),
    fields=(
        Field(Later("URL"), lambda to: to.url),
        Field(Later("Key"), lambda to: to.secret),
        Field(Later("Model"), lambda to: to.model),
    ),
    note=(
        Later(
            "A plugin in a desktop program such as Obsidian may be refused for its origin: add app://obsidian.md to "
            "the allowed web origins under Settings > Advanced."
        )
    ),
    traces=Traces(commands=("ollama",), files=(".ollama",)),
)
