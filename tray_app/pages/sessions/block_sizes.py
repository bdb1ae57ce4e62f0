"""Estimated sizes of display blocks before layout, in logical pixels."""

from math import ceil

from tray_app.models.sessions.blocks import Collapsible, DisplayBlock, Heading, Label, OmittedContent, Picture
from tray_app.models.sessions.markdown import Code, Plain, Prose

INDENT = 16
"""Indent of the body of an expanded block."""
THUMBNAIL = (240, 160)
"""Maximum size of a thumbnail."""
ROW = 32

_CHARACTER = 7
_LINE = 20
_CODE_LINE = 17
_CODE_FRAME = 24


def estimated_height(block: DisplayBlock, width: int) -> int:
    """The estimated height of `block` in a column of `width`."""
    match block:
        case Prose(text) | Plain(text):
            lines = text.count("\n") + len(text) * _CHARACTER / max(width, 1)
            return ceil(lines + 1) * _LINE
        case Code(text, _, whole):
            return (text.count("\n") + 1) * _CODE_LINE + _CODE_FRAME + (ROW if whole is not None else 0)
        case Picture(_, data):
            return ROW if data is None else THUMBNAIL[1]
        case Label():
            return _LINE
        case Heading() | OmittedContent() | Collapsible():
            return ROW


def gap_above(block: DisplayBlock, first: bool) -> int:
    """The space between `block` and the one above it."""
    if first:
        return 0
    match block:
        case Heading():
            return 20
        case Code(_, _, None):
            return 0  # continues the code block above
        case Plain(_, is_first=False):
            return 0  # continues the text above
        case Collapsible() | Label():
            return 4
        case _:
            return 8
