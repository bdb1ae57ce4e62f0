"""Bodies and their translation, for the tests of the request side."""

from typing import Any

import pytest

from server.core.errors import InvalidRequest
from server.dialects.base import Call, Context
from server.dialects.responses.head import ResponseHead
from server.dialects.responses.request import to_messages
from server.dialects.responses.sealing import Sealer

SEALER = Sealer(b"the key of these tests")
CONTEXT = Context(
    aliases={"my-model": "claude-haiku-5-5"},
    models=("claude-opus-5-5", "claude-haiku-5-5"),
    default_model="claude-opus-5-5",
    response_id="abc",
    created=1_700_000_000,
    header={"originator": "codex_exec"}.get,
    sealing_key=SEALER.key,
)
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
REDACTED = {"type": "redacted_thinking", "data": "cmVk"}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def message(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": content, **more}


def reasoning(block: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """A reasoning item as the encoder writes it."""
    sealed = None if block is None else SEALER.seal(block)
    return {"type": "reasoning", "id": "rs_1", "summary": [], "content": None, "encrypted_content": sealed, **more}


def call(call_id: str, name: str = "look", arguments: str = "{}", **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments, **more}


def custom_call(call_id: str, name: str, given: str, **more: Any) -> dict[str, Any]:
    return {"type": "custom_tool_call", "call_id": call_id, "name": name, "input": given, **more}


def output(call_id: str, value: Any = "", kind: str = "function_call_output") -> dict[str, Any]:
    return {"type": kind, "call_id": call_id, "output": value}


def function(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "name": name, **more}


def custom(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "custom", "name": name, **more}


def namespace(name: str, *tools: dict[str, Any], description: str = "") -> dict[str, Any]:
    return {"type": "namespace", "name": name, "description": description, "tools": list(tools)}


def body(*items: Any, **more: Any) -> dict[str, Any]:
    return {"model": "claude-opus-5-5", "input": list(items) or "hi", **more}


def translate(*items: Any, **more: Any) -> Call:
    return to_messages(body(*items, **more), CONTEXT)


def head_of(call: Call) -> ResponseHead:
    """What the encoder was given."""
    head: ResponseHead = call.encoder._head
    return head


def turns(*items: Any, **more: Any) -> list[tuple[str, list[Any]]]:
    """The roles and blocks of the translated turns."""
    return [(turn["role"], turn["content"]) for turn in translate(*items, **more).request.messages]


def refusal(*items: Any, **more: Any) -> InvalidRequest:
    """The error for this body."""
    with pytest.raises(InvalidRequest) as caught:
        translate(*items, **more)
    return caught.value


def tool_use(call_id: str, name: str = "look", given: Any = None) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": given or {}}


def result(call_id: str, *blocks: Any) -> dict[str, Any]:
    rest = {"content": list(blocks)} if blocks else {}
    return {"type": "tool_result", "tool_use_id": call_id, **rest}
