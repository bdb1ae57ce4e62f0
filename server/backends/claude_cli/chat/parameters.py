"""A request's parameters as the CLI's flag settings. Pure.

The settings contain every value, also the empty ones, so that no parameter of a request remains for the next.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from server.backends.claude_cli.chat.replay import has_lost_members, sendable_content
from server.backends.claude_cli.transport.mcp_tools import PREFIX, prefixed_definitions
from server.core import exact_json
from server.core.image_size import size_of_base64
from server.core.messages import Block, Message, MessagesRequest, ToolChoice, native_tool_names
from server.models.betas import without_effective

UNREACHABLE_URL = "https://127.0.0.1:0"
"""An address that refuses every connection.

By TLS: a plain request would go to the proxy of HTTP_PROXY, with the login and the question in it, for all to read.
"""
IMAGE_PIXELS = 2000
IMAGE_BASE64_CHARS = 640_000
"""The CLI (2.1.330) shrinks images with more pixels a side or more base64 (about 480 kB)."""
_NO_CONTENT = re.compile(r"[\s\ufeff]*\(no content\)[\s\ufeff]*")
"""Text that the CLI (2.1.330) writes for an answer without content."""
_THINKING = ("thinking", "redacted_thinking")


def flag_settings(request: MessagesRequest, base_url: str | None, own_betas: str = "") -> dict[str, Any]:
    """The `settings` of `apply_flag_settings` for a request.

    The CLI merges `CLAUDE_CODE_EXTRA_BODY` into its next Messages requests; "" clears it. `model` is set here because
    `set_model` asks the API about unknown names. `base_url` is the API address, "" for the CLI's default, or None if
    it must not be set (see `blocked_api_flags`). `own_betas` are the user's own ANTHROPIC_BETAS.
    """
    environment = {
        "CLAUDE_CODE_EXTRA_BODY": _extra_body(request),
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(request.max_tokens) if request.max_tokens else "",
        # Sent beside the CLI's own; those in the extra body would replace them.
        "ANTHROPIC_BETAS": ",".join(filter(None, [own_betas, *without_effective(request.betas)])),
    }
    if base_url is not None:
        environment["ANTHROPIC_BASE_URL"] = base_url
    return {"model": request.model, "effortLevel": request.effort, "env": environment}


def likely_flags(request: MessagesRequest, base_url: str | None, own_betas: str = "") -> dict[str, Any]:
    """Settings that the next request probably needs; none after special ones."""
    alone = request.output_schema is not None or request.tool_choice is not None or bool(request.native)
    alone = alone or bypasses_transcript(request)
    return {} if alone else flag_settings(request, base_url, own_betas)


def blocked_api_flags() -> dict[str, Any]:
    """The `settings` that cut the CLI off from the API until the next ones.

    After max_tokens, a refusal or a cut the CLI asks again by itself, 1 to 2 ms after the end of the message: a kill
    comes too late. It reads the API address for each call, so once an answer has begun it gets an unreachable one.
    """
    return {"env": {"ANTHROPIC_BASE_URL": UNREACHABLE_URL}}


def thinking_tokens(request: MessagesRequest) -> int | None:
    """The argument of `set_max_thinking_tokens`; None for the CLI's choice."""
    thinking = request.thinking or {}
    return thinking.get("budget_tokens") if thinking.get("type") == "enabled" else None


def bypasses_transcript(request: MessagesRequest) -> bool:
    """Whether the messages go into the extra body, past the CLI's transcript.

    Required for a prefill or a paused answer (the CLI has no line for an unfinished one), for images that the CLI would
    shrink, and for answers and calls of which it would lose something. The process does not know the conversation and
    serves only this request. One-offs bypass it so that a process can serve many, and none reads another's text.
    """
    return (
        request.is_one_off
        or request.messages[-1]["role"] == "assistant"
        or any(map(_is_lost, request.messages))
        or any(has_lost_members(block) for message in request.messages for block in message["content"])
        or any(map(_is_large, _find_images(request.messages)))
    )


def _extra_body(request: MessagesRequest) -> str:
    body: dict[str, Any] = {**request.native}
    if request.tools:
        body["tools"] = prefixed_definitions(request.tools)
    for name in ("temperature", "top_p", "top_k"):
        if (value := getattr(request, name)) is not None:
            body[name] = value
    if request.tool_choice is not None:
        body["tool_choice"] = _tool_choice(request.tool_choice, native_tool_names(request.tools))
    if request.stop_sequences:
        body["stop_sequences"] = list(request.stop_sequences)
    if request.output_schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": request.output_schema}}
    if request.thinking is not None and request.thinking.get("type") == "disabled":
        # With a budget of 0 the CLI would send a temperature of its own. The context edit that it requests by default
        # is rejected when thinking is off.
        body["thinking"] = {"type": "disabled"}
        body.setdefault("context_management", {"edits": []})
    elif (thinking := request.thinking or {}).get("type") == "adaptive" and "display" in thinking:
        body["thinking"] = {**thinking}
    if bypasses_transcript(request):
        body["messages"] = _with_cache_mark(request)
    return exact_json.dumps(body).decode() if body else ""


def _tool_choice(choice: ToolChoice, native: Collection[str]) -> dict[str, Any]:
    if "name" not in choice or choice["name"] in native:
        return {**choice}
    return {**choice, "name": PREFIX + choice["name"]}


def _with_cache_mark(request: MessagesRequest) -> list[dict[str, Any]]:
    """The messages with the CLI's cache mark on the last user block."""
    messages, native = request.messages, native_tool_names(request.tools)
    last_user = max(index for index, message in enumerate(messages) if message["role"] == "user")
    sent = []
    for index, message in enumerate(messages):
        content = sendable_content(message, native)
        if index == last_user:
            content[-1] = {**content[-1], "cache_control": {"type": "ephemeral"}}
        sent.append({"role": message["role"], "content": content})
    return sent


def _is_lost(message: Message) -> bool:
    """Whether the CLI treats this answer as empty and omits it."""
    if message["role"] == "user":
        return False
    texts = [block.get("text", "") for block in message["content"] if block["type"] not in _THINKING]
    return bool(texts) and all(map(_NO_CONTENT.fullmatch, texts))


def _find_images(messages: Sequence[Message]) -> Iterator[Block]:
    """All images, including those in tool results."""
    for message in messages:
        for block in message["content"]:
            inner = block.get("content") if block["type"] == "tool_result" else None
            yield from (one for one in [block, *(inner or [])] if isinstance(one, dict) and one["type"] == "image")


def _is_large(image: Block) -> bool:
    data = image["source"].get("data", "")
    size = size_of_base64(data)
    return len(data) > IMAGE_BASE64_CHARS or size is None or max(size) > IMAGE_PIXELS
