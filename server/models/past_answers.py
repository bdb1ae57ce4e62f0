"""Fit earlier answers, which the API and Claude Code take only in a certain order."""

from server.core.messages import Block, Message, MessagesRequest
from server.models.table import Capabilities

_THINKING = frozenset({"thinking", "redacted_thinking"})


def fit_past_answers(request: MessagesRequest, caps: Capabilities, warnings: list[str]) -> MessagesRequest:
    """Move tool calls to the end of their turn, and drop turns of thinking alone.

    The API refuses an answer that ends in thinking, and mostly one with text between a call and its result. Claude Code
    (2.1.330) makes the same changes silently, on live processes too; here the client gets a warning.
    """
    last = len(request.messages) - 1
    kept = [message for index, message in enumerate(request.messages) if index == last or not _only_thinks(message)]
    if len(kept) < len(request.messages):
        warnings.append("answers of thinking alone are not taken in a conversation and were left out")
    if moved := [index for index, message in enumerate(kept) if not _calls_are_last(message)]:
        warnings.append("text after a tool call is not taken by Claude Code and was put before the call")
    for index in moved:
        kept[index] = {**kept[index], "content": sorted(kept[index]["content"], key=_is_call)}
    return request.with_changes(messages=tuple(kept)) if moved or len(kept) < len(request.messages) else request


def _only_thinks(message: Message) -> bool:
    kinds = {block["type"] for block in message["content"]}
    return message["role"] == "assistant" and bool(kinds) and kinds <= _THINKING


def _calls_are_last(message: Message) -> bool:
    if message["role"] == "user":
        return True
    calls = [_is_call(block) for block in message["content"]]
    return calls == sorted(calls)


def _is_call(block: Block) -> bool:
    kind: str = block["type"]
    return kind == "tool_use"
