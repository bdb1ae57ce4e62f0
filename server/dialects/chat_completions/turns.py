"""Messages as a system prompt and alternating turns of user and assistant.

Chat completions allows more than the Messages API. Without losing a word:

- System and developer messages at the start become the system prompt. The CLI accepts a system prompt only at the
  start, so a later one becomes a text `<system>` in the user's turn at its place. If a request has only system
  messages (some clients send just an instruction), the last of them becomes the user's turn.
- Neighbouring messages of one role become one turn, with tool results first.
- A tool call without a result gets an error as its result, since every call needs one.
- A conversation that begins with the assistant gets `OPENING` before it, since the user must begin.
- Empty messages are left out, and so is reasoning that clients send back. A user's turn of empty messages alone
  becomes `EMPTY`: OpenAI accepts it, the Messages API does not.
- Names of speakers precede their words. If the assistant has one name, the system prompt says it instead, so that
  answers do not begin with a name.
- Ids of tool calls are reduced to the characters that the API allows, and made unique.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from server.core.messages import Block, Message, text_block
from server.dialects.chat_completions.body import (
    AssistantMessage,
    ChatMessage,
    FunctionMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)
from server.dialects.chat_completions.content import content_blocks
from server.dialects.chat_completions.speakers import add_speaker, add_system_speaker, assistant_names, name_of
from server.dialects.turn_rules import append_blocks, join_blank_texts, wrap_system_texts
from server.dialects.validation import invalid_field, quote_value

OPENING = "(The conversation begins.)"
EMPTY = "(The message is empty.)"
UNANSWERED = "The tool call was not answered by the client."

_NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_-]")


def read_messages(messages: Sequence[ChatMessage], warnings: list[str]) -> tuple[list[str], list[Message]]:
    """The system texts and the turns; adds to `warnings`. Raises `InvalidRequest`."""
    names = assistant_names(messages)
    conversation = _Conversation(warnings, several_assistants=len(names) > 1)
    for index, message in enumerate(messages):
        conversation.add(message, f"messages[{index}]")
    system, turns = conversation.finish()
    return ([*system, f"Your name in this conversation is {names[0]}."] if len(names) == 1 else system), turns


@dataclass(frozen=True, slots=True)
class _OpenCall:
    """A tool call without its result; `api_id` is its id in the block."""

    api_id: str
    name: str
    legacy: bool


@dataclass(slots=True)
class _Conversation:
    """The turns so far, and the user's turn that is being assembled.

    `_results` and `_words` are that turn's blocks; `_empty` says that an empty message is part of it. `_open` are the
    assistant's latest calls by the client's id, `_ids` all ids in blocks, `_repeats` how often an id had to be changed.
    """

    warnings: list[str]
    several_assistants: bool
    system: list[str] = field(default_factory=list)
    turns: list[Message] = field(default_factory=list)
    _begun: bool = False
    _empty: bool = False
    _results: list[Block] = field(default_factory=list)
    _words: list[Block] = field(default_factory=list)
    _open: dict[str, _OpenCall] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)
    _repeats: Counter[str] = field(default_factory=Counter)

    def add(self, message: ChatMessage, path: str) -> None:
        if message["role"] == "system" or message["role"] == "developer":
            self._add_system(message)
            return
        self._begun = True
        if message["role"] == "user":
            words = content_blocks(message["content"])
            self._words += add_speaker(words, name_of(message))
            self._empty = self._empty or not words
        elif message["role"] == "assistant":
            self._add_assistant(message, path)
        elif message["role"] == "tool":
            self._add_result(message, path)
        else:
            self._add_function_result(message, path)

    def finish(self) -> tuple[list[str], list[Message]]:
        """The system texts and all turns. The assistant's may be the last (prefill)."""
        self._close_user_turn(final=True)
        if not self.turns and self.system:
            self.turns.append(Message(role="user", content=[text_block(self.system.pop())]))
        if not self.turns:
            raise invalid_field("messages", "hold no content", "Send at least one message with content.")
        if self.turns[0]["role"] == "assistant":
            self.turns.insert(0, Message(role="user", content=[text_block(OPENING)]))
        return self.system, self.turns

    def _add_system(self, message: SystemMessage) -> None:
        blocks = content_blocks(message["content"])
        texts = [block["text"] for block in add_system_speaker(blocks, name_of(message))]
        if not self._begun:
            self.system += texts
        elif texts:
            self._words.append(wrap_system_texts(texts))

    def _add_assistant(self, message: AssistantMessage, path: str) -> None:
        blocks = content_blocks(message.get("content"))
        if (refusal := message.get("refusal")) is not None:
            blocks = join_blank_texts([*blocks, text_block(refusal)])
        if self.several_assistants:
            blocks = add_speaker(blocks, name_of(message))
        calls, function_call = message.get("tool_calls") or (), message.get("function_call")
        if not (blocks or calls or function_call):
            return
        self._close_user_turn()
        blocks += [self._open_tool_call(call, f"{path}.tool_calls[{index}]") for index, call in enumerate(calls)]
        if function_call:
            # A call without an id: this one stays the same for as long as the history before it does.
            call_id, arguments = f"function_call_{len(self._ids)}", function_call.get("arguments") or {}
            blocks.append(self._open_call(call_id, function_call["name"], arguments, legacy=True))
        append_blocks(self.turns, "assistant", blocks)

    def _open_tool_call(self, call: ToolCall, path: str) -> Block:
        call_id = call["id"]
        if call_id in self._open:
            problem = f"is {quote_value(call_id)}, which an open call already has"
            raise invalid_field(f"{path}.id", problem, "Give every call its own id.")
        if call["type"] == "custom":
            return self._open_call(call_id, call["custom"]["name"], {"input": call["custom"]["input"]})
        return self._open_call(call_id, call["function"]["name"], call["function"].get("arguments") or {})

    def _open_call(self, call_id: str, name: str, arguments: dict[str, Any], *, legacy: bool = False) -> Block:
        call = self._open[call_id] = _OpenCall(self._unique_id(call_id), name, legacy)
        return {"type": "tool_use", "id": call.api_id, "name": name, "input": arguments}

    def _unique_id(self, call_id: str) -> str:
        base = candidate = _NOT_IN_AN_ID.sub("_", call_id)
        while candidate in self._ids:
            self._repeats[base] += 1
            # Not `_2`: the CLI (2.1.330) loses the result of an id that is another one plus `_` and digits.
            candidate = f"{base}-{self._repeats[base] + 1}"
        self._ids.add(candidate)
        return candidate

    def _add_result(self, message: ToolMessage, path: str) -> None:
        call = self._open.pop(message["tool_call_id"], None)
        if call is None:
            raise invalid_field(
                f"{path}.tool_call_id",
                f"is {quote_value(message['tool_call_id'])}, which no open tool call has",
                "A tool message answers a call in `tool_calls` of the assistant's message before it, once.",
            )
        self._add_result_block(call, message)

    def _add_function_result(self, message: FunctionMessage, path: str) -> None:
        found = (key for key, call in self._open.items() if call.legacy and call.name == message["name"])
        call_id = next(found, None)
        if call_id is None:
            raise invalid_field(
                f"{path}.name",
                f"is {quote_value(message['name'])}, which no open function call has",
                "A function message answers the `function_call` of the assistant's message before it, once.",
            )
        self._add_result_block(self._open.pop(call_id), message)

    def _add_result_block(self, call: _OpenCall, message: ToolMessage | FunctionMessage) -> None:
        blocks = content_blocks(message.get("content"))
        self._results.append(_result_block(call, {"content": blocks} if blocks else {}))

    def _close_user_turn(self, *, final: bool = False) -> None:
        """Add the user's turn: results, errors for unanswered calls, then the words."""
        if self._empty and not (self._results or self._words):
            self._words.append(text_block(EMPTY))
            self.warnings.append(f"Claude accepts no empty user message: it was replaced by '{EMPTY}'")
        if not (self._results or self._words or (final and self._open)):
            return
        error = {"content": [text_block(UNANSWERED)], "is_error": True}
        unanswered = [_result_block(call, error) for call in self._open.values()]
        self.turns.append(Message(role="user", content=[*self._results, *unanswered, *self._words]))
        self._open, self._results, self._words, self._empty = {}, [], [], False


def _result_block(call: _OpenCall, rest: dict[str, Any]) -> Block:
    return {"type": "tool_result", "tool_use_id": call.api_id, **rest}
