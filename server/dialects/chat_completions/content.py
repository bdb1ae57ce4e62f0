"""Content parts of messages, and the Messages API's blocks for them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired

from pydantic import BeforeValidator
from typing_extensions import TypedDict

from server.core.messages import Block, text_block
from server.dialects.openai.media import FileData, ImageUrl
from server.dialects.turn_rules import join_blank_texts
from server.dialects.validation import ByMember, ListOf, TextOr, refuse_value


class TextPart(TypedDict):
    type: Literal["text"]
    text: str


class RefusalPart(TypedDict):
    type: Literal["refusal"]
    refusal: str


class Image(TypedDict):
    url: ImageUrl


class ImagePart(TypedDict):
    type: Literal["image_url"]
    image_url: Image


class File(TypedDict):
    file_data: FileData
    filename: NotRequired[str | None]


def _refuse_uploads(file: Any) -> Any:
    if isinstance(file, dict) and file.get("file_data") is None and file.get("file_id") is not None:
        refuse_value("names an uploaded file, and this server keeps none", "Send it as `file_data`.", member="file_id")
    return file


class FilePart(TypedDict):
    type: Literal["file"]
    file: Annotated[File, BeforeValidator(_refuse_uploads)]


def _refuse_audio(part: Any) -> Any:
    if isinstance(part, dict) and part.get("type") == "input_audio":
        refuse_value("is input_audio", "Claude does not accept audio: send its transcript as text.", member="type")
    return part


Part = TextPart | RefusalPart | ImagePart | FilePart

UserPart = Annotated[TextPart | ImagePart | FilePart, ByMember("type"), BeforeValidator(_refuse_audio)]
SystemPart = Annotated[TextPart, ByMember("type"), BeforeValidator(_refuse_audio)]
AssistantPart = Annotated[TextPart | RefusalPart, ByMember("type"), BeforeValidator(_refuse_audio)]

UserContent = TextOr[str, ListOf[UserPart]]
SystemContent = TextOr[str, ListOf[SystemPart]]
AssistantContent = TextOr[str, ListOf[AssistantPart]]


def content_blocks(content: str | Sequence[Part] | None) -> list[Block]:
    """The blocks of a message's content, without empty texts."""
    if isinstance(content, str):
        return join_blank_texts([text_block(content)])
    return join_blank_texts(map(_part_block, content or ()))


def _part_block(part: Part) -> Block:
    if part["type"] == "image_url":
        return part["image_url"]["url"]
    if part["type"] == "file":
        block, title = part["file"]["file_data"], part["file"].get("filename")
        return {**block, "title": title} if title and block["type"] == "document" else block
    return text_block(part["text"] if part["type"] == "text" else part["refusal"])
