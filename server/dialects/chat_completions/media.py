"""The bytes inside a body: data URLs, and what kind of image or document they hold."""

import binascii
import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from server.dialects.chat_completions.fields import Field

_DATA_URL = re.compile(r"data:(?P<type>[^;,]*)(?P<parameters>[^,]*),", re.IGNORECASE)
_BASE64 = re.compile(r";\s*base64\s*$", re.IGNORECASE)
_PDF_HEADER_WITHIN = 1024  # Readers, Claude's among them, take a PDF with this much before its header.


@dataclass(frozen=True, slots=True)
class Media:
    """Bytes, their base64 (as it came, so that it goes on unchanged), and the type that the client says."""

    content: bytes
    base64: str
    declared_type: str

    @property
    def image_type(self) -> str | None:
        """The media type by the first bytes, one that Claude reads; clients often declare another one."""
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
    """Whether it would have to be fetched."""
    return url[:8].lower().startswith(("http://", "https://"))


def read_data_url(field: Field) -> Media:
    """A `data:` URL's bytes. Raises `InvalidRequest` when it is none, or when its base64 is damaged."""
    url = field.string()
    head = _DATA_URL.match(url)
    if head is None:
        raise field.refusal("is not a data URL", "It must look like `data:image/png;base64,iVBORw0...`.")
    declared, payload = head["type"].strip().lower(), url[head.end() :]
    if _BASE64.search(head["parameters"]):
        return Media(_decoded(payload, field), payload, declared)
    content = unquote_to_bytes(payload.encode("utf-8", "surrogatepass"))
    return Media(content, binascii.b2a_base64(content, newline=False).decode(), declared)


def read_base64(field: Field) -> Media:
    """Bytes in base64 with nothing around it, of an undeclared type."""
    return Media(_decoded(field.string(), field), field.string(), "")


def _decoded(payload: str, field: Field) -> bytes:
    try:
        content = binascii.a2b_base64(payload, strict_mode=True)
    except ValueError as error:  # binascii.Error, or characters outside ASCII
        raise field.refusal(
            "holds damaged base64", "Use the standard alphabet, with padding and without line breaks."
        ) from error
    if not content:
        raise field.refusal("holds no data", "Put the file's bytes in base64 behind the comma.")
    return content
