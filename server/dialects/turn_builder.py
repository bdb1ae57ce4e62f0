"""A client's messages as a system prompt and alternating turns of user and assistant.

OpenAI's and Ollama's dialects allow more than the Messages API. Without losing a word:

- System texts at the start become the system prompt. The CLI accepts a system prompt only at the start, so a later one
  becomes a text `<system>` in the user's turn at its place. If a request has only system texts (some clients send just
  an instruction), the last of them becomes the user's turn.
- Neighbouring messages of one role become one turn, with tool results first.
- A tool call without a result gets an error as its result, since every call needs one.
- A conversation that begins with the assistant gets `OPENING` before it, since the user must begin.
- Empty messages are left out. A user's turn of empty messages alone becomes `EMPTY`: OpenAI accepts it, the Messages
  API does not.
- Thinking at the end of an answer is put before its text and calls, since the API refuses it there.
- Ids of tool calls are reduced to the characters that the API allows, and made unique.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from server.core.messages import Block, Message, text_block
from server.dialects.turn_rules import append_blocks, wrap_system_texts
from server.dialects.validation import invalid_field, quote_value

OPENING = "(The conversation begins.)"
EMPTY = "(The message is empty.)"
UNANSWERED = "The tool call was not answered by the client."
THINKING = ("thinking", "redacted_thinking")

_NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_-]")


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A tool call without its result. `api_id` is its id in the block, `client_id` the client's."""

    client_id: str
    api_id: str
    name: str


@dataclass(slots=True)
class TurnBuilder:
    """Assembles the turns; call the `add_` methods in the order of the client's messages, then `finish`.

    `open_calls` are the calls of the assistant's latest turn that have no result yet, by the client's id. What has to
    be changed is named in `warnings`. With `allows_nothing` messages without any content become `EMPTY` too.
    """

    warnings: list[str]
    allows_nothing: bool = False
    open_calls: dict[str, OpenCall] = field(default_factory=dict)
    _system: list[str] = field(default_factory=list)
    _turns: list[Message] = field(default_factory=list)
    _begun: bool = False
    _empty: bool = False
    """Whether an empty message is part of the user's turn that is being assembled."""
    _results: list[Block] = field(default_factory=list)
    _words: list[Block] = field(default_factory=list)
    """With `_results`, the blocks of that turn."""
    _ids: set[str] = field(default_factory=set)
    """All ids in blocks."""
    _repeats: Counter[str] = field(default_factory=Counter)
    """How often an id had to be changed."""

    @property
    def calls(self) -> int:
        """Number of tool calls so far."""
        return len(self._ids)

    @property
    def user_has_spoken(self) -> bool:
        """Whether the next block of the assistant begins a new turn."""
        return bool(self._results or self._words or self._empty)

    def add_system(self, texts: Sequence[str]) -> None:
        """Add the texts of a system message."""
        if not self._begun:
            self._system += texts
        elif texts:
            self._words.append(wrap_system_texts(texts))

    def add_user(self, blocks: Sequence[Block]) -> None:
        """Add a user's message; without blocks it is an empty one."""
        self._begun = True
        self._words += blocks
        self._empty = self._empty or not blocks

    def add_assistant(self, blocks: list[Block]) -> None:
        """Add blocks of an answer, calls among them made by `open_call`. Without blocks nothing is added."""
        self._begun = True
        if blocks:
            append_blocks(self._turns, "assistant", blocks)

    def begin_assistant(self) -> None:
        """End the user's turn. Required before `open_call`."""
        self._begun = True
        self._close_user_turn()

    def open_call(self, client_id: str, name: str, arguments: dict[str, Any], path: str) -> Block:
        """The block of a tool call. Raises InvalidRequest, which names `path`, if the id is already open."""
        if client_id in self.open_calls:
            problem = f"is {quote_value(client_id)}, which an open call already has"
            raise invalid_field(path, problem, "Give every call its own id.")
        call = self.open_calls[client_id] = OpenCall(client_id, self._unique_id(client_id), name)
        return {"type": "tool_use", "id": call.api_id, "name": name, "input": arguments}

    def add_result(self, call: OpenCall, blocks: list[Block], *, is_error: bool = False) -> None:
        """Add the result of an open call."""
        self._begun = True
        del self.open_calls[call.client_id]
        content: dict[str, Any] = {"content": blocks} if blocks else {}
        self._results.append(_result_block(call, {**content, "is_error": True} if is_error else content))

    def finish(self, path: str) -> tuple[list[str], list[Message]]:
        """The system texts and all turns. The assistant's may be the last (prefill).

        Raises InvalidRequest, which names `path`, if there is no content at all.
        """
        self._close_user_turn(final=True)
        self._move_thinking()
        if not self._turns and self._system:
            self._turns.append(Message(role="user", content=[text_block(self._system.pop())]))
        if not self._turns and self.allows_nothing:
            self._turns.append(Message(role="user", content=[self._empty_block()]))
        if not self._turns:
            raise invalid_field(path, "hold no content", "Send at least one message with content.")
        if self._turns[0]["role"] == "assistant":
            self._turns.insert(0, Message(role="user", content=[text_block(OPENING)]))
        return self._system, self._turns

    def _move_thinking(self) -> None:
        """Put thinking at the end of an answer first, and leave it out where the last answer is nothing else."""
        for turn in self._turns:
            if turn["role"] == "assistant" and turn["content"][-1]["type"] in THINKING:
                turn["content"].sort(key=lambda block: block["type"] not in THINKING)
        if self._turns and self._turns[-1]["content"][-1]["type"] in THINKING:
            self._turns.pop()
            self.warnings.append("thinking without an answer at the end of a conversation was left out")

    def _empty_block(self) -> Block:
        self.warnings.append(f"Claude accepts no empty user message: it was replaced by '{EMPTY}'")
        return text_block(EMPTY)

    def _unique_id(self, client_id: str) -> str:
        base = candidate = _NOT_IN_AN_ID.sub("_", client_id)
        while candidate in self._ids:
            self._repeats[base] += 1
            # Not `_2`: the CLI (2.1.330) loses the result of an id that is another one plus `_` and digits.
            candidate = f"{base}-{self._repeats[base] + 1}"
        self._ids.add(candidate)
        return candidate

    def _close_user_turn(self, *, final: bool = False) -> None:
        """Add the user's turn: results, errors for unanswered calls, then the words."""
        if self._empty and not (self._results or self._words):
            self._words.append(self._empty_block())
        if not (self._results or self._words or (final and self.open_calls)):
            return
        error = {"content": [text_block(UNANSWERED)], "is_error": True}
        unanswered = [_result_block(call, error) for call in self.open_calls.values()]
        self._turns.append(Message(role="user", content=[*self._results, *unanswered, *self._words]))
        self._results, self._words, self._empty = [], [], False
        self.open_calls.clear()


def _result_block(call: OpenCall, rest: dict[str, Any]) -> Block:
    return {"type": "tool_result", "tool_use_id": call.api_id, **rest}
