"""Bodies for the tests of Ollama's dialect."""

from typing import Any

import pytest

from server.core.errors import InvalidRequest
from server.dialects.base import Call
from server.dialects.ollama.request import chat_to_messages, generate_to_messages
from tests.dialects.chat_completions.samples import CONTEXT

USER = {"role": "user", "content": "hi"}


def chat_body(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "claude-opus-5-5", "messages": list(messages) or [USER], **more}


def chat(*messages: dict[str, Any], **more: Any) -> Call:
    return chat_to_messages(chat_body(*messages, **more), CONTEXT)


def generate(**body: Any) -> Call:
    return generate_to_messages({"model": "claude-opus-5-5", **body}, CONTEXT)


def refusal(*messages: dict[str, Any], **more: Any) -> InvalidRequest:
    """The error for this chat."""
    with pytest.raises(InvalidRequest) as caught:
        chat(*messages, **more)
    return caught.value


def tool(name: str, **parameters: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", **parameters}}}


def calls(*names: str, ids: bool = False, content: str = "") -> dict[str, Any]:
    """An assistant's message with calls of these tools, each with its position as argument."""
    made = [
        {"function": {"name": name, "arguments": {"n": at}}, **({"id": f"id-{at}"} if ids else {})}
        for at, name in enumerate(names)
    ]
    return {"role": "assistant", "content": content, "tool_calls": made}


def result(content: str, **more: str) -> dict[str, Any]:
    return {"role": "tool", "content": content, **more}


def pairs(call: Call) -> list[tuple[str, int, str]]:
    """The calls of a request with their results, in the calls' order: name, argument, text."""
    blocks = [block for message in call.request.messages for block in message["content"]]
    results = {block["tool_use_id"]: block for block in blocks if block["type"] == "tool_result"}
    return [
        (
            block["name"],
            block["input"]["n"],
            "".join(part["text"] for part in results[block["id"]].get("content", ())),
        )
        for block in blocks
        if block["type"] == "tool_use"
    ]
