"""Encoding of stream events as chunks of a chat completion or as the completion.

Thinking becomes `reasoning_content`, the field that DeepSeek introduced and most clients read. OpenAI's API has none.
Citations become annotations, which OpenAI's search models stream as `delta.annotations`. The blocks of a search itself
have no place here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.core import exact_json
from server.core.errors import DragomanError
from server.core.messages import MessageFold, StreamEvent, text_of
from server.dialects.base import Chunk
from server.dialects.openai.citations import Citation, CitationFinder, find_citations
from server.dialects.openai.errors import error_response
from server.dialects.openai.usage import completion_usage

_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "length",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


@dataclass(slots=True)
class _Choice:
    """The position in the stream of one answer.

    `open_call` is the index of the tool call that is being written, and `given_input` the input that its block began
    with, until a fragment is sent.
    """

    begun: bool = False
    calls: int = 0
    open_call: int | None = None
    given_input: Any = None
    citations: CitationFinder = field(default_factory=CitationFinder)


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
        self._model = model
        self._answer = {"id": completion_id, "created": created, "model": model}
        self._head = {**self._answer, "object": "chat.completion.chunk"}
        # With include_usage every chunk has the field, which is null except in the last one.
        self._tail = {"usage": None} if include_usage else {}
        self._include_usage = include_usage
        self._legacy = legacy_functions
        self._choices: defaultdict[int, _Choice] = defaultdict(_Choice)

    @property
    def model(self) -> str:
        return self._model

    @model.setter
    def model(self, name: str) -> None:
        self._model = self._answer["model"] = self._head["model"] = name

    def feed(self, event: StreamEvent, choice: int = 0) -> Iterable[Chunk]:
        state = self._choices[choice]
        citations = state.citations.feed(event)
        match event["type"]:
            case "content_block_delta":
                delta = self._delta(event["delta"], state)
            case "message_start":
                delta = None if state.begun else {"role": "assistant", "content": ""}
                state.begun = True
            case "content_block_start":
                delta = self._begin_block(event["content_block"], state)
            case "content_block_stop":
                delta = {"annotations": _annotations(citations)} if citations else self._end_block(state)
            case "message_delta":
                return self._finish(event["delta"], choice)
            case _:
                delta = None
        return () if delta is None else (self._make_chunk(choice, delta, None),)

    def close(self, folds: Sequence[MessageFold]) -> Iterable[Chunk]:
        if self._include_usage:
            yield Chunk({**self._head, "choices": [], "usage": completion_usage(fold.usage for fold in folds)})
        yield Chunk("[DONE]")

    def ping(self) -> Iterable[Chunk]:
        # The API has no ping. Every parser of event streams skips comments.
        return (Chunk(None),)

    def fail(self, error: DragomanError) -> Iterable[Chunk]:
        """The error as the SDKs expect it, without a finish reason or `[DONE]`."""
        yield Chunk(error_response(error).body)

    def build_response(self, folds: Sequence[MessageFold]) -> dict[str, Any]:
        return {
            **self._answer,
            "object": "chat.completion",
            "choices": [self._whole_choice(index, fold) for index, fold in enumerate(folds)],
            "usage": completion_usage(fold.usage for fold in folds),
        }

    def _make_chunk(self, choice: int, delta: dict[str, Any], finish_reason: str | None) -> Chunk:
        one = {"index": choice, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return Chunk({**self._head, "choices": [one], **self._tail})

    def _delta(self, delta: dict[str, Any], state: _Choice) -> dict[str, Any] | None:
        match delta["type"]:
            case "text_delta":
                return _text_delta("content", delta["text"])
            case "input_json_delta":
                return self._arguments(delta["partial_json"], state)
            case "thinking_delta":
                return _text_delta("reasoning_content", delta["thinking"])
            case _:
                return None

    def _begin_block(self, block: dict[str, Any], state: _Choice) -> dict[str, Any] | None:
        match block["type"]:
            case "text":
                return _text_delta("content", block["text"])
            case "thinking":
                return _text_delta("reasoning_content", block["thinking"])
            case "tool_use":
                return self._begin_call(block, state)
            case _:
                return None

    def _begin_call(self, block: dict[str, Any], state: _Choice) -> dict[str, Any] | None:
        state.open_call = state.calls
        state.calls += 1
        state.given_input = block.get("input") or {}
        function = {"name": block["name"], "arguments": ""}
        if self._legacy:
            return {"function_call": function} if state.open_call == 0 else None
        head = {"index": state.open_call, "id": block["id"], "type": "function"}
        return {"tool_calls": [{**head, "function": function}]}

    def _arguments(self, fragment: str, state: _Choice) -> dict[str, Any] | None:
        if state.open_call is None or not fragment:
            return None
        state.given_input = None
        if self._legacy:
            return {"function_call": {"arguments": fragment}} if state.open_call == 0 else None
        return {"tool_calls": [{"index": state.open_call, "function": {"arguments": fragment}}]}

    def _end_block(self, state: _Choice) -> dict[str, Any] | None:
        """The input of a call that came without deltas, usually an empty object."""
        delta = None
        if state.given_input is not None:
            delta = self._arguments(exact_json.dumps(state.given_input).decode(), state)
        state.open_call = None
        return delta

    def _finish(self, delta: dict[str, Any], choice: int) -> Iterable[Chunk]:
        if delta.get("stop_reason") is None:
            return ()
        refusal = _refusal(delta)
        return (self._make_chunk(choice, {"refusal": refusal} if refusal else {}, self._finish_reason(delta)),)

    def _finish_reason(self, message: Mapping[str, Any]) -> str:
        """Without a stop reason the answer was cut, which must not look like a regular end."""
        reason = _FINISH_REASONS.get(message.get("stop_reason") or "max_tokens", "stop")
        return "function_call" if reason == "tool_calls" and self._legacy else reason

    def _whole_choice(self, index: int, fold: MessageFold) -> dict[str, Any]:
        reason = self._finish_reason(fold.message)
        return {"index": index, "message": self._message(fold), "logprobs": None, "finish_reason": reason}

    def _message(self, fold: MessageFold) -> dict[str, Any]:
        text, calls = text_of(fold.content), _tool_calls(fold)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if calls and not text else text,
            "refusal": _refusal(fold.message),
            "annotations": _annotations(find_citations(fold.content)),
        }
        if reasoning := "".join(block["thinking"] for block in fold.content if block["type"] == "thinking"):
            message["reasoning_content"] = reasoning
        if calls and self._legacy:
            message["function_call"] = calls[0]["function"]
        elif calls:
            message["tool_calls"] = calls
        return message


def _tool_calls(fold: MessageFold) -> list[dict[str, Any]]:
    return [
        {
            "id": block["id"],
            "type": "function",
            "function": {"name": block["name"], "arguments": fold.input_text(index)},
        }
        for index, block in enumerate(fold.content)
        if block["type"] == "tool_use"
    ]


def _annotations(citations: Iterable[Citation]) -> list[dict[str, Any]]:
    return [{"type": "url_citation", "url_citation": citation} for citation in citations]


def _refusal(message: Mapping[str, Any]) -> str | None:
    refusal: str | None = (message.get("stop_details") or {}).get("explanation")
    return refusal


def _text_delta(key: str, text: str) -> dict[str, Any] | None:
    return {key: text} if text else None
