"""Continues answers that the API pauses while its own tools run, for clients whose dialect has no such pause.

The API pauses a turn of many searches with the stop reason `pause_turn` and goes on when it gets the answer so far as
the last message. https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons
"""

from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

from server.core.messages import (
    Events,
    Message,
    MessageFold,
    MessagesRequest,
    StreamEvent,
    native_tool_names,
    stop_reason_of,
)

MAX_PAUSES = 8
"""The answer ends at the next pause, as a cut one: each continuation is billed."""


def stream_past_pauses(serve: Callable[[MessagesRequest], Events], request: MessagesRequest) -> Events:
    """Serve `request` as one message, however often the API pauses. Others than such clients' are passed on."""
    may_pause = request.hides_server_blocks and bool(native_tool_names(request.tools))
    return _stream_continued(serve, request) if may_pause else serve(request)


async def _stream_continued(serve: Callable[[MessagesRequest], Events], request: MessagesRequest) -> Events:
    blocks, usage = 0, dict[str, Any]()
    for pause in range(MAX_PAUSES + 1):
        fold, paused = MessageFold(), False
        async with aclosing(serve(request)) as events:
            async for event in events:
                fold.feed(event)
                paused = paused or (pause < MAX_PAUSES and stop_reason_of(event) == "pause_turn")
                if not paused and not (pause and event.get("type") == "message_start"):
                    yield _as_continuation(event, blocks, usage)
        if not paused:
            return
        blocks += len(fold.content)
        usage = add_usage(usage, fold.usage)
        request = _with_answer(request, fold)


def _as_continuation(event: StreamEvent, blocks: int, usage: Mapping[str, Any]) -> StreamEvent:
    """The event behind so many blocks, with the usage of the earlier parts in its counts."""
    if blocks and "index" in event:
        return {**event, "index": event["index"] + blocks}
    if usage and event.get("type") == "message_delta":
        return {**event, "usage": add_usage(usage, event.get("usage") or {})}
    return event


def add_usage(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """The sums of all counts; of what is no number, the latest."""
    total = {**first, **{name: value for name, value in second.items() if value is not None or name not in first}}
    for name in first.keys() & second.keys():
        one, other = first[name], second[name]
        if isinstance(one, int) and isinstance(other, int):
            total[name] = one + other
        elif isinstance(one, dict) and isinstance(other, dict):
            total[name] = add_usage(one, other)
    return total


def _with_answer(request: MessagesRequest, fold: MessageFold) -> MessagesRequest:
    """The request whose last message is the answer so far."""
    messages, content = list(request.messages), list(fold.content)
    if messages[-1]["role"] == "assistant":
        content = [*messages.pop()["content"], *content]
    container = fold.message.get("container") or {}
    native = {**request.native, "container": container["id"]} if "id" in container else request.native
    return request.with_changes(messages=[*messages, Message(role="assistant", content=content)], native=native)
