"""How many input tokens a request takes, about: for clients that ask where no exact count can be had.

An estimate, usually within a fifth of the real count for prose and code, and rather above it than below. Text is
counted by bytes, since scripts other than Latin take more tokens a character, as they take more bytes. Images are
counted by their size in pixels (https://docs.anthropic.com/en/docs/build-with-claude/vision), PDFs by their pages
(https://docs.anthropic.com/en/docs/build-with-claude/pdf-support).
"""

import binascii
import re
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

import orjson

from server.core import exact_json
from server.core.image_size import size_of_base64
from server.core.messages import MessagesRequest

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
        return len(exact_json.dumps(value)) / _BYTES_PER_TOKEN
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
    size = size_of_base64(source.get("data", ""))
    if size is None:
        return _IMAGE_UNKNOWN
    return min(size[0] * size[1] / _PIXELS_PER_TOKEN, _IMAGE_MOST)


def _decoded(data: str) -> bytes:
    try:
        return binascii.a2b_base64(data[: len(data) // 4 * 4])
    except ValueError:
        return b""
