"""Types of the content blocks of the Messages API that Claude Code accepts.

Members that a type does not name are left out of the block: above all `cache_control`, since the CLI sets its own and
the API accepts four in a request. Blocks of server tools keep all others: the API wants them back as it wrote them.
https://docs.anthropic.com/en/api/messages (schema `ContentBlockParam`).
"""

import binascii
from typing import Annotated, Any, Literal, NoReturn, NotRequired

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Discriminator, Field, with_config
from typing_extensions import TypedDict

from server.core.messages import MAX_INPUT_DEPTH, MAX_TOOL_NAME, is_deeper
from server.dialects.validation import ListOf, refuse_value


def _check_depth(value: dict[str, Any]) -> dict[str, Any]:
    if is_deeper(value, MAX_INPUT_DEPTH):
        refuse_value(f"Input is nested deeper than {MAX_INPUT_DEPTH} levels")
    return value


def _check_base64(data: str) -> str:
    try:
        decoded = binascii.a2b_base64(data, strict_mode=True)
    except ValueError:  # binascii.Error, or characters outside of ASCII
        refuse_value("Input is not valid base64: it takes the standard alphabet, with padding, without line breaks")
    return data if decoded else refuse_value("Input holds no data")


def _to_blocks(content: Any) -> Any:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


JsonObject = Annotated[dict[str, Any], AfterValidator(_check_depth)]
Base64 = Annotated[str, AfterValidator(_check_base64)]
CallId = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$")]


class Text(TypedDict):
    """Text. `citations` are those of an earlier answer."""

    type: Literal["text"]
    text: str
    citations: NotRequired[ListOf[dict[str, Any]] | None]


class ImageData(TypedDict):
    type: Literal["base64"]
    media_type: Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
    data: Base64


class PdfData(TypedDict):
    type: Literal["base64"]
    media_type: Literal["application/pdf"]
    data: Base64


class PlainText(TypedDict):
    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: str


class Url(TypedDict):
    type: Literal["url"]
    url: str


class UploadedFile(TypedDict):
    """A file of Anthropic's Files API, which only the API can read (`api_only`)."""

    type: Literal["file"]
    file_id: str


def _refuse_image_url(_: Url) -> NoReturn:
    refuse_value("fetching images is switched off: send the image in base64, or switch on the setting `fetch_images`")


def _refuse_document_url(_: Url) -> NoReturn:
    refuse_value("documents are not fetched from web addresses: send the document in base64")


ImageUrl = Annotated[Url, AfterValidator(_refuse_image_url)]
DocumentUrl = Annotated[Url, AfterValidator(_refuse_document_url)]


class Image(TypedDict):
    type: Literal["image"]
    source: Annotated[ImageData | ImageUrl | UploadedFile, Discriminator("type")]


class DocumentContent(TypedDict):
    type: Literal["content"]
    content: Annotated[
        ListOf[Annotated[Text | Image, Discriminator("type")]], BeforeValidator(_to_blocks), Field(min_length=1)
    ]


class Document(TypedDict):
    type: Literal["document"]
    source: Annotated[PdfData | PlainText | DocumentContent | DocumentUrl | UploadedFile, Discriminator("type")]
    title: NotRequired[str | None]
    context: NotRequired[str | None]
    citations: NotRequired[dict[str, Any] | None]


class SearchResult(TypedDict):
    type: Literal["search_result"]
    source: str
    title: str
    content: ListOf[Text]
    citations: NotRequired[dict[str, Any] | None]


class Thinking(TypedDict):
    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedThinking(TypedDict):
    """Thinking of an earlier answer, encrypted by the API."""

    type: Literal["redacted_thinking"]
    data: str


class ToolUse(TypedDict):
    """`caller` is who made the call: the model, or a program of its code execution."""

    type: Literal["tool_use"]
    id: CallId
    name: Annotated[str, Field(min_length=1, max_length=MAX_TOOL_NAME)]
    input: JsonObject
    caller: NotRequired[JsonObject | None]
    toolset_name: NotRequired[str | None]


@with_config(ConfigDict(extra="allow"))
class ServerToolUse(TypedDict):
    """A call that the API itself ran."""

    type: Literal["server_tool_use", "mcp_tool_use"]
    id: CallId
    name: str
    input: JsonObject


@with_config(ConfigDict(extra="allow"))
class ServerToolResult(TypedDict):
    """What the API's own tool gave; the content is partly encrypted."""

    type: Literal[
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "advisor_tool_result",
        "mcp_tool_result",
    ]
    tool_use_id: CallId
    content: Any


@with_config(ConfigDict(extra="allow"))
class ContainerUpload(TypedDict):
    """A file that code execution made."""

    type: Literal["container_upload"]
    file_id: str


@with_config(ConfigDict(extra="allow"))
class Compaction(TypedDict):
    """The API's summary of what came before, asked for by `context_management`."""

    type: Literal["compaction"]


class ToolReference(TypedDict):
    """A tool that the client's own tool search has found."""

    type: Literal["tool_reference"]
    tool_name: str


class ToolResult(TypedDict):
    type: Literal["tool_result"]
    tool_use_id: str
    content: NotRequired[
        Annotated[
            ListOf[Annotated[Text | Image | Document | SearchResult | ToolReference, Discriminator("type")]] | None,
            BeforeValidator(_to_blocks),
        ]
    ]
    is_error: NotRequired[bool | None]


UserBlock = Annotated[Text | Image | Document | SearchResult | ToolResult, Discriminator("type")]
AssistantBlock = Annotated[
    Text | Thinking | RedactedThinking | ToolUse | ServerToolUse | ServerToolResult | ContainerUpload | Compaction,
    Discriminator("type"),
]
UserContent = Annotated[ListOf[UserBlock], BeforeValidator(_to_blocks)]
AssistantContent = Annotated[ListOf[AssistantBlock], BeforeValidator(_to_blocks)]
SystemContent = Annotated[ListOf[Text], BeforeValidator(_to_blocks)]
