"""The bodies of Ollama's endpoints as pydantic checks them.

Types: `ChatRequest`, `GenerateRequest` and `Message` of `api/types.go`. What they do not name is left out, and the
client is warned of it. `session_id` is an extension of this server's.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import BeforeValidator, TypeAdapter
from typing_extensions import TypedDict

from server.dialects.ollama.images import ImageData
from server.dialects.ollama.options import Options
from server.dialects.openai.fields import Arguments, FilledText, JsonObject, ToolName
from server.dialects.validation import ByMember, ListOf, TextOr, check_body, invalid_field, quote_value, refuse_value

ThinkLevel = Literal["low", "medium", "high", "max"]
LEVELS: tuple[ThinkLevel, ...] = ("low", "medium", "high", "max")


def _with_plain_role(message: Any) -> Any:
    """The message with its role in lower case, as Ollama reads it. `developer` is OpenAI's word for `system`."""
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(role, str):
        return message
    lowered = role.lower()
    return {**message, "role": "system" if lowered == "developer" else lowered}


def _check_think(value: Any) -> Any:
    if value is None or isinstance(value, bool) or value in LEVELS:
        return value
    allowed = ", ".join(f'"{level}"' for level in LEVELS)
    refuse_value(f"is {quote_value(value)}", f"It must be true, false, {allowed}.")


def _check_format(value: Any) -> Any:
    if value in (None, "", "json") or isinstance(value, dict):
        return value
    refuse_value(f"is {quote_value(value)}", 'It must be "json" or a JSON schema.')


Images = ListOf[ImageData]
Think = Annotated[Any, BeforeValidator(_check_think)]
Format = Annotated[Any, BeforeValidator(_check_format)]


class FunctionCall(TypedDict):
    name: ToolName
    arguments: NotRequired[TextOr[Arguments, JsonObject] | None]


class ToolCall(TypedDict):
    id: NotRequired[str | None]
    function: FunctionCall


class SystemMessage(TypedDict):
    role: Literal["system"]
    content: NotRequired[str | None]


class UserMessage(TypedDict):
    role: Literal["user"]
    content: NotRequired[str | None]
    images: NotRequired[Images | None]


class AssistantMessage(TypedDict):
    role: Literal["assistant"]
    content: NotRequired[str | None]
    tool_calls: NotRequired[ListOf[ToolCall] | None]


class ToolMessage(TypedDict):
    role: Literal["tool"]
    content: NotRequired[str | None]
    images: NotRequired[Images | None]
    tool_name: NotRequired[str | None]
    name: NotRequired[str | None]
    tool_call_id: NotRequired[str | None]


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage


class _AnyBody(TypedDict):
    model: NotRequired[FilledText | None]
    session_id: NotRequired[FilledText | None]
    stream: NotRequired[bool | None]
    format: NotRequired[Format]
    think: NotRequired[Think]
    options: NotRequired[Options | None]


class ChatBody(_AnyBody):
    """The body of `/api/chat`, without its tools."""

    messages: NotRequired[ListOf[Annotated[Message, ByMember("role"), BeforeValidator(_with_plain_role)]] | None]


class GenerateBody(_AnyBody):
    """The body of `/api/generate`."""

    prompt: NotRequired[str | None]
    suffix: NotRequired[str | None]
    system: NotRequired[str | None]
    images: NotRequired[Images | None]
    raw: NotRequired[bool | None]


class ModelBody(TypedDict):
    """The bodies that name a model, in either of two members."""

    model: NotRequired[str | None]
    name: NotRequired[str | None]
    stream: NotRequired[bool | None]


_CHAT_BODY = TypeAdapter(ChatBody)
_GENERATE_BODY = TypeAdapter(GenerateBody)
_MODEL_BODY = TypeAdapter(ModelBody)


def check_chat_body(body: Any) -> ChatBody:
    """Check a body except for its tools. Raises `InvalidRequest`."""
    return check_body(_CHAT_BODY, body)


def check_generate_body(body: Any) -> GenerateBody:
    """Check a body. Raises `InvalidRequest`."""
    return check_body(_GENERATE_BODY, body)


def check_model_body(body: Any) -> tuple[str, bool]:
    """The model that a body names, and whether the reply is streamed. Raises `InvalidRequest`."""
    checked = check_body(_MODEL_BODY, body)
    name = checked.get("model") or checked.get("name")
    if not name:
        raise invalid_field("model", "is missing", "Name a model; GET /api/tags lists them.")
    return name, wants_stream(checked)


def wants_stream(body: Mapping[str, Any]) -> bool:
    """Whether the answer is streamed; Ollama's default is yes."""
    return body.get("stream") is not False
