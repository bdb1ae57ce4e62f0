"""Fits earlier answers: what the API or Claude Code takes only in another order, or not at all."""

from server.core.messages import Block, Message, MessagesRequest
from server.models.table import Capabilities

_THINKING = frozenset({"thinking", "redacted_thinking"})


def fit_past_answers(request: MessagesRequest, caps: Capabilities, warnings: list[str]) -> MessagesRequest:
    """Tool calls come last in their turn, and turns of nothing but thinking are left out.

    The API refuses an answer that ends in thinking, and mostly one with text between a call and its result; Claude
    Code (2.1.330) brings both into that form by itself, on live processes too. Here the client is told.
    """
    last = len(request.messages) - 1
    kept = [message for at, message in enumerate(request.messages) if at == last or not _only_thinks(message)]
    if len(kept) < len(request.messages):
        warnings.append("answers of thinking alone are not taken in a conversation and were left out")
    if moved := [at for at, message in enumerate(kept) if not _calls_are_last(message)]:
        warnings.append("text after a tool call is not taken by Claude Code and was put before the call")
    for at in moved:
        kept[at] = {**kept[at], "content": sorted(kept[at]["content"], key=_is_call)}
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
