"""Types of the items of an input.

Ids have any shape and are not read: calls and outputs are paired by `call_id`. Schema: InputItem of
openai/openai-openapi.
"""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import BeforeValidator, with_config
from typing_extensions import TypedDict

from server.dialects.openai.fields import Arguments, FilledText, JsonObject, ToolName
from server.dialects.responses.agent_messages import AgentMessageItem
from server.dialects.responses.configuration import Configuration
from server.dialects.responses.content import Content
from server.dialects.responses.definitions import ToolDefinition
from server.dialects.validation import ByMember, ListOf, TextOr, refuse_value

Role = Literal["user", "assistant", "system", "developer"]


class MessageItem(TypedDict):
    type: Literal["message"]
    role: Role
    content: NotRequired[Content | None]


class ReasoningItem(TypedDict):
    """Thinking of an earlier answer; only what is sealed in it goes back to the model."""

    type: Literal["reasoning"]
    encrypted_content: NotRequired[str | None]


class FunctionCallItem(TypedDict):
    type: Literal["function_call"]
    call_id: FilledText
    name: ToolName
    namespace: NotRequired[str | None]
    arguments: NotRequired[Arguments | None]


class CustomToolCallItem(TypedDict):
    type: Literal["custom_tool_call"]
    call_id: FilledText
    name: ToolName
    namespace: NotRequired[str | None]
    input: NotRequired[str | None]


class ToolSearchCallItem(TypedDict):
    """A search that the client runs; OpenAI's own have no `call_id`."""

    type: Literal["tool_search_call"]
    call_id: NotRequired[str | None]
    arguments: NotRequired[TextOr[Arguments, JsonObject] | None]


class OutputItem(TypedDict):
    type: Literal["function_call_output", "custom_tool_call_output"]
    call_id: FilledText
    output: NotRequired[Content | None]


class ToolSearchOutputItem(TypedDict):
    type: Literal["tool_search_output"]
    call_id: NotRequired[str | None]
    tools: NotRequired[ListOf[ToolDefinition] | None]


class AdditionalToolsItem(TypedDict):
    type: Literal["additional_tools"]
    tools: NotRequired[ListOf[ToolDefinition] | None]


class CompactionItem(TypedDict):
    type: Literal["compaction", "compaction_summary", "context_compaction"]
    encrypted_content: NotRequired[str | None]


class CompactionTriggerItem(TypedDict):
    type: Literal["compaction_trigger"]


class ConfigurationUpdateItem(Configuration):
    type: Literal["configuration_update"]


class ItemReference(TypedDict):
    """A stored item; whoever keeps them has replaced the known ones."""

    type: Literal["item_reference"]
    id: FilledText


@with_config(extra="allow")
class HostedItem(TypedDict):
    """A trace of a tool that runs at OpenAI, or of Codex's own bookkeeping."""

    type: Literal[
        "apply_patch_call",
        "apply_patch_call_output",
        "code_interpreter_call",
        "computer_call",
        "computer_call_output",
        "file_search_call",
        "ghost_snapshot",
        "image_generation_call",
        "local_shell_call",
        "local_shell_call_output",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "mcp_list_tools",
        "program",
        "program_output",
        "shell_call",
        "shell_call_output",
    ]


@with_config(extra="allow")
class WebSearchCallItem(TypedDict):
    """A search of an earlier answer. What it found is not part of it."""

    type: Literal["web_search_call"]


CallItem = FunctionCallItem | CustomToolCallItem | ToolSearchCallItem
ToolsItem = ToolSearchOutputItem | AdditionalToolsItem
Item = (
    MessageItem
    | AgentMessageItem
    | ReasoningItem
    | CallItem
    | OutputItem
    | ToolsItem
    | CompactionItem
    | CompactionTriggerItem
    | ConfigurationUpdateItem
    | ItemReference
    | WebSearchCallItem
    | HostedItem
)


def _complete_reference(item: Any) -> Any:
    """References may be sent as `{"id"}` alone."""
    if isinstance(item, dict) and item.get("type") is None and item.get("role") is None and "id" in item:
        return {**item, "type": "item_reference"}
    return item


def _refuse_reference(item: Any) -> Any:
    if isinstance(item, dict) and item.get("type") == "item_reference" and isinstance(item.get("id"), str):
        refuse_value("refers to an item that is not stored here", "Send the item itself.", member="id")
    return item


AnyItem = Annotated[
    Item, ByMember("type", default="message"), BeforeValidator(_refuse_reference), BeforeValidator(_complete_reference)
]
"""An item without a type is a message."""
Input = TextOr[str, ListOf[AnyItem]]
