"""Python, with OpenAI's package or Anthropic's."""

import json

from tray_app.clients.client import Client, Snippet
from tray_app.clients.connection import Connection


def _openai(connection: Connection) -> str:
    return f"""\
from openai import OpenAI

client = OpenAI(base_url={_text(connection.openai_url)}, api_key={_text(connection.secret)})

completion = client.chat.completions.create(
    model={_text(connection.model)},
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(completion.choices[0].message.content)
"""


def _anthropic(connection: Connection) -> str:
    return f"""\
from anthropic import Anthropic

client = Anthropic(base_url={_text(connection.url)}, api_key={_text(connection.secret)})

message = client.messages.create(
    model={_text(connection.model)},
    max_tokens=1000,
    messages=[{{"role": "user", "content": "Hello"}}],
)
print("".join(block.text for block in message.content if block.type == "text"))
"""


def _text(value: str) -> str:
    """JSON's texts are Python's and JavaScript's too."""
    return json.dumps(value, ensure_ascii=False)


PYTHON = Client(
    id="python",
    name="Python",
    icon="mdi6.language-python",
    summary="OpenAI's or Anthropic's package",
    dialect="chat completions",
    documentation="https://github.com/openai/openai-python",
    steps=("Install the package: pip install openai, or pip install anthropic.", "Run one of these programs."),
    note="OpenAI's package takes the URL with /v1, Anthropic's without.",
    snippets=(
        Snippet("With OpenAI's package", "python", _openai),
        Snippet("With Anthropic's package", "python", _anthropic),
    ),
)
