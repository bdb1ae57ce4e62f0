"""Types of tool definitions, in `tools` and in items that bring further tools."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from server.dialects.openai.fields import ToolName
from server.dialects.openai.web_search import ContextSize, Place
from server.dialects.validation import ByMember, ListOf

HostedKind = Literal[
    "apply_patch",
    "code_interpreter",
    "computer",
    "computer_use",
    "computer_use_preview",
    "file_search",
    "image_generation",
    "local_shell",
    "mcp",
    "programmatic_tool_calling",
    "shell",
]
SearchKind = Literal["web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11"]


class FunctionTool(TypedDict):
    type: Literal["function"]
    name: ToolName
    description: NotRequired[str | None]
    parameters: NotRequired[dict[str, Any] | None]


class TextFormat(TypedDict):
    type: Literal["text"]


class GrammarFormat(TypedDict):
    type: Literal["grammar"]
    syntax: str
    definition: str


class CustomTool(TypedDict):
    """A tool whose input is freeform text."""

    type: Literal["custom"]
    name: ToolName
    description: NotRequired[str | None]
    format: NotRequired[Annotated[TextFormat | GrammarFormat, ByMember("type")] | None]


class Namespace(TypedDict):
    """Tools with a name in common. They are called by their own name and this one beside it."""

    type: Literal["namespace"]
    name: ToolName
    description: NotRequired[str | None]
    tools: ListOf[Annotated[FunctionTool | CustomTool, ByMember("type")]]


class ToolSearch(TypedDict):
    """A search for further tools, run by the client or by OpenAI."""

    type: Literal["tool_search"]
    execution: NotRequired[Literal["server", "client"] | None]
    description: NotRequired[str | None]
    parameters: NotRequired[dict[str, Any] | None]


class Filters(TypedDict):
    allowed_domains: NotRequired[ListOf[str] | None]


class UserPlace(Place):
    type: NotRequired[Literal["approximate"] | None]


class WebSearch(TypedDict):
    """A search of the web, which Anthropic runs. `external_web_access`: whether it may go beyond a cache."""

    type: SearchKind
    search_context_size: NotRequired[ContextSize | None]
    user_location: NotRequired[UserPlace | None]
    filters: NotRequired[Filters | None]
    external_web_access: NotRequired[bool | None]


@with_config(extra="allow")
class HostedTool(TypedDict):
    """A tool that runs at OpenAI."""

    type: HostedKind


ClientDefinition = FunctionTool | CustomTool
ToolDefinition = Annotated[
    FunctionTool | CustomTool | Namespace | ToolSearch | WebSearch | HostedTool, ByMember("type", default="function")
]
