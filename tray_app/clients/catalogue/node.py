"""Node.js, with OpenAI's package or Anthropic's."""

import json

from tray_app.clients.client import Client, Snippet, Traces
from tray_app.clients.connection import Connection
from tray_app.translation import Later


def _openai_program(connection: Connection) -> str:
    return f"""\
import OpenAI from "openai";

const client = new OpenAI({{ baseURL: {_quoted(connection.openai_url)}, apiKey: {_quoted(connection.secret)} }});

const completion = await client.chat.completions.create({{
  model: {_quoted(connection.model)},
  messages: [{{ role: "user", content: "Hello" }}],
}});
console.log(completion.choices[0].message.content);
"""


def _anthropic_program(connection: Connection) -> str:
    return f"""\
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({{ baseURL: {_quoted(connection.url)}, apiKey: {_quoted(connection.secret)} }});

const message = await client.messages.create({{
  model: {_quoted(connection.model)},
  max_tokens: 1000,
  messages: [{{ role: "user", content: "Hello" }}],
}});
console.log(message.content.map((block) => (block.type === "text" ? block.text : "")).join(""));
"""


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


NODE = Client(
    id="node",
    name="Node.js",
    icon="mdi6.nodejs",
    summary=Later("OpenAI's or Anthropic's package"),
    dialect="chat completions",
    documentation="https://github.com/openai/openai-node",
    steps=(
        Later("Install the package: npm install openai, or npm install @anthropic-ai/sdk."),
        Later("Save one of these programs as hello.mjs and run node hello.mjs."),
    ),
    note=Later("OpenAI's package takes the URL with /v1, Anthropic's without."),
    snippets=(
        Snippet(Later("With OpenAI's package"), "javascript", _openai_program),
        Snippet(Later("With Anthropic's package"), "javascript", _anthropic_program),
    ),
    traces=Traces(commands=("node",)),
)
