"""Types of single fields that OpenAI's dialects share."""

from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, Field

from server.core.messages import MAX_INPUT_DEPTH, MAX_TOOL_NAME, TooDeep, is_deeper, read_tool_input
from server.dialects.validation import FromText, refuse_value


def _read_arguments(text: str) -> dict[str, Any]:
    """Parse a call's input; text of a call that was cut becomes `_incomplete`."""
    try:
        parsed = read_tool_input(text)
    except TooDeep:
        _refuse_depth()
    if parsed is None:
        return {}
    return parsed if isinstance(parsed, dict) else {"_incomplete": text}


def _refuse_depth() -> NoReturn:
    refuse_value(f"is nested deeper than {MAX_INPUT_DEPTH} levels", "Flatten it.")


def _check_depth(value: dict[str, Any]) -> dict[str, Any]:
    return _refuse_depth() if is_deeper(value, MAX_INPUT_DEPTH) else value


FilledText = Annotated[str, Field(min_length=1)]
ToolName = Annotated[str, Field(min_length=1, max_length=MAX_TOOL_NAME)]
TokenLimit = Annotated[int, Field(ge=1, le=2**31 - 1)]
Temperature = Annotated[float, Field(ge=0, le=2)]
TopP = Annotated[float, Field(ge=0, le=1)]
Arguments = Annotated[dict[str, Any], FromText(_read_arguments)]
"""The arguments of a call: JSON in a string, read into an object."""
JsonObject = Annotated[dict[str, Any], AfterValidator(_check_depth)]
"""The arguments of a call as an object."""
