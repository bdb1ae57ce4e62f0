"""Pictures inside a body: base64 without a media type."""

from typing import Annotated

from server.core.messages import Block
from server.dialects.openai.media import read_bare_media
from server.dialects.validation import FromText

_LINE_BREAKS = str.maketrans("", "", "\r\n")


def _read_image(data: str) -> Block:
    """The block of a picture or PDF, by its first bytes. Raises the validator's refusal."""
    # Go's decoder, which Ollama uses, ignores line breaks, and some clients send them.
    return read_bare_media(data.translate(_LINE_BREAKS))


ImageData = Annotated[Block, FromText(_read_image)]
"""A picture's base64, read into a block."""
