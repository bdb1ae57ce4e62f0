"""The messages of a chat completion as a system prompt and turns that alternate between user and assistant.

What chat completions allows and the Messages API does not is brought into its rules, without losing a word:

- System and developer messages at the start are the system prompt. The CLI takes a system prompt at the start
  only, so a later one stays in its place as a text `<system>` in the user's turn there. A request of system
  messages alone (some clients send only their instruction) has the last of them as the user's turn.
- Neighbouring messages of one role are one turn; tool results come first in theirs.
- A tool call that got no answer is answered with an error, since every call needs a result.
- A conversation that begins with the assistant gets `OPENING` before it, since the user has to begin.
- Empty messages are left out, the reasoning that clients send back too: it is not theirs to write. A turn of the
  user's that is nothing but empty gets `EMPTY`, since OpenAI takes it and the Messages API does not.
- Names of speakers stand before their words. An assistant of one name is told it, so that its answers do not begin
  with a name; of several ones each stands before its words, too.
- Ids of tool calls from other providers are brought into the letters allowed, and made unique.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from server.core.messages import MAX_INPUT_DEPTH, Block, Message, TooDeep, read_tool_input, text_block
from server.dialects.chat_completions.content import (
    ASSISTANT_PARTS,
    SYSTEM_PARTS,
    USER_PARTS,
    content_blocks,
)
from server.dialects.chat_completions.fields import Field, shown
from server.dialects.chat_completions.speakers import assistant_names, instructed, name_of, spoken
from server.dialects.chat_completions.tools import tool_name
from server.dialects.texts import later_system, without_blank_texts

OPENING = "(The conversation begins.)"
EMPTY = "(The message is empty.)"
UNANSWERED = "The tool call was not answered by the client."

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_-]")


def read_messages(messages: Field, warnings: list[str]) -> tuple[list[str], list[Message]]:
    """The system texts and the turns of `messages`; words of ours among them are told in `warnings`.

    Raises `InvalidRequest`.
    """
    if not messages.items():
        raise messages.refusal("is missing or empty", "Send a list with at least one message.")
    names = assistant_names(messages.items())
    conversation = _Conversation(warnings, several_assistants=len(names) > 1)
    for message in messages.items():
        conversation.add(message)
    system, turns = conversation.finish(messages)
    return ([*system, f"Your name in this conversation is {names[0]}."] if len(names) == 1 else system), turns


@dataclass(frozen=True, slots=True)
class _Call:
    """A tool call that waits for its result; `api_id` is its id in the block."""

    api_id: str
    name: str
    legacy: bool


@dataclass(slots=True)
class _Conversation:
    """The turns so far, and the user's turn that is being put together."""

    warnings: list[str]
    several_assistants: bool
    system: list[str] = field(default_factory=list)
    turns: list[Message] = field(default_factory=list)
    _begun: bool = False
    _empty: bool = False
    _results: list[Block] = field(default_factory=list)
    _words: list[Block] = field(default_factory=list)
    _open: dict[str, _Call] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)
    _repeats: Counter[str] = field(default_factory=Counter)

    def add(self, message: Field) -> None:
        role = message.member("role").one_of(*_ROLES)
        self._begun = self._begun or role not in ("system", "developer")
        match role:
            case "system" | "developer":
                self._add_system(message)
            case "user":
                words = content_blocks(_required(message.member("content")), USER_PARTS)
                self._words += spoken(words, name_of(message))
                self._empty = self._empty or not words
            case "assistant":
                self._add_assistant(message)
            case "tool":
                name_of(message)  # The tool's, which its call has said.
                self._add_result(message)
            case "function":
                self._add_function_result(message)

    def finish(self, messages: Field) -> tuple[list[str], list[Message]]:
        """Everything, checked as a whole. An assistant's last turn stays the last (prefill)."""
        self._close_user_turn(final=True)
        if not self.turns and self.system:
            self.turns.append(Message(role="user", content=[text_block(self.system.pop())]))
        if not self.turns:
            raise messages.refusal("hold no content", "At least one message has to say something.")
        if self.turns[0]["role"] == "assistant":
            self.turns.insert(0, Message(role="user", content=[text_block(OPENING)]))
        return self.system, self.turns

    def _add_system(self, message: Field) -> None:
        blocks = content_blocks(_required(message.member("content")), SYSTEM_PARTS)
        texts = [block["text"] for block in instructed(blocks, name_of(message))]
        if not self._begun:
            self.system += texts
        elif texts:
            self._words.append(later_system(texts))

    def _add_assistant(self, message: Field) -> None:
        blocks = content_blocks(message.member("content"), ASSISTANT_PARTS)
        if not (refusal := message.member("refusal")).missing:
            blocks = without_blank_texts([*blocks, text_block(refusal.string())])
        if self.several_assistants:
            blocks = spoken(blocks, name_of(message))
        calls = message.member("tool_calls").items()
        function_call = message.member("function_call")
        if not (blocks or calls or not function_call.missing):
            return
        self._close_user_turn()
        blocks += [self._tool_use(call) for call in calls]
        if not function_call.missing:
            blocks.append(self._function_use(function_call))
        if self.turns and self.turns[-1]["role"] == "assistant":
            self.turns[-1]["content"] += blocks
        else:
            self.turns.append(Message(role="assistant", content=blocks))

    def _tool_use(self, call: Field) -> Block:
        call_id = call.member("id")
        if call_id.filled_string() in self._open:
            raise call_id.refusal(f"is {shown(call_id.value)}, as an open call's", "Give every call its own id.")
        kind = call.member("type")
        if not kind.missing and kind.one_of("function", "custom") == "custom":
            given = {"input": call.member("custom").member("input").string()}
            return self._opened(call_id.string(), call.member("custom"), given)
        function = call.member("function")
        return self._opened(call_id.string(), function, _arguments(function.member("arguments")))

    def _function_use(self, function: Field) -> Block:
        # The calls of old have no ids: this one stays the same for as long as the history before it does.
        call_id = f"function_call_{len(self._ids)}"
        return self._opened(call_id, function, _arguments(function.member("arguments")), legacy=True)

    def _opened(self, call_id: str, tool: Field, given: dict[str, Any], *, legacy: bool = False) -> Block:
        call = _Call(self._unique_id(call_id), tool_name(tool.member("name")), legacy)
        self._open[call_id] = call
        return {"type": "tool_use", "id": call.api_id, "name": call.name, "input": given}

    def _unique_id(self, call_id: str) -> str:
        base = candidate = _NOT_IN_AN_ID.sub("_", call_id)
        while candidate in self._ids:
            self._repeats[base] += 1
            # Not `_2`: the CLI (2.1.330) loses the result of an id that is another one with `_` and digits behind it.
            candidate = f"{base}-{self._repeats[base] + 1}"
        self._ids.add(candidate)
        return candidate

    def _add_result(self, message: Field) -> None:
        call_id = message.member("tool_call_id")
        call = self._open.pop(call_id.filled_string(), None)
        if call is None:
            raise call_id.refusal(
                f"is {shown(call_id.value)}, which no open tool call has",
                "A tool message answers a call in `tool_calls` of the assistant's message before it, once.",
            )
        self._answer(call, message.member("content"))

    def _add_function_result(self, message: Field) -> None:
        name = message.member("name")
        found = (key for key, call in self._open.items() if call.legacy and call.name == name.string())
        call_id = next(found, None)
        if call_id is None:
            raise name.refusal(
                f"is {shown(name.value)}, which no open function call has",
                "A function message answers the `function_call` of the assistant's message before it, once.",
            )
        self._answer(self._open.pop(call_id), message.member("content"))

    def _answer(self, call: _Call, content: Field) -> None:
        blocks = content_blocks(content, USER_PARTS)
        self._results.append(_result(call, {"content": blocks} if blocks else {}))

    def _close_user_turn(self, *, final: bool = False) -> None:
        """End the user's turn, if there is one: results first, then what is missing, then the words."""
        if self._empty and not (self._results or self._words):
            self._words.append(text_block(EMPTY))
            self.warnings.append(f"an empty message of the user's is not taken by Claude and became '{EMPTY}'")
        if not (self._results or self._words or (final and self._open)):
            return
        error = {"content": [text_block(UNANSWERED)], "is_error": True}
        missing = [_result(call, error) for call in self._open.values()]
        self.turns.append(Message(role="user", content=[*self._results, *missing, *self._words]))
        self._open, self._results, self._words, self._empty = {}, [], [], False


def _required(content: Field) -> Field:
    if content.missing:
        raise content.wrong_type("a string or a list of content parts")
    return content


def _result(call: _Call, rest: dict[str, Any]) -> Block:
    return {"type": "tool_result", "tool_use_id": call.api_id, **rest}


def _arguments(arguments: Field) -> dict[str, Any]:
    """A call's input. What is no JSON object (a call that was cut) is kept under `_incomplete`."""
    text = "" if arguments.missing else arguments.string()
    try:
        parsed = read_tool_input(text)
    except TooDeep:
        raise arguments.refusal(f"is nested deeper than {MAX_INPUT_DEPTH} levels", "Flatten it.") from None
    if parsed is None:
        return {}
    return parsed if isinstance(parsed, dict) else {"_incomplete": text}
