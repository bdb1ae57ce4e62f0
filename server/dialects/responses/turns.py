"""Items of an input as a system prompt and alternating turns.

`turn_builder` has the rules for turns. Reasoning goes back to the model as the thinking block that was sealed in it.
What other servers have sealed, and traces of tools that run at OpenAI, are left out with a warning.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from server.core.messages import Block, Message, text_block
from server.dialects.responses.agent_messages import AgentMessageItem, agent_message_blocks
from server.dialects.responses.compaction import INSTRUCTION, asks_for_summary, open_summary
from server.dialects.responses.content import content_blocks
from server.dialects.responses.head import CUSTOM_INPUT, ClientTool
from server.dialects.responses.items import (
    CallItem,
    CompactionItem,
    Item,
    MessageItem,
    ReasoningItem,
)
from server.dialects.responses.pairing import pair_outputs
from server.dialects.responses.sealing import Sealer
from server.dialects.responses.tools import TOOL_SEARCH, ToolCatalog
from server.dialects.turn_builder import TurnBuilder
from server.dialects.validation import invalid_field

_FOREIGN_REASONING = "reasoning that this server did not seal was left out"
_FOREIGN_SUMMARY = "a compaction that this server did not seal was left out"


def read_items(
    items: Sequence[Item], instructions: str | None, catalog: ToolCatalog, sealer: Sealer | None, warnings: list[str]
) -> tuple[list[str], list[Message]]:
    """The system texts and the turns. Adds the items' tools to `catalog`, and to `warnings`.

    Raises `InvalidRequest`.
    """
    loaded = {
        index: catalog.add_loaded(item.get("tools") or ())
        for index, item in enumerate(items)
        if item["type"] == "additional_tools" or item["type"] == "tool_search_output"
    }
    turns = TurnBuilder(warnings, allows_nothing=True)
    if instructions and instructions.strip():
        turns.add_system([instructions])
    conversation = _Conversation(turns, items, catalog, sealer, loaded, pair_outputs(items))
    for index in range(len(items)):
        conversation.add(index)
    if asks_for_summary(items):
        turns.add_user([text_block(INSTRUCTION)])
    warnings.extend(conversation.left_out)
    system, messages = turns.finish("input")
    return [*system, *catalog.describe_namespaces()], messages


@dataclass(slots=True)
class _Conversation:
    """Adds items to `turns`.

    `_loaded` has the flat names of the tools that an item brings, `_outputs` the positions of outputs by that of their
    call. `left_out` has a warning, once, for each kind of item that is.
    """

    turns: TurnBuilder
    _items: Sequence[Item]
    _catalog: ToolCatalog
    _sealer: Sealer | None
    _loaded: dict[int, list[str]]
    _outputs: dict[int, int]
    left_out: dict[str, None] = field(default_factory=dict)
    _awaited: dict[int, str] = field(default_factory=dict)
    """The `call_id`s of open calls, by the position of their output."""

    def add(self, index: int) -> None:
        """Add the item at `index`."""
        item, path = self._items[index], f"input[{index}]"
        match item["type"]:
            case "message":
                self._add_message(item, path)
            case "reasoning":
                self._add_reasoning(item)
            case "function_call" | "custom_tool_call" | "tool_search_call":
                self._add_call(item, index, path)
            case "function_call_output" | "custom_tool_call_output" | "tool_search_output":
                self._add_output(index)
            case "agent_message":
                self._add_agent_message(item)
            case "compaction" | "compaction_summary" | "context_compaction":
                self._add_summary(item)
            case "additional_tools" | "compaction_trigger" | "configuration_update" | "item_reference":
                pass  # Read before all turns, or no part of one.
            case "web_search_call":
                pass  # The answer says what was found. A live process has the results, and clients have none to send.
            case kind:
                self.left_out[
                    f"input items of the type {kind} come from tools that run at OpenAI and were left out"
                ] = None

    def _add_message(self, item: MessageItem, path: str) -> None:
        blocks, role = content_blocks(item.get("content")), item["role"]
        if role == "user":
            self.turns.add_user(blocks)
            return
        _refuse_media(item, path)
        if role == "assistant":
            self._add_answer(blocks)
        else:
            self.turns.add_system([block["text"] for block in blocks])

    def _add_reasoning(self, item: ReasoningItem) -> None:
        sealed = item.get("encrypted_content")
        if not sealed:
            return
        block = self._sealer.open(sealed, "thinking", "redacted_thinking") if self._sealer is not None else None
        if block is None:
            self.left_out[_FOREIGN_REASONING] = None
        else:
            self._add_answer([block])

    def _add_agent_message(self, item: AgentMessageItem) -> None:
        blocks, is_encrypted = agent_message_blocks(item)
        if blocks:
            self.turns.add_user(blocks)
        if is_encrypted:
            self.left_out["input items of the type agent_message that OpenAI has encrypted were left out"] = None

    def _add_summary(self, item: CompactionItem) -> None:
        block = open_summary(item.get("encrypted_content") or "", self._sealer)
        if block is None:
            self.left_out[_FOREIGN_SUMMARY] = None
        else:
            self.turns.add_user([block])

    def _add_call(self, item: CallItem, index: int, path: str) -> None:
        call_id = item.get("call_id")
        if not call_id:
            return  # A search that OpenAI ran. Its tools have been added.
        self._begin_answer()
        block = self._open_call(item, call_id, f"{path}.call_id")
        if index in self._outputs:
            self._awaited[self._outputs[index]] = call_id
        self.turns.add_assistant([block])

    def _open_call(self, item: CallItem, call_id: str, path: str) -> Block:
        if item["type"] == "tool_search_call":
            name = self._catalog.name_called(ClientTool("tool_search", TOOL_SEARCH))
            return self.turns.open_call(call_id, name, item.get("arguments") or {}, path)
        namespace = item.get("namespace") or None
        if item["type"] == "function_call":
            name = self._catalog.name_called(ClientTool("function", item["name"], namespace))
            return self.turns.open_call(call_id, name, item.get("arguments") or {}, path)
        name = self._catalog.name_called(ClientTool("custom", item["name"], namespace))
        return self.turns.open_call(call_id, name, {CUSTOM_INPUT: item.get("input") or ""}, path)

    def _add_output(self, index: int) -> None:
        # None: OpenAI's own search, or an output that was added already because the assistant spoke before it.
        if (call_id := self._awaited.pop(index, None)) is not None:
            self.turns.add_result(self.turns.open_calls[call_id], self._output_blocks(index))

    def _output_blocks(self, index: int) -> list[Block]:
        item = self._items[index]
        if item["type"] == "function_call_output" or item["type"] == "custom_tool_call_output":
            return content_blocks(item.get("output"))
        names = ", ".join(self._loaded[index])
        return [text_block(f"These tools were found and can be called now: {names}" if names else "No tools found.")]

    def _add_answer(self, blocks: list[Block]) -> None:
        if blocks:
            self._begin_answer()
        self.turns.add_assistant(blocks)

    def _begin_answer(self) -> None:
        """End the user's turn. Results that come later in the input belong to it, since calls must be answered."""
        if self.turns.user_has_spoken:
            for index in sorted(self._awaited):
                self._add_output(index)
        self.turns.begin_assistant()


def _refuse_media(item: MessageItem, path: str) -> None:
    content = item.get("content")
    for index, part in enumerate(content if isinstance(content, list) else ()):
        if part["type"] in ("input_image", "input_file"):
            raise invalid_field(
                f"{path}.content[{index}].type",
                f"is {part['type']}, which Claude takes from the user alone",
                "Send it in a message of the role user.",
            )
