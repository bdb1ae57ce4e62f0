"""The body of a Messages request, and its check: pydantic's, as the API's own errors show that it uses."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import BeforeValidator, Discriminator, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from server.core.errors import InvalidRequest
from server.core.messages import MAX_TOOL_NAME
from server.dialects.messages.blocks import (
    AssistantContent,
    JsonObject,
    SystemContent,
    UserContent,
    refuse,
)

_ROLES = ("user", "assistant", "system")
_LONGEST_REASON = 400


def _custom(tool: Any) -> Any:
    kind = tool.get("type") if isinstance(tool, dict) else None
    if not isinstance(kind, str) or kind == "custom":
        return tool
    return refuse(
        f"'{kind[:64]}' is a tool that Anthropic defines. Only tools with a schema of their own (type 'custom') are "
        "passed on, and the client runs them"
    )


class UserMessage(TypedDict):
    """The user's turn."""

    role: Literal["user"]
    content: UserContent


class AssistantMessage(TypedDict):
    """An earlier answer; the last message of all if the answer is to go on from it."""

    role: Literal["assistant"]
    content: AssistantContent


class SystemMessage(TypedDict):
    """Words of the operator's in the middle of a conversation."""

    role: Literal["system"]
    content: SystemContent


class ToolDefinition(TypedDict):
    """A tool of the client's."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_TOOL_NAME)]
    description: NotRequired[str | None]
    input_schema: JsonObject
    cache_control: NotRequired[dict[str, Any] | None]


class ChoiceOfAny(TypedDict):
    """May call a tool, must, or must not."""

    type: Literal["auto", "any", "none"]
    disable_parallel_tool_use: NotRequired[bool]


class ChoiceOfTool(TypedDict):
    """Must call this tool."""

    type: Literal["tool"]
    name: str
    disable_parallel_tool_use: NotRequired[bool]


Display = Literal["summarized", "omitted", "updates"]
"""How thinking is shown. Claude Code shows summaries, and knows nothing of updates."""


class ThinkingByBudget(TypedDict):
    """Thinks, up to so many tokens."""

    type: Literal["enabled"]
    budget_tokens: Annotated[int, Field(ge=1024)]
    display: NotRequired[Display | None]


class ThinkingMode(TypedDict):
    """Thinks as the model judges, between tool calls only, or not at all."""

    type: Literal["adaptive", "disabled", "between_tools"]
    display: NotRequired[Display | None]


class JsonSchemaFormat(TypedDict):
    """The answer is JSON of this schema."""

    type: Literal["json_schema"]
    schema: JsonObject


class OutputConfig(TypedDict):
    """How much effort goes into the answer, and its format."""

    effort: NotRequired[Literal["low", "medium", "high", "xhigh", "max"] | None]
    format: NotRequired[JsonSchemaFormat | None]


class CountBody(TypedDict):
    """What `count_tokens` reads of a body, and what both endpoints have in common."""

    model: NotRequired[str]
    messages: Annotated[
        list[Annotated[UserMessage | AssistantMessage | SystemMessage, Discriminator("role")]], Field(min_length=1)
    ]
    system: NotRequired[SystemContent]
    tools: NotRequired[list[Annotated[ToolDefinition, BeforeValidator(_custom)]]]
    tool_choice: NotRequired[Annotated[ChoiceOfAny | ChoiceOfTool, Discriminator("type")]]
    thinking: NotRequired[Annotated[ThinkingByBudget | ThinkingMode, Discriminator("type")]]
    output_config: NotRequired[OutputConfig]
    output_format: NotRequired[JsonSchemaFormat]
    session_id: NotRequired[Annotated[str, Field(min_length=1)]]


class MessagesBody(CountBody):
    """A request for an answer, or with a `max_tokens` of 0 for a warm cache. `session_id` is an extension of ours."""

    max_tokens: Annotated[int, Field(ge=0)]
    temperature: NotRequired[Annotated[float, Field(ge=0, le=1)]]
    top_p: NotRequired[Annotated[float, Field(ge=0, le=1)]]
    top_k: NotRequired[Annotated[int, Field(ge=0)]]
    stop_sequences: NotRequired[list[str]]
    stream: NotRequired[bool]


_MESSAGES_BODY = TypeAdapter(MessagesBody)
_COUNT_BODY = TypeAdapter(CountBody)


def checked_messages_body(body: Any) -> MessagesBody:
    """The body, checked; parameters that are null count as not given. Raises `InvalidRequest`."""
    try:
        return _MESSAGES_BODY.validate_python(_without_nulls(body), strict=True)
    except ValidationError as error:
        raise _refusal(error) from None


def checked_count_body(body: Any) -> CountBody:
    """The body of a count, checked: only what goes into the prompt. Raises `InvalidRequest`."""
    try:
        return _COUNT_BODY.validate_python(_without_nulls(body), strict=True)
    except ValidationError as error:
        raise _refusal(error) from None


def _without_nulls(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise InvalidRequest("The body is no JSON object.")
    return {key: value for key, value in body.items() if value is not None}


def _refusal(error: ValidationError) -> InvalidRequest:
    """The first thing that is wrong, as `messages.0.content: Field required`."""
    first = error.errors(include_url=False, include_input=False)[0]
    steps = list(first["loc"])
    if len(steps) > 2 and steps[0] == "messages" and steps[2] in _ROLES:
        del steps[2]  # The role only tells which type was chosen.
    path = ".".join(str(step) for step in steps)
    reason = first["msg"][:_LONGEST_REASON]
    return InvalidRequest(f"{path}: {reason}" if path else reason, param=path or None)
