"""Fit a prefill: a final assistant message, which the answer continues.

https://platform.claude.com/docs/en/build-with-claude/prompt-engineering/prefill-claudes-response
"""

from collections.abc import Sequence
from typing import Literal

from server.core.errors import InvalidRequest
from server.core.messages import Block, Message, MessagesRequest, is_server_block, text_block, text_of
from server.models.table import Capabilities
from server.models.thinking import asks_for_thinking, without_thinking

Prefill = Literal["none", "native", "emulated"]

_INSTRUCTION = (
    "Your answer has been begun for you. Continue it exactly where the following text ends, without "
    "repeating any of it and without remarks of your own:\n\n"
)


def check_last_turn(messages: Sequence[Message]) -> None:
    """Raise `InvalidRequest` for no messages, or an unanswered tool call."""
    if not messages:
        raise InvalidRequest("messages: at least one message is required.", param="messages")
    unanswered = [block["id"] for block in _trailing_blocks(messages) if block["type"] == "tool_use"]
    if unanswered:
        last = f"messages.{len(messages) - 1}"
        raise InvalidRequest(
            f"{last}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(unanswered)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
            "next message.",
            param=last,
        )


def fit_prefill(request: MessagesRequest, caps: Capabilities, warnings: list[str]) -> tuple[MessagesRequest, Prefill]:
    """Pass the prefill on while thinking is off, otherwise emulate it.

    An answer that the API paused while its own tools ran (`pause_turn`) is not a prefill: every model continues it.
    """
    if request.messages[-1]["role"] != "assistant" or any(map(is_server_block, _trailing_blocks(request.messages))):
        return request, "none"
    before, text = _before_trailing(request.messages), text_of(_trailing_blocks(request.messages))
    if not text.strip():
        return _without_prefill(request, before), "none"
    if caps.prefill and not asks_for_thinking(request):
        # The API refuses a prefill that ends in whitespace.
        last: Message = {"role": "assistant", "content": [text_block(text.rstrip())]}
        return without_thinking(request.with_changes(messages=(*before, last))), "native"
    why = " while it thinks" if caps.prefill else ""
    warnings.append(
        f"prefill (a last message with the role assistant) is not taken by {caps.model}{why} "
        "and was emulated by an instruction"
    )
    return request.with_changes(messages=_with_instruction(before, text)), "emulated"


def _without_prefill(request: MessagesRequest, before: Sequence[Message]) -> MessagesRequest:
    if not before:
        raise InvalidRequest("messages: at least one user message is required.", param="messages")
    return request.with_changes(messages=before)


def _with_instruction(before: Sequence[Message], text: str) -> tuple[Message, ...]:
    block = text_block(_INSTRUCTION + text)
    if not before:
        return ({"role": "user", "content": [block]},)
    return (*before[:-1], {"role": "user", "content": [*before[-1]["content"], block]})


def _before_trailing(messages: Sequence[Message]) -> Sequence[Message]:
    """Return the messages up to the last one that is not the assistant's."""
    end = len(messages)
    while end and messages[end - 1]["role"] == "assistant":
        end -= 1
    return messages[:end]


def _trailing_blocks(messages: Sequence[Message]) -> list[Block]:
    """Return the blocks of the trailing assistant messages, which are one turn."""
    return [block for message in messages[len(_before_trailing(messages)) :] for block in message["content"]]
