"""Messages of a chat completion as a system prompt and alternating turns.

`turn_builder` has the rules for turns. Reasoning that clients send back is left out. Names of speakers precede their
words. If the assistant has one name, the system prompt says it instead, so that answers do not begin with a name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

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
from server.dialects.turn_builder import TurnBuilder
from server.dialects.turn_rules import join_blank_texts
from server.dialects.validation import invalid_field, quote_value


def read_messages(messages: Sequence[ChatMessage], warnings: list[str]) -> tuple[list[str], list[Message]]:
    """The system texts and the turns; adds to `warnings`. Raises `InvalidRequest`."""
    names = assistant_names(messages)
    conversation = _Conversation(TurnBuilder(warnings), several_assistants=len(names) > 1)
    for index, message in enumerate(messages):
        conversation.add(message, f"messages[{index}]")
    system, turns = conversation.turns.finish("messages")
    return ([*system, f"Your name in this conversation is {names[0]}."] if len(names) == 1 else system), turns


@dataclass(slots=True)
class _Conversation:
    turns: TurnBuilder
    several_assistants: bool
    _legacy: set[str] = field(default_factory=set)
    """Our ids of open function calls, which have none of their own."""

    def add(self, message: ChatMessage, path: str) -> None:
        if message["role"] == "system" or message["role"] == "developer":
            self._add_system(message)
        elif message["role"] == "user":
            self.turns.add_user(add_speaker(content_blocks(message["content"]), name_of(message)))
        elif message["role"] == "assistant":
            self._add_assistant(message, path)
        elif message["role"] == "tool":
            self._add_result(message, path)
        else:
            self._add_function_result(message, path)

    def _add_system(self, message: SystemMessage) -> None:
        blocks = content_blocks(message["content"])
        self.turns.add_system([block["text"] for block in add_system_speaker(blocks, name_of(message))])

    def _add_assistant(self, message: AssistantMessage, path: str) -> None:
        blocks = content_blocks(message.get("content"))
        if (refusal := message.get("refusal")) is not None:
            blocks = join_blank_texts([*blocks, text_block(refusal)])
        if self.several_assistants:
            blocks = add_speaker(blocks, name_of(message))
        calls, function_call = message.get("tool_calls") or (), message.get("function_call")
        if not (blocks or calls or function_call):
            self.turns.add_assistant([])
            return
        self.turns.begin_assistant()
        self._legacy.clear()
        blocks += [self._open_tool_call(call, f"{path}.tool_calls[{index}].id") for index, call in enumerate(calls)]
        if function_call:
            # A call without an id: this one stays the same for as long as the history before it does.
            call_id = f"function_call_{self.turns.calls}"
            self._legacy.add(call_id)
            arguments = function_call.get("arguments") or {}
            blocks.append(self.turns.open_call(call_id, function_call["name"], arguments, f"{path}.function_call"))
        self.turns.add_assistant(blocks)

    def _open_tool_call(self, call: ToolCall, path: str) -> Block:
        if call["type"] == "custom":
            return self.turns.open_call(call["id"], call["custom"]["name"], {"input": call["custom"]["input"]}, path)
        function = call["function"]
        return self.turns.open_call(call["id"], function["name"], function.get("arguments") or {}, path)

    def _add_result(self, message: ToolMessage, path: str) -> None:
        call = self.turns.open_calls.get(message["tool_call_id"])
        if call is None:
            raise invalid_field(
                f"{path}.tool_call_id",
                f"is {quote_value(message['tool_call_id'])}, which no open tool call has",
                "A tool message answers a call in `tool_calls` of the assistant's message before it, once.",
            )
        self.turns.add_result(call, content_blocks(message.get("content")))

    def _add_function_result(self, message: FunctionMessage, path: str) -> None:
        opened = self.turns.open_calls.values()
        call = next((one for one in opened if one.client_id in self._legacy and one.name == message["name"]), None)
        if call is None:
            raise invalid_field(
                f"{path}.name",
                f"is {quote_value(message['name'])}, which no open function call has",
                "A function message answers the `function_call` of the assistant's message before it, once.",
            )
        self.turns.add_result(call, content_blocks(message.get("content")))
