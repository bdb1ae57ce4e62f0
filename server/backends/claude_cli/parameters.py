"""A request's parameters as the CLI's flag settings. Pure.

Every value is set for every request, the empty ones too: what one request asked for must never reach the next.
"""

from typing import Any

import orjson

from server.backends.claude_cli.tools import PREFIX, with_prefix
from server.messages import MessagesRequest, ToolChoice


def flag_settings(request: MessagesRequest, model: str) -> dict[str, Any]:
    """The `settings` of `apply_flag_settings`.

    `CLAUDE_CODE_EXTRA_BODY` is merged by the CLI into its next Messages requests; "" clears it. `model` is set here
    and not by `set_model`, which asks the API about a name that it does not know.
    """
    return {
        "model": model,
        "effortLevel": request.effort,
        "env": {
            "CLAUDE_CODE_EXTRA_BODY": _extra_body(request),
            "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(request.max_tokens) if request.max_tokens else "",
        },
    }


def thinking_tokens(request: MessagesRequest) -> int | None:
    """What `set_max_thinking_tokens` takes: a budget, or None for the CLI's own choice."""
    thinking = request.thinking or {}
    return thinking.get("budget_tokens") if thinking.get("type") == "enabled" else None


def _extra_body(request: MessagesRequest) -> str:
    body: dict[str, Any] = {}
    for name in ("temperature", "top_p", "top_k"):
        if (value := getattr(request, name)) is not None:
            body[name] = value
    if request.tool_choice is not None:
        body["tool_choice"] = _tool_choice(request.tool_choice)
    if request.stop_sequences:
        body["stop_sequences"] = list(request.stop_sequences)
    if request.output_schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": request.output_schema}}
    if request.thinking is not None and request.thinking.get("type") == "disabled":
        # Said here and not by a budget of 0, beside which the CLI sends a temperature of its own. The context edit
        # that it asks for otherwise is refused when thinking is off.
        body["thinking"] = {"type": "disabled"}
        body["context_management"] = {"edits": []}
    if request.messages[-1]["role"] == "assistant":
        # A prefill: the CLI has no line for an unfinished answer, so the messages are given to it whole.
        body["messages"] = [{"role": message["role"], "content": with_prefix(message)} for message in request.messages]
    return orjson.dumps(body).decode() if body else ""


def _tool_choice(choice: ToolChoice) -> dict[str, Any]:
    return {**choice, "name": PREFIX + choice["name"]} if "name" in choice else {**choice}
