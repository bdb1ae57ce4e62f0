"""Messages of a chat as a system prompt and alternating turns.

`turn_builder` has the rules for turns. Thinking that clients send back is left out. Ollama's calls need no ids: those
without one get the id that their client was given, or else a new one. A result belongs to the open call with its id,
else to the first one with its name, else to the first one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from server.core.messages import Block, text_block
from server.core.messages import Message as Turn
from server.dialects.call_ids import CallIds, HistoryDigest
from server.dialects.ollama.body import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from server.dialects.turn_builder import OpenCall, TurnBuilder
from server.dialects.turn_rules import join_blank_texts


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages as the Messages API takes them, and their digest."""

    system: Sequence[str]
    messages: Sequence[Turn]
    digest: HistoryDigest


def read_messages(messages: Sequence[Message], call_ids: CallIds, warnings: list[str]) -> Conversation:
    """Read a client's messages; adds to `warnings`. Raises `InvalidRequest`."""
    reader = _Reader(TurnBuilder(warnings), warnings, call_ids)
    for index, message in enumerate(messages):
        reader.add(message, f"messages[{index}]")
    system, turns = reader.turns.finish("messages")
    return Conversation(system, turns, reader.digest)


def content_blocks(message: UserMessage | ToolMessage) -> list[Block]:
    """The blocks of a message: its pictures, then its text."""
    content, images = message.get("content") or "", message.get("images") or []
    return [*images, *join_blank_texts([text_block(content)])] if content.strip() else list(images)


@dataclass(slots=True)
class _Reader:
    turns: TurnBuilder
    warnings: list[str]
    call_ids: CallIds
    digest: HistoryDigest = field(default_factory=HistoryDigest)
    _unnamed: int = 0
    """Number of calls without an id, for those that are made here."""

    def add(self, message: Message, path: str) -> None:
        if message["role"] == "system":
            self.turns.add_system(list(filter(str.strip, [message.get("content") or ""])))
        elif message["role"] == "user":
            self.turns.add_user(content_blocks(message))
        elif message["role"] == "assistant":
            self._add_assistant(message, path)
        else:
            self._add_result(message)
        calls = message.get("tool_calls") or () if message["role"] == "assistant" else ()
        self.digest.add_message(message["role"], message.get("content") or "", [call["function"] for call in calls])

    def _add_assistant(self, message: AssistantMessage, path: str) -> None:
        content, calls = message.get("content") or "", message.get("tool_calls") or ()
        blocks = [text_block(content)] if content.strip() else []
        if blocks or calls:
            self.turns.begin_assistant()
        blocks += [self._open_call(call, index, f"{path}.tool_calls[{index}].id") for index, call in enumerate(calls)]
        self.turns.add_assistant(blocks)

    def _open_call(self, call: ToolCall, index: int, path: str) -> Block:
        name, arguments = call["function"]["name"], call["function"].get("arguments") or {}
        call_id = call.get("id") or self.call_ids.find_id(self.digest.digest_call(index, name, arguments))
        if not call_id:
            # The same for as long as the history before it is the same.
            self._unnamed += 1
            call_id = f"call_{self._unnamed:03}"
        return self.turns.open_call(call_id, name, arguments, path)

    def _add_result(self, message: ToolMessage) -> None:
        blocks, name = content_blocks(message), message.get("tool_name") or message.get("name") or ""
        call = self._find_call(message.get("tool_call_id") or "", name)
        if call is not None:
            self.turns.add_result(call, blocks)
            return
        # Clients that keep the last messages only may have lost the call. Its result must not get lost as well.
        opening = f'<tool_result name="{name}">' if name else "<tool_result>"
        self.turns.add_user([text_block(opening), *blocks, text_block("</tool_result>")])
        self.warnings.append("a tool's result without its call was passed on as the user's words")

    def _find_call(self, call_id: str, name: str) -> OpenCall | None:
        opened = self.turns.open_calls
        if call_id in opened:
            return opened[call_id]
        named = [call for call in opened.values() if call.name == name]
        return next(iter([*named, *opened.values()]), None)
