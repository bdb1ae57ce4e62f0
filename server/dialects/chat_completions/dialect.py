"""Chat Completions as the registry lists it."""

from typing import Any

from server.dialects.chat_completions.remote_images import REMOTE_IMAGES
from server.dialects.chat_completions.request import to_messages
from server.dialects.dialect import ClientSide, Dialect
from server.dialects.framing import SSE
from server.dialects.openai.errors import error_response
from server.dialects.openai.rate_limits import rate_limit_headers


def _make_body(model: str, text: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}]}


def _read_text(body: Any) -> str:
    return body["choices"][0]["message"]["content"] or ""


CHAT_COMPLETIONS = Dialect(
    name="chat completions",
    title="OpenAI's Chat Completions",
    provider="OpenAI",
    path="/v1/chat/completions",
    to_messages=to_messages,
    framing=SSE,
    error_response=error_response,
    rate_limit_headers=rate_limit_headers,
    client=ClientSide(_make_body, _read_text),
    remote_images=REMOTE_IMAGES.find,
    with_images=REMOTE_IMAGES.replace,
    # GitHub Copilot's Ollama provider sends an empty key; Codex with --oss lists the models without one.
    keyless_paths=("/v1/chat/completions", "/v1/models"),
)
