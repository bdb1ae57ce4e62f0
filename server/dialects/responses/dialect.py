"""Responses as the registry lists it."""

from dataclasses import replace
from typing import Any

from server.dialects.dialect import ClientSide, Dialect, TokenCounting
from server.dialects.framing import SSE
from server.dialects.openai.rate_limits import rate_limit_headers
from server.dialects.responses.errors import error_response
from server.dialects.responses.remote_images import REMOTE_IMAGES
from server.dialects.responses.request import to_count, to_messages
from server.dialects.responses.stored_answers import STORED_ANSWERS


def _make_body(model: str, text: str) -> dict[str, Any]:
    return {"model": model, "input": text}


def _read_text(body: Any) -> str:
    messages = (item for item in body["output"] if item["type"] == "message")
    return "".join(part["text"] for item in messages for part in item["content"] if part["type"] == "output_text")


def _make_count(tokens: int) -> dict[str, Any]:
    return {"object": "response.input_tokens", "input_tokens": tokens}


RESPONSES = Dialect(
    name="responses",
    title="OpenAI's Responses",
    provider="OpenAI",
    path="/v1/responses",
    to_messages=to_messages,
    # `response.failed` is the last event. A cut body after it would make SDKs repeat the request.
    framing=replace(SSE, ends_failures=True),
    error_response=error_response,
    rate_limit_headers=rate_limit_headers,
    client=ClientSide(_make_body, _read_text),
    remote_images=REMOTE_IMAGES.find,
    with_images=REMOTE_IMAGES.replace,
    token_counting=TokenCounting("/v1/responses/input_tokens", to_count, _make_count),
    stored_answers=STORED_ANSWERS,
    # Codex with --oss sends no key.
    keyless_paths=("/v1/responses",),
)
