"""The content blocks of the Messages API that Claude Code takes, as pydantic checks them.

What a type here does not name is left out of the block: `cache_control` above all, since the CLI sets its own, and
the API takes four in a request. https://docs.anthropic.com/en/api/messages (schema `ContentBlockParam`).
"""

import binascii
from typing import Annotated, Any, Literal, NoReturn, NotRequired

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field
from typing_extensions import TypedDict

from server.core.messages import MAX_INPUT_DEPTH, MAX_TOOL_NAME, is_deeper
from server.dialects.validation import ListOf, refuse


def _not_too_deep(value: dict[str, Any]) -> dict[str, Any]:
    too_deep = is_deeper(value, MAX_INPUT_DEPTH)
    return refuse(f"Input is nested deeper than {MAX_INPUT_DEPTH} levels") if too_deep else value


def _decodable(data: str) -> str:
    try:
        decoded = binascii.a2b_base64(data, strict_mode=True)
    except ValueError:  # binascii.Error, or characters outside of ASCII
        refuse("Input is not valid base64: it takes the standard alphabet, with padding, without line breaks")
    return data if decoded else refuse("Input holds no data")


def _as_blocks(content: Any) -> Any:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


JsonObject = Annotated[dict[str, Any], AfterValidator(_not_too_deep)]
Base64 = Annotated[str, AfterValidator(_decodable)]


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
    type: Literal["file"]
    file_id: str


def _no_image_address(_: Url) -> NoReturn:
    refuse("fetching images is switched off: send the image in base64, or switch on the setting `fetch_images`")


def _no_document_address(_: Url) -> NoReturn:
    refuse("documents are not fetched from web addresses: send the document in base64")


def _no_upload(_: UploadedFile) -> NoReturn:
    refuse("files of Anthropic's Files API cannot be reached from Claude Code: send the content in base64")


ImageUrl = Annotated[Url, AfterValidator(_no_image_address)]
DocumentUrl = Annotated[Url, AfterValidator(_no_document_address)]
Upload = Annotated[UploadedFile, AfterValidator(_no_upload)]


class Image(TypedDict):
    type: Literal["image"]
    source: Annotated[ImageData | ImageUrl | Upload, Discriminator("type")]


class DocumentContent(TypedDict):
    type: Literal["content"]
    content: Annotated[
        ListOf[Annotated[Text | Image, Discriminator("type")]], BeforeValidator(_as_blocks), Field(min_length=1)
    ]


class Document(TypedDict):
    type: Literal["document"]
    source: Annotated[PdfData | PlainText | DocumentContent | DocumentUrl | Upload, Discriminator("type")]
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
    type: Literal["tool_use"]
    id: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$")]
    name: Annotated[str, Field(min_length=1, max_length=MAX_TOOL_NAME)]
    input: JsonObject


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
            BeforeValidator(_as_blocks),
        ]
    ]
    is_error: NotRequired[bool | None]


UserBlock = Annotated[Text | Image | Document | SearchResult | ToolResult, Discriminator("type")]
AssistantBlock = Annotated[Text | Thinking | RedactedThinking | ToolUse, Discriminator("type")]
UserContent = Annotated[ListOf[UserBlock], BeforeValidator(_as_blocks)]
AssistantContent = Annotated[ListOf[AssistantBlock], BeforeValidator(_as_blocks)]
SystemContent = Annotated[ListOf[Text], BeforeValidator(_as_blocks)]
