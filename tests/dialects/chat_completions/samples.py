"""Bodies, files and streams for the tests of the chat completions dialect."""

import base64
from collections.abc import Iterable, Iterator

import orjson
import pytest

from server.core.errors import InvalidRequest
from server.dialects.base import Call, Context
from server.dialects.chat_completions import to_messages

CONTEXT = Context(
    aliases={"my-model": "claude-haiku-5-5"},
    models=("claude-opus-5-5", "claude-haiku-5-5"),
    default_model="claude-opus-5-5",
    response_id="abc",
    created=1_700_000_000,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(8))
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(8))
GIF = b"GIF89a" + bytes(range(8))
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 "
PDF = b"%PDF-1.7\n%%EOF"


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def data_url(content: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64_of(content)}"


def image_part(url: str) -> dict:
    return {"type": "image_url", "image_url": {"url": url}}


def file_part(file_data: str, **more) -> dict:
    return {"type": "file", "file": {"file_data": file_data, **more}}


def text_part(text: str) -> dict:
    return {"type": "text", "text": text}


def image_block(content: bytes, media_type: str) -> dict:
    return {
        "type": "image",
        "source": {"type": "base64", "media_type": media_type, "data": base64_of(content)},
    }


def body(*messages: dict, **parameters) -> dict:
    return {
        "model": "claude-opus-5-5",
        "messages": list(messages) or [{"role": "user", "content": "hi"}],
        **parameters,
    }


def translate(*messages: dict, **parameters) -> Call:
    return to_messages(body(*messages, **parameters), CONTEXT)


def refusal(*messages: dict, **parameters) -> InvalidRequest:
    """The error for this body."""
    with pytest.raises(InvalidRequest) as caught:
        translate(*messages, **parameters)
    return caught.value


def call_message(*calls: tuple, content: str | None = None) -> dict:
    """An assistant's message with tool calls: ids, names and optional arguments."""
    return {
        "role": "assistant",
        "content": content,
        "tool_calls": [
            {"id": id, "type": "function", "function": {"name": name, "arguments": "".join(rest) or "{}"}}
            for id, name, *rest in calls
        ],
    }


def result_message(id: str, content) -> dict:
    return {"role": "tool", "tool_call_id": id, "content": content}


def function_tool(name: str, **more) -> dict:
    return {"type": "function", "function": {"name": name, **more}}


def events_of(
    blocks: Iterable[dict], stop_reason: str = "end_turn", usage: dict | None = None, pieces: int = 3, **end
) -> Iterator[dict]:
    """The stream of a message with these blocks, each in about `pieces` deltas."""
    usage = usage or {"input_tokens": 10, "output_tokens": 5}
    start = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
    yield {"type": "message_start", "message": {**start, "usage": {**usage, "output_tokens": 1}}}
    yield {"type": "ping"}
    for index, block in enumerate(blocks):
        yield {"type": "content_block_start", "index": index, "content_block": _opening(block)}
        for delta in _deltas(block, pieces):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": stop_reason, "stop_sequence": None, **end}
    yield {"type": "message_delta", "delta": delta, "usage": usage}
    yield {"type": "message_stop"}


def _opening(block: dict) -> dict:
    match block["type"]:
        case "text":
            return {"type": "text", "text": ""}
        case "thinking":
            return {"type": "thinking", "thinking": "", "signature": ""}
        case _:
            return {**block, "input": {}}


def _deltas(block: dict, pieces: int) -> Iterator[dict]:
    match block["type"]:
        case "text":
            yield from ({"type": "citations_delta", "citation": one} for one in block.get("citations", ()))
            yield from ({"type": "text_delta", "text": piece} for piece in _cut(block["text"], pieces))
        case "thinking":
            for piece in _cut(block["thinking"], pieces):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": "sig"}
        case _ if block["input"]:
            for piece in ["", *_cut(orjson.dumps(block["input"]).decode(), pieces)]:
                yield {"type": "input_json_delta", "partial_json": piece}


def _cut(text: str, pieces: int) -> list[str]:
    size = max(1, -(-len(text) // pieces))
    return [text[at : at + size] for at in range(0, len(text), size)]
