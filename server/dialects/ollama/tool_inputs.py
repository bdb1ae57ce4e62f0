"""The arguments of tool calls in a history: an object, or JSON in a string."""

from typing import Annotated, Any

from pydantic import AfterValidator

from server.core.messages import MAX_INPUT_DEPTH, TooDeep, is_deeper, read_tool_input
from server.dialects.validation import FromText, TextOr, refuse_value


def _refuse_depth() -> None:
    refuse_value(f"is nested deeper than {MAX_INPUT_DEPTH} levels", "Flatten it.")


def _read_text(text: str) -> dict[str, Any]:
    """Parse arguments that a client sends in OpenAI's manner; other text becomes `_incomplete`."""
    try:
        parsed = read_tool_input(text)
    except TooDeep:
        _refuse_depth()
    return parsed if isinstance(parsed, dict) else {"_incomplete": text}


def _check_depth(value: dict[str, Any]) -> dict[str, Any]:
    if is_deeper(value, MAX_INPUT_DEPTH):
        _refuse_depth()
    return value


ToolInput = TextOr[
    Annotated[dict[str, Any], FromText(_read_text)], Annotated[dict[str, Any], AfterValidator(_check_depth)]
]
"""The arguments as an object."""
