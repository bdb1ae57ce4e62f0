"""Estimate a request's input tokens where no exact count is available.

The estimate is usually within 20 % of the real count for prose and code, and rather above than below. Text counts by
bytes, since scripts other than Latin take more tokens and more bytes per character. Images count by pixels
(https://docs.anthropic.com/en/docs/build-with-claude/vision), PDFs by pages
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
"""Tokens that the API adds to the prompt of a request with tools."""
_PER_TOOL = 12
_PIXELS_PER_TOKEN = 750
_MAX_IMAGE_TOKENS = 4784
"""The API scales larger images down to this many tokens."""
_UNKNOWN_IMAGE_TOKENS = 1600
_TOKENS_PER_PDF_PAGE = 2500
_PDF_BYTES_PER_PAGE = 60_000
"""Used if the pages cannot be counted because the PDF compresses its structure."""
_PDF_PAGE_OBJECT = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")


def estimate_tokens(request: MessagesRequest) -> int:
    """Return the estimated input tokens of any request. Raises nothing."""
    tokens = sum(_count_text(text) for text in request.system)
    tokens += sum(_PER_MESSAGE + _count_blocks(message["content"]) for message in request.messages)
    if request.tools:
        tokens += _TOOLS_PROMPT + sum(_PER_TOOL + _count_json(tool) for tool in request.tools)
    if request.output_schema is not None:
        tokens += _count_json(request.output_schema)
    return ceil(tokens)


def estimate_text_tokens(text: str) -> int:
    """Return the estimated tokens of a text."""
    return ceil(_count_text(text))


def _count_text(text: str) -> float:
    return len(text.encode("utf-8", "surrogatepass")) / _BYTES_PER_TOKEN


def _count_json(value: Any) -> float:
    try:
        return len(exact_json.dumps(value)) / _BYTES_PER_TOKEN
    except orjson.JSONEncodeError:
        return _count_text(str(value))


def _count_blocks(blocks: str | Iterable[Mapping[str, Any]]) -> float:
    return _count_text(blocks) if isinstance(blocks, str) else sum(_count_block(block) for block in blocks)


def _count_block(block: Mapping[str, Any]) -> float:
    match block.get("type"):
        case "text":
            return _count_text(block["text"])
        case "thinking" | "redacted_thinking":
            return 0  # Thinking of earlier turns is not part of the prompt.
        case "tool_use":
            return _PER_TOOL + _count_text(block["name"]) + _count_json(block["input"])
        case "tool_result":
            return _PER_TOOL + _count_blocks(block.get("content") or "")
        case "image":
            return _count_image(block["source"])
        case "document":
            return _count_document(block)
    return _count_json(block)


def _count_document(block: Mapping[str, Any]) -> float:
    tokens = _count_text(block.get("title") or "") + _count_text(block.get("context") or "")
    source = block["source"]
    match source.get("type"):
        case "base64":
            return tokens + _TOKENS_PER_PDF_PAGE * _count_pdf_pages(_decode_base64(source.get("data", "")))
        case "text":
            return tokens + _count_text(source.get("data", ""))
        case "content":
            return tokens + _count_blocks(source.get("content") or "")
    return tokens + _TOKENS_PER_PDF_PAGE


def _count_pdf_pages(pdf: bytes) -> int:
    return len(_PDF_PAGE_OBJECT.findall(pdf)) or 1 + len(pdf) // _PDF_BYTES_PER_PAGE


def _count_image(source: Mapping[str, Any]) -> float:
    size = size_of_base64(source.get("data", ""))
    if size is None:
        return _UNKNOWN_IMAGE_TOKENS
    return min(size[0] * size[1] / _PIXELS_PER_TOKEN, _MAX_IMAGE_TOKENS)


def _decode_base64(data: str) -> bytes:
    try:
        return binascii.a2b_base64(data[: len(data) // 4 * 4])
    except ValueError:
        return b""
