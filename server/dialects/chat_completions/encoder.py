"""Encoding of stream events as chunks of a chat completion or as the completion.

Thinking becomes `reasoning_content`, the field that DeepSeek introduced and most clients read. OpenAI's API has none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from server.core import exact_json
from server.core.errors import TrayError
from server.core.messages import StreamEvent
from server.dialects.base import Chunk
from server.dialects.chat_completions.errors import error_response
from server.dialects.chat_completions.usage import add_counts, completion_usage

_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


@dataclass(slots=True)
class _ToolCall:
    id: str
    name: str
    given_input: Any
    arguments: list[str] = field(default_factory=list)

    @property
    def function(self) -> dict[str, str]:
        return {"name": self.name, "arguments": "".join(self.arguments) or "{}"}


@dataclass(slots=True)
class _Choice:
    """An answer so far; `open_call` is the index of the tool call in progress."""

    texts: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: list[_ToolCall] = field(default_factory=list)
    open_call: int | None = None
    begun: bool = False
    finish_reason: str | None = None
    refusal: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)


class ChatCompletionEncoder:
    """Implements `server.dialects.base.Encoder`.

    A client that sent `functions` (`legacy_functions`) gets `function_call`, which has room for one call: further
    calls are left out.
    """

    def __init__(
        self,
        *,
        completion_id: str,
        created: int,
        model: str,
        include_usage: bool = False,
        legacy_functions: bool = False,
    ) -> None:
        self._answer = {"id": completion_id, "created": created, "model": model}
        self._head = {**self._answer, "object": "chat.completion.chunk"}
        # With include_usage every chunk has the field, which is null except in the last one.
        self._tail = {"usage": None} if include_usage else {}
        self._include_usage = include_usage
        self._legacy = legacy_functions
        self._choices: dict[int, _Choice] = {}

    def feed(self, event: StreamEvent, choice: int = 0) -> Iterable[Chunk]:
        answer = self._choices.get(choice)
        if answer is None:
            answer = self._choices[choice] = _Choice()
        match event["type"]:
            case "content_block_delta":
                delta = self._encode_delta(event["delta"], answer)
            case "message_start":
                add_counts(answer.usage, event["message"].get("usage"))
                delta = None if answer.begun else {"role": "assistant", "content": ""}
                answer.begun = True
            case "content_block_start":
                delta = self._begin_block(event["content_block"], answer)
            case "content_block_stop":
                delta = self._end_block(answer)
            case "message_delta":
                return self._encode_finish(event, answer, choice)
            case _:
                delta = None
        return () if delta is None else (self._make_chunk(choice, delta, None),)

    def close(self) -> Iterable[Chunk]:
        if self._include_usage:
            yield Chunk({**self._head, "choices": [], "usage": self._total_usage()})
        yield Chunk("[DONE]")

    def fail(self, error: TrayError) -> Iterable[Chunk]:
        """The error as the SDKs expect it, without a finish reason or `[DONE]`."""
        yield Chunk(error_response(error).body)

    def build_response(self) -> dict[str, Any]:
        return {
            **self._answer,
            "object": "chat.completion",
            "choices": [self._build_choice(index, answer) for index, answer in sorted(self._choices.items())],
            "usage": self._total_usage(),
        }

    def _make_chunk(self, choice: int, delta: dict[str, Any], finish_reason: str | None) -> Chunk:
        one = {"index": choice, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return Chunk({**self._head, "choices": [one], **self._tail})

    def _encode_delta(self, delta: dict[str, Any], answer: _Choice) -> dict[str, Any] | None:
        match delta["type"]:
            case "text_delta":
                return _append_text(answer.texts, "content", delta["text"])
            case "input_json_delta":
                return self._append_arguments(delta["partial_json"], answer)
            case "thinking_delta":
                return _append_text(answer.reasoning, "reasoning_content", delta["thinking"])
            case _:
                return None

    def _begin_block(self, block: dict[str, Any], answer: _Choice) -> dict[str, Any] | None:
        match block["type"]:
            case "text":
                return _append_text(answer.texts, "content", block["text"])
            case "thinking":
                return _append_text(answer.reasoning, "reasoning_content", block["thinking"])
            case "tool_use":
                return self._begin_call(block, answer)
            case _:
                return None

    def _begin_call(self, block: dict[str, Any], answer: _Choice) -> dict[str, Any] | None:
        answer.open_call = len(answer.calls)
        answer.calls.append(_ToolCall(block["id"], block["name"], block.get("input")))
        function = {"name": block["name"], "arguments": ""}
        if self._legacy:
            return {"function_call": function} if answer.open_call == 0 else None
        head = {"index": answer.open_call, "id": block["id"], "type": "function"}
        return {"tool_calls": [{**head, "function": function}]}

    def _append_arguments(self, fragment: str, answer: _Choice) -> dict[str, Any] | None:
        index = answer.open_call
        if index is None or not fragment:
            return None
        answer.calls[index].arguments.append(fragment)
        if self._legacy:
            return {"function_call": {"arguments": fragment}} if index == 0 else None
        return {"tool_calls": [{"index": index, "function": {"arguments": fragment}}]}

    def _end_block(self, answer: _Choice) -> dict[str, Any] | None:
        """The input of a call that had no deltas, usually an empty object."""
        if answer.open_call is None:
            return None
        call = answer.calls[answer.open_call]
        arguments = "" if call.arguments else exact_json.dumps(call.given_input or {}).decode()
        delta = self._append_arguments(arguments, answer)
        answer.open_call = None
        return delta

    def _encode_finish(self, event: StreamEvent, answer: _Choice, choice: int) -> Iterable[Chunk]:
        add_counts(answer.usage, event.get("usage"))
        stop_reason = event["delta"].get("stop_reason")
        if stop_reason is None:
            return ()
        answer.finish_reason = self._finish_reason(stop_reason)
        answer.refusal = (event["delta"].get("stop_details") or {}).get("explanation")
        delta = {"refusal": answer.refusal} if answer.refusal else {}
        return (self._make_chunk(choice, delta, answer.finish_reason),)

    def _finish_reason(self, stop_reason: str) -> str:
        reason = _FINISH_REASONS.get(stop_reason, "stop")
        return "function_call" if reason == "tool_calls" and self._legacy else reason

    def _build_choice(self, index: int, answer: _Choice) -> dict[str, Any]:
        reason = answer.finish_reason or "length"  # a cut answer must not look complete
        return {"index": index, "message": self._build_message(answer), "logprobs": None, "finish_reason": reason}

    def _build_message(self, answer: _Choice) -> dict[str, Any]:
        text = "".join(answer.texts)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if answer.calls and not text else text,
            "refusal": answer.refusal,
            "annotations": [],
        }
        if answer.reasoning:
            message["reasoning_content"] = "".join(answer.reasoning)
        if answer.calls and self._legacy:
            message["function_call"] = answer.calls[0].function
        elif answer.calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": call.function} for call in answer.calls
            ]
        return message

    def _total_usage(self) -> dict[str, Any]:
        return completion_usage(answer.usage for answer in self._choices.values())


def _append_text(texts: list[str], key: str, text: str) -> dict[str, Any] | None:
    if not text:
        return None
    texts.append(text)
    return {key: text}
