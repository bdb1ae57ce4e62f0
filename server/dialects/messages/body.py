"""The body of a Messages request and its validation.

Errors have pydantic's words: the API uses pydantic itself, as its errors show.
"""

from typing import Annotated, Any, Literal, NotRequired, cast

from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter, with_config
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from server.core.errors import InvalidRequest
from server.core.messages import MAX_TOOL_NAME, Effort
from server.dialects.messages.blocks import (
    AssistantContent,
    JsonObject,
    SystemContent,
    UserContent,
)
from server.dialects.validation import ListOf, check_body

_ROLES = ("user", "assistant", "system")
_MAX_REASON = 400
HEADER_VALUE = r"^[\x21-\x7e]{1,256}$"
_CUSTOM, _NATIVE = "custom", "native"


HeaderValue = Annotated[str, Field(pattern=HEADER_VALUE)]


class UserMessage(TypedDict):
    role: Literal["user"]
    content: UserContent


class AssistantMessage(TypedDict):
    """An earlier answer, or as the last message the beginning of the answer (prefill)."""

    role: Literal["assistant"]
    content: AssistantContent


class SystemMessage(TypedDict):
    role: Literal["system"]
    content: SystemContent


class ToolDefinition(TypedDict):
    """A tool of the client's own."""

    type: NotRequired[Literal["custom"] | None]
    name: Annotated[str, Field(min_length=1, max_length=MAX_TOOL_NAME)]
    description: NotRequired[str | None]
    input_schema: JsonObject
    cache_control: NotRequired[dict[str, Any] | None]
    strict: NotRequired[bool | None]
    input_examples: NotRequired[ListOf[JsonObject] | None]
    defer_loading: NotRequired[bool | None]
    allowed_callers: NotRequired[ListOf[str] | None]


@with_config(ConfigDict(extra="allow"))
class NativeTool(TypedDict):
    """A tool that Anthropic defines, such as web_search_20250305. Its members are the API's to check.

    https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
    """

    type: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]
    name: NotRequired[Annotated[str, Field(min_length=1, max_length=MAX_TOOL_NAME)]]


def _tool_kind(tool: Any) -> str:
    kind = tool.get("type") if isinstance(tool, dict) else None
    return _CUSTOM if kind in (None, "custom") else _NATIVE


AnyTool = Annotated[
    Annotated[ToolDefinition, Tag(_CUSTOM)] | Annotated[NativeTool, Tag(_NATIVE)], Discriminator(_tool_kind)
]


class ChoiceOfAny(TypedDict):
    type: Literal["auto", "any", "none"]
    disable_parallel_tool_use: NotRequired[bool]


class ChoiceOfTool(TypedDict):
    type: Literal["tool"]
    name: str
    disable_parallel_tool_use: NotRequired[bool]


Display = Literal["summarized", "omitted", "updates"]
"""How thinking is shown. Claude Code asks for summaries unless the request says otherwise."""


class ThinkingByBudget(TypedDict):
    type: Literal["enabled"]
    budget_tokens: Annotated[int, Field(ge=1024)]
    display: NotRequired[Display | None]


class ThinkingMode(TypedDict):
    type: Literal["adaptive", "disabled", "between_tools"]
    display: NotRequired[Display | None]


class JsonSchemaFormat(TypedDict):
    type: Literal["json_schema"]
    schema: JsonObject


class OutputConfig(TypedDict):
    effort: NotRequired[Effort | None]
    format: NotRequired[JsonSchemaFormat | None]


class CountBody(TypedDict):
    """The fields that `count_tokens` reads. `session_id` is this server's extension.

    Those after it are passed on as they are.
    """

    model: NotRequired[str]
    messages: Annotated[
        ListOf[Annotated[UserMessage | AssistantMessage | SystemMessage, Discriminator("role")]], Field(min_length=1)
    ]
    system: NotRequired[SystemContent]
    tools: NotRequired[ListOf[AnyTool]]
    tool_choice: NotRequired[Annotated[ChoiceOfAny | ChoiceOfTool, Discriminator("type")]]
    thinking: NotRequired[Annotated[ThinkingByBudget | ThinkingMode, Discriminator("type")]]
    output_config: NotRequired[OutputConfig]
    output_format: NotRequired[JsonSchemaFormat]
    session_id: NotRequired[Annotated[str, Field(min_length=1)]]
    container: NotRequired[Annotated[str, Field(min_length=1)] | JsonObject]
    context_management: NotRequired[JsonObject]
    diagnostics: NotRequired[JsonObject]
    inference_geo: NotRequired[str]
    metadata: NotRequired[JsonObject]
    service_tier: NotRequired[str]
    speed: NotRequired[str]
    user_profile_id: NotRequired[HeaderValue]
    workspace_id: NotRequired[HeaderValue]


class LimitsBody(TypedDict):
    """The limits of an answer, and `stream`. `max_tokens` 0 only warms the cache."""

    max_tokens: Annotated[int, Field(ge=0)]
    temperature: NotRequired[Annotated[float, Field(ge=0, le=1)]]
    top_p: NotRequired[Annotated[float, Field(ge=0, le=1)]]
    top_k: NotRequired[Annotated[int, Field(ge=0)]]
    stop_sequences: NotRequired[ListOf[str]]
    stream: NotRequired[bool]


class MessagesBody(CountBody, LimitsBody):
    """A request for an answer."""


_COUNT_BODY = TypeAdapter(CountBody)
_LIMITS_BODY = TypeAdapter(LimitsBody)


def check_messages_body(body: Any) -> MessagesBody:
    """Check a body; null parameters count as missing. Raises `InvalidRequest`."""
    limits = check_body(_LIMITS_BODY, _without_nulls(body), _describe_error)
    return {**check_count_body(body), **limits}


def check_count_body(body: Any) -> CountBody:
    """Check the part of a body that is counted. Raises `InvalidRequest`."""
    return _load_all_tools(check_body(_COUNT_BODY, _without_nulls(body), _describe_error))


def _load_all_tools(body: CountBody) -> CountBody:
    """Without `defer_loading`, unless the API itself searches for the deferred tools.

    A client's own search loads them by `tool_reference`, which Claude Code leaves out: see `tool_results.py`.
    """
    tools = body.get("tools", [])
    if any(str(tool.get("type")).startswith("tool_search_tool_") for tool in tools):
        return body
    for tool in tools:
        cast(dict[str, Any], tool).pop("defer_loading", None)
    return body


def _without_nulls(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise InvalidRequest("The body is no JSON object.")
    return {key: value for key, value in body.items() if value is not None}


def _describe_error(error: ErrorDetails) -> InvalidRequest:
    """The error in Anthropic's manner: `messages.0.content: Field required`."""
    steps = list(error["loc"])
    if len(steps) > 2 and steps[0] == "messages" and steps[2] in _ROLES:
        del steps[2]  # The role only names the branch of the union.
    if len(steps) > 2 and steps[0] == "tools" and steps[2] in (_CUSTOM, _NATIVE):
        del steps[2]
    path = ".".join(str(step) for step in steps)
    reason = error["msg"][:_MAX_REASON]
    return InvalidRequest(f"{path}: {reason}" if path else reason, param=path or None)
