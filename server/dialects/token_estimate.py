"""How many input tokens a request takes, about: for clients that ask where no exact count can be had.

An estimate, usually within a fifth of the real count for prose and code, and rather above it than below. Text is
counted by bytes, since scripts other than Latin take more tokens a character, as they take more bytes. Images are
counted by their size in pixels (https://docs.anthropic.com/en/docs/build-with-claude/vision), PDFs by their pages
(https://docs.anthropic.com/en/docs/build-with-claude/pdf-support).
"""

import binascii
import re
import struct
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

import orjson

from server.messages import MessagesRequest

_BYTES_PER_TOKEN = 3.5
_PER_MESSAGE = 4
_TOOLS_PROMPT = 350
"""What the API adds to the prompt when there are tools."""
_PER_TOOL = 12
_PIXELS_PER_TOKEN = 750
_IMAGE_MOST = 4784
"""Larger images are scaled down to this many tokens."""
_IMAGE_UNKNOWN = 1600
_PDF_PAGE = 2500
_PDF_BYTES_PER_PAGE = 60_000
"""Where the pages cannot be counted, because the PDF compresses its structure."""
_PDF_PAGE_OBJECT = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")
_IMAGE_HEAD = 256 * 1024
"""How many characters of an image's base64 are looked at: a JPEG's size stands behind its previews."""


def estimate_tokens(request: MessagesRequest) -> int:
    """The request's input tokens, estimated. Takes any request, raises nothing."""
    tokens = sum(_text(text) for text in request.system)
    tokens += sum(_PER_MESSAGE + _blocks(message["content"]) for message in request.messages)
    if request.tools:
        tokens += _TOOLS_PROMPT + sum(_PER_TOOL + _json(tool) for tool in request.tools)
    if request.output_schema is not None:
        tokens += _json(request.output_schema)
    return ceil(tokens)


def _text(text: str) -> float:
    return len(text.encode("utf-8", "surrogatepass")) / _BYTES_PER_TOKEN


def _json(value: Any) -> float:
    try:
        return len(orjson.dumps(value)) / _BYTES_PER_TOKEN
    except orjson.JSONEncodeError:
        return _text(str(value))


def _blocks(blocks: str | Iterable[Mapping[str, Any]]) -> float:
    return _text(blocks) if isinstance(blocks, str) else sum(_block(block) for block in blocks)


def _block(block: Mapping[str, Any]) -> float:
    match block.get("type"):
        case "text":
            return _text(block["text"])
        case "thinking" | "redacted_thinking":
            return 0  # Thinking of earlier turns is not part of the prompt.
        case "tool_use":
            return _PER_TOOL + _text(block["name"]) + _json(block["input"])
        case "tool_result":
            return _PER_TOOL + _blocks(block.get("content") or "")
        case "image":
            return _image(block["source"])
        case "document":
            return _document(block)
    return _json(block)


def _document(block: Mapping[str, Any]) -> float:
    tokens = _text(block.get("title") or "") + _text(block.get("context") or "")
    source = block["source"]
    match source.get("type"):
        case "base64":
            return tokens + _PDF_PAGE * _pdf_pages(_decoded(source.get("data", "")))
        case "text":
            return tokens + _text(source.get("data", ""))
        case "content":
            return tokens + _blocks(source.get("content") or "")
    return tokens + _PDF_PAGE


def _pdf_pages(pdf: bytes) -> int:
    return len(_PDF_PAGE_OBJECT.findall(pdf)) or 1 + len(pdf) // _PDF_BYTES_PER_PAGE


def _image(source: Mapping[str, Any]) -> float:
    size = _image_size(_decoded(source.get("data", "")[:_IMAGE_HEAD]))
    if size is None:
        return _IMAGE_UNKNOWN
    return min(size[0] * size[1] / _PIXELS_PER_TOKEN, _IMAGE_MOST)


def _decoded(data: str) -> bytes:
    try:
        return binascii.a2b_base64(data[: len(data) // 4 * 4])
    except ValueError:
        return b""


def _image_size(head: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, GIF, JPEG or WebP, from its first bytes."""
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", head, 16)
        if head.startswith((b"GIF87a", b"GIF89a")):
            return struct.unpack_from("<HH", head, 6)
        if head.startswith(b"\xff\xd8"):
            return _jpeg_size(head)
        if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
            return _webp_size(head)
    except (struct.error, IndexError):
        pass
    return None


def _jpeg_size(head: bytes) -> tuple[int, int]:
    """From the frame header (ITU T.81, B.2.2), behind segments that tell their own lengths."""
    at = 2
    while True:
        marker = head[at + 1]
        if head[at] != 0xFF or marker == 0xFF:
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", head, at + 5)
            return width, height
        else:
            at += 2 + struct.unpack_from(">H", head, at + 2)[0]


def _webp_size(head: bytes) -> tuple[int, int] | None:
    """From the first chunk: https://developers.google.com/speed/webp/docs/riff_container."""
    match head[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", head, 26)
            return width & 0x3FFF, height & 0x3FFF
    return None
