"""The body of a chat completion as pydantic checks it.

What the types do not name is left out, and the client is warned of it.
Schema: CreateChatCompletionRequest of openai/openai-openapi.
"""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, Field, TypeAdapter
from typing_extensions import TypedDict

from server.core.messages import Effort
from server.dialects.chat_completions.content import AssistantContent, SystemContent, UserContent
from server.dialects.openai.fields import Arguments, FilledText, Temperature, TokenLimit, ToolName, TopP
from server.dialects.validation import ByMember, ListOf, TextOr, check_body, refuse_value

MAX_CHOICES = 8
"""The highest `n`: each choice is a conversation of its own with the model."""


class SystemMessage(TypedDict):
    role: Literal["system", "developer"]
    content: SystemContent
    name: NotRequired[str | None]


class UserMessage(TypedDict):
    role: Literal["user"]
    content: UserContent
    name: NotRequired[str | None]


class FunctionCall(TypedDict):
    name: ToolName
    arguments: NotRequired[Arguments | None]


class FunctionToolCall(TypedDict):
    id: FilledText
    type: Literal["function"]
    function: FunctionCall


class CustomInput(TypedDict):
    name: ToolName
    input: str


class CustomToolCall(TypedDict):
    id: FilledText
    type: Literal["custom"]
    custom: CustomInput


ToolCall = Annotated[FunctionToolCall | CustomToolCall, ByMember("type", default="function")]


class AssistantMessage(TypedDict):
    role: Literal["assistant"]
    content: NotRequired[AssistantContent | None]
    refusal: NotRequired[str | None]
    name: NotRequired[str | None]
    tool_calls: NotRequired[ListOf[ToolCall] | None]
    function_call: NotRequired[FunctionCall | None]


class ToolMessage(TypedDict):
    role: Literal["tool"]
    tool_call_id: FilledText
    content: NotRequired[UserContent | None]
    name: NotRequired[str | None]


class FunctionMessage(TypedDict):
    role: Literal["function"]
    name: str
    content: NotRequired[UserContent | None]


ChatMessage = SystemMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage


class JsonSchema(TypedDict):
    name: FilledText
    schema: NotRequired[dict[str, Any] | None]
    description: NotRequired[str | None]


class PlainFormat(TypedDict):
    type: Literal["text", "json_object"]


class SchemaFormat(TypedDict):
    type: Literal["json_schema"]
    json_schema: JsonSchema


class StreamOptions(TypedDict):
    include_usage: NotRequired[bool | None]


def _refuse_audio(modalities: list[str]) -> list[str]:
    if "audio" in modalities:
        refuse_value("asks for audio, which Claude does not produce", "Leave it out.")
    return modalities


class ChatBody(TypedDict):
    """Everything but the tools.

    `session_id` and `assistant_prefill`, the beginning of the answer, are extensions of this server's.
    """

    model: NotRequired[FilledText | None]
    session_id: NotRequired[FilledText | None]
    messages: Annotated[ListOf[Annotated[ChatMessage, ByMember("role")]], Field(min_length=1)]
    assistant_prefill: NotRequired[str | None]
    modalities: NotRequired[Annotated[ListOf[Literal["text", "audio"]], AfterValidator(_refuse_audio)] | None]
    max_completion_tokens: NotRequired[TokenLimit | None]
    max_tokens: NotRequired[TokenLimit | None]
    temperature: NotRequired[Temperature | None]
    top_p: NotRequired[TopP | None]
    stop: NotRequired[TextOr[str, ListOf[str]] | None]
    reasoning_effort: NotRequired[Literal["none", "minimal", Effort] | None]
    response_format: NotRequired[Annotated[PlainFormat | SchemaFormat, ByMember("type")] | None]
    stream: NotRequired[bool | None]
    stream_options: NotRequired[StreamOptions | None]
    n: NotRequired[Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None]


_BODY = TypeAdapter(ChatBody)


def check_chat_body(body: Any) -> ChatBody:
    """Check a body except for its tools. Raises `InvalidRequest`."""
    if isinstance(body, dict) and body.get("max_completion_tokens") is not None:
        body = {**body, "max_tokens": None}  # The older name: any value is accepted beside the newer one.
    return check_body(_BODY, body)
