"""The stub's answers as stream events. Pure.

Each has a message id of its own: the CLI joins messages with the same id.
"""

from collections.abc import Sequence
from typing import Any

from server.backends.claude_cli.self_check.api_stub import Answer
from server.core.messages import Block, StreamEvent

SIGNATURE = "c2lnbmF0dXJl"


def answer_with_text(message_id: str, *deltas: str, thinking: Sequence[str] = ()) -> Answer:
    """Text in several deltas, with a thinking block before it if there is thinking."""
    blocks: list[tuple[Block, list[dict[str, Any]]]] = []
    if thinking:
        thought = [{"type": "thinking_delta", "thinking": text} for text in thinking]
        thought.append({"type": "signature_delta", "signature": SIGNATURE})
        blocks.append(({"type": "thinking", "thinking": "", "signature": ""}, thought))
    blocks.append(({"type": "text", "text": ""}, [{"type": "text_delta", "text": text} for text in deltas]))
    return Answer(_message_events(message_id, blocks, "end_turn"))


def answer_with_call(message_id: str, call_id: str, name: str, pieces: Sequence[str]) -> Answer:
    """A tool call, whose arguments come in pieces of JSON."""
    start = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return Answer(_message_events(message_id, [(start, deltas)], "tool_use"))


def answer_without_end(message_id: str, text: str) -> Answer:
    """Text that begins and does not go on."""
    return Answer(answer_with_text(message_id, text).events[:3], ends=False)


def _message_events(
    message_id: str, blocks: Sequence[tuple[Block, list[dict[str, Any]]]], reason: str
) -> list[StreamEvent]:
    usage = {"input_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1}
    message = {
        **{"id": message_id, "type": "message", "role": "assistant", "model": "claude-check", "content": []},
        **{"stop_reason": None, "stop_sequence": None, "usage": usage},
    }
    events: list[StreamEvent] = [{"type": "message_start", "message": message}]
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    end = {"stop_reason": reason, "stop_sequence": None}
    events.append({"type": "message_delta", "delta": end, "usage": {"output_tokens": 10}})
    return [*events, {"type": "message_stop"}]
