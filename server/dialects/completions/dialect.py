"""Completions as the registry lists it."""

from typing import Any

from server.dialects.completions.request import to_messages
from server.dialects.dialect import ClientSide, Dialect
from server.dialects.framing import SSE
from server.dialects.openai.errors import error_response
from server.dialects.openai.rate_limits import rate_limit_headers


def _make_body(model: str, text: str) -> dict[str, Any]:
    return {"model": model, "prompt": text}


def _read_text(body: Any) -> str:
    text: str = body["choices"][0]["text"]
    return text


COMPLETIONS = Dialect(
    name="completions",
    title="OpenAI's Completions",
    provider="OpenAI",
    path="/v1/completions",
    to_messages=to_messages,
    framing=SSE,
    error_response=error_response,
    rate_limit_headers=rate_limit_headers,
    client=ClientSide(_make_body, _read_text),
    keyless_paths=("/v1/completions",),
)
