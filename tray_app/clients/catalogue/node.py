"""Node.js, with OpenAI's package or Anthropic's."""

import json

from tray_app.clients.client import Client, Snippet, Traces
from tray_app.clients.connection import Connection


def _openai(connection: Connection) -> str:
    return f"""\
import OpenAI from "openai";

const client = new OpenAI({{ baseURL: {_text(connection.openai_url)}, apiKey: {_text(connection.secret)} }});

const completion = await client.chat.completions.create({{
  model: {_text(connection.model)},
  messages: [{{ role: "user", content: "Hello" }}],
}});
console.log(completion.choices[0].message.content);
"""


def _anthropic(connection: Connection) -> str:
    return f"""\
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({{ baseURL: {_text(connection.url)}, apiKey: {_text(connection.secret)} }});

const message = await client.messages.create({{
  model: {_text(connection.model)},
  max_tokens: 1000,
  messages: [{{ role: "user", content: "Hello" }}],
}});
console.log(message.content.map((block) => (block.type === "text" ? block.text : "")).join(""));
"""


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


NODE = Client(
    id="node",
    name="Node.js",
    icon="mdi6.nodejs",
    summary="OpenAI's or Anthropic's package",
    dialect="chat completions",
    documentation="https://github.com/openai/openai-node",
    steps=(
        "Install the package: npm install openai, or npm install @anthropic-ai/sdk.",
        "Save one of these programs as hello.mjs and run node hello.mjs.",
    ),
    note="OpenAI's package takes the URL with /v1, Anthropic's without.",
    snippets=(
        Snippet("With OpenAI's package", "javascript", _openai),
        Snippet("With Anthropic's package", "javascript", _anthropic),
    ),
    traces=Traces(commands=("node",)),
)
