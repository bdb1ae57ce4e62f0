"""Ollama's two endpoints as the registry lists them."""

from typing import Any

from server.dialects.dialect import ClientSide, Dialect
from server.dialects.framing import NDJSON
from server.dialects.ollama.errors import error_response
from server.dialects.ollama.loading import load_for_chat, load_for_generate
from server.dialects.ollama.request import chat_to_messages, generate_to_messages
from server.dialects.openai.rate_limits import rate_limit_headers

FURTHER_PATHS = tuple(
    f"/api/{name}"
    for name in (
        "version", "tags", "ps", "show", "pull", "push", "copy", "create", "delete", "embed", "embeddings", "blobs",
    )
)  # fmt: skip
"""Ollama's paths besides the two endpoints."""


def _make_chat_body(model: str, text: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], "stream": False}


def _make_generate_body(model: str, text: str) -> dict[str, Any]:
    return {"model": model, "prompt": text, "stream": False}


def _read_error(body: Any) -> tuple[str, str]:
    return str(body["error"]), ""


OLLAMA_CHAT = Dialect(
    name="Ollama chat",
    title="Ollama's Chat",
    provider="Ollama",
    path="/api/chat",
    to_messages=chat_to_messages,
    framing=NDJSON,
    error_response=error_response,
    rate_limit_headers=rate_limit_headers,
    client=ClientSide(_make_chat_body, lambda body: body["message"]["content"], read_error=_read_error),
    base_path="",
    further_paths=FURTHER_PATHS,
    keyless_paths=("/api/chat", *FURTHER_PATHS),
    reply_without_model=load_for_chat,
)

OLLAMA_GENERATE = Dialect(
    name="Ollama generate",
    title="Ollama's Generate",
    provider="Ollama",
    path="/api/generate",
    to_messages=generate_to_messages,
    framing=NDJSON,
    error_response=error_response,
    rate_limit_headers=rate_limit_headers,
    client=ClientSide(_make_generate_body, lambda body: body["response"], read_error=_read_error),
    base_path="",
    keyless_paths=("/api/generate",),
    reply_without_model=load_for_generate,
)
