"""Python, with OpenAI's package or Anthropic's."""

import json

from tray_app.clients.client import Client, Snippet
from tray_app.clients.connection import Connection
from tray_app.translation import Later


def _openai_program(connection: Connection) -> str:
    return f"""\
from openai import OpenAI

client = OpenAI(base_url={_quoted(connection.openai_url)}, api_key={_quoted(connection.secret)})

completion = client.chat.completions.create(
    model={_quoted(connection.model)},
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(completion.choices[0].message.content)
"""


def _anthropic_program(connection: Connection) -> str:
    return f"""\
from anthropic import Anthropic

client = Anthropic(base_url={_quoted(connection.url)}, api_key={_quoted(connection.secret)})

message = client.messages.create(
    model={_quoted(connection.model)},
    max_tokens=1000,
    messages=[{{"role": "user", "content": "Hello"}}],
)
print("".join(block.text for block in message.content if block.type == "text"))
"""


def _quoted(value: str) -> str:
    """Quote a string as JSON, which is valid in Python too."""
    return json.dumps(value, ensure_ascii=False)


PYTHON = Client(
    id="python",
    name="Python",
    icon="mdi6.language-python",
    summary=Later("OpenAI's or Anthropic's package"),
    dialect="chat completions",
    documentation="https://github.com/openai/openai-python",
    steps=(
        Later("Install the package: pip install openai, or pip install anthropic."),
        Later("Run one of these programs."),
    ),
    note=Later("OpenAI's package takes the URL with /v1, Anthropic's without."),
    snippets=(
        Snippet(Later("With OpenAI's package"), "python", _openai_program),
        Snippet(Later("With Anthropic's package"), "python", _anthropic_program),
    ),
)
