"""Files inside a body: data URLs and base64, as image and document blocks."""

import binascii
import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote_to_bytes

from server.core.messages import Block
from server.dialects.validation import FromText, quote_value, refuse_value

_DATA_URL = re.compile(r"data:(?P<type>[^;,]*)(?P<parameters>[^,]*),", re.IGNORECASE)
_BASE64 = re.compile(r";\s*base64\s*$", re.IGNORECASE)
_PDF_HEADER_WITHIN = 1024  # Readers, Claude's among them, accept this many bytes before the header of a PDF.
_TEXT_TYPES = ("application/json", "application/xml", "application/x-yaml", "application/javascript")


@dataclass(frozen=True, slots=True)
class Media:
    """A file: its bytes, the base64 as sent (and passed on), the declared type."""

    content: bytes
    base64: str
    declared_type: str

    @property
    def image_type(self) -> str | None:
        """The media type by the first bytes; clients often declare a wrong one."""
        head = self.content[:12]
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return "image/png"
        if head.startswith(b"\xff\xd8\xff"):
            return "image/jpeg"
        if head.startswith((b"GIF87a", b"GIF89a")):
            return "image/gif"
        if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
            return "image/webp"
        return None

    @property
    def is_pdf(self) -> bool:
        return b"%PDF-" in self.content[:_PDF_HEADER_WITHIN]


def is_web_url(url: str) -> bool:
    """Whether `url` is an http(s) address, which would have to be fetched."""
    return url[:8].lower().startswith(("http://", "https://"))


def _read_image(url: str) -> Block:
    if is_web_url(url):
        refuse_value(
            "is a web address, and fetching images is switched off",
            "Send the image as a data URL, or switch on the setting `fetch_images`.",
        )
    return _image_block(_read_data_url(url))


def _read_file(data: str) -> Block:
    media = _read_data_url(data) if data[:5].lower() == "data:" else Media(_decode_base64(data), data, "")
    if media.declared_type.startswith("image/") or media.image_type is not None:
        return _image_block(media)
    return {"type": "document", "source": _document_source(media)}


def read_bare_media(data: str) -> Block:
    """The block of an image or PDF in base64 without a declared type, or as a data URL.

    Called from validators: it raises their refusal.
    """
    media = _read_data_url(data) if data[:5].lower() == "data:" else Media(_decode_base64(data), data, "")
    return {"type": "document", "source": _document_source(media)} if media.is_pdf else _image_block(media)


ImageUrl = Annotated[Block, FromText(_read_image)]
"""An image's data URL, read into a block."""
FileData = Annotated[Block, FromText(_read_file)]
"""A file's data URL, or its bare base64, read into a document or image block."""


def _read_data_url(url: str) -> Media:
    head = _DATA_URL.match(url)
    if head is None:
        refuse_value("is not a data URL", "It must look like `data:image/png;base64,iVBORw0...`.")
    declared_type, payload = head["type"].strip().lower(), url[head.end() :]
    if _BASE64.search(head["parameters"]):
        return Media(_decode_base64(payload), payload, declared_type)
    content = unquote_to_bytes(payload.encode("utf-8", "surrogatepass"))
    return Media(content, binascii.b2a_base64(content, newline=False).decode(), declared_type)


def _decode_base64(payload: str) -> bytes:
    try:
        content = binascii.a2b_base64(payload, strict_mode=True)
    except ValueError:  # binascii.Error, or characters outside ASCII
        refuse_value("holds damaged base64", "Use the standard alphabet, with padding and without line breaks.")
    return content or refuse_value("holds no data", "Put the file's bytes in base64 behind the comma.")


def _image_block(media: Media) -> Block:
    if media.image_type is None:
        refuse_value("holds no image that Claude reads", "Its bytes must be a PNG, JPEG, GIF or WebP image.")
    return {
        "type": "image",
        "source": {"type": "base64", "media_type": media.image_type, "data": media.base64},
    }


def _document_source(media: Media) -> Block:
    if media.is_pdf:
        return {"type": "base64", "media_type": "application/pdf", "data": media.base64}
    if media.declared_type in ("", *_TEXT_TYPES) or media.declared_type.startswith("text/"):
        return {"type": "text", "media_type": "text/plain", "data": _decode_text(media.content)}
    if media.declared_type == "application/pdf":
        refuse_value("holds no PDF", "Its bytes must begin with `%PDF-`.")
    refuse_value(
        f"holds a file of the type {quote_value(media.declared_type)} that Claude does not read",
        "Send a PDF, a text file or an image.",
    )


def _decode_text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        refuse_value("is neither a PDF nor text in UTF-8", "Send a PDF, or text in UTF-8.")
    return text if text.strip() else refuse_value("holds an empty text file", "Leave the file out.")
