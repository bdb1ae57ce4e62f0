"""Content parts of items, and the Messages API's blocks for them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired

from pydantic import BeforeValidator
from typing_extensions import TypedDict

from server.core.messages import Block, text_block
from server.dialects.openai.media import FileData, ImageUrl, is_web_url
from server.dialects.turn_rules import join_blank_texts
from server.dialects.validation import ByMember, ListOf, TextOr, refuse_value


class TextPart(TypedDict):
    type: Literal["input_text", "output_text", "text"]
    text: str


class RefusalPart(TypedDict):
    type: Literal["refusal"]
    refusal: str


class ImagePart(TypedDict):
    type: Literal["input_image"]
    image_url: ImageUrl


class FilePart(TypedDict):
    type: Literal["input_file"]
    file_data: FileData
    filename: NotRequired[str | None]


_DATA_MEMBERS = {"input_image": "image_url", "input_file": "file_data"}


def _refuse_unreachable(part: Any) -> Any:
    """Refuse audio, uploaded files and web addresses that were not fetched."""
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "input_audio":
        refuse_value("is input_audio", "Claude does not accept audio: send its transcript as text.", member="type")
    if not isinstance(kind, str) or part.get(data_member := _DATA_MEMBERS.get(kind, "type")) is not None:
        return part
    if part.get("file_id") is not None:
        hint = f"Send it as `{data_member}`."
        refuse_value("names an uploaded file, and this server keeps none", hint, member="file_id")
    if kind == "input_file" and isinstance(url := part.get("file_url"), str):
        problem = "is a web address, and fetching images is switched off" if is_web_url(url) else "is no web address"
        hint = "Send the file as `file_data`, or switch on the setting `fetch_images` for images and PDFs."
        refuse_value(problem, hint, member="file_url")
    return part


Part = TextPart | RefusalPart | ImagePart | FilePart
AnyPart = Annotated[Part, ByMember("type"), BeforeValidator(_refuse_unreachable)]
Content = TextOr[str, ListOf[AnyPart]]
"""Content of messages and of outputs. `turns.py` refuses images and files where Claude takes text alone."""


def content_blocks(content: str | Sequence[Part] | None) -> list[Block]:
    """The blocks of an item's content, without empty texts."""
    if isinstance(content, str):
        return join_blank_texts([text_block(content)])
    return join_blank_texts(map(_part_block, content or ()))


def _part_block(part: Part) -> Block:
    if part["type"] == "input_image":
        return part["image_url"]
    if part["type"] == "input_file":
        block, title = part["file_data"], part.get("filename")
        return {**block, "title": title} if title and block["type"] == "document" else block
    return text_block(part["refusal"] if part["type"] == "refusal" else part["text"])
