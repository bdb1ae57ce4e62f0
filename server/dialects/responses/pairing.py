"""Which output answers which call.

Outputs name their call by `call_id`. They may come anywhere after it, and an id may be used again once it was answered.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from server.dialects.validation import invalid_field, quote_value

_CALLS = frozenset({"function_call", "custom_tool_call", "tool_search_call"})
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output", "tool_search_output"})


def pair_outputs(items: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """The position of the output for each call that has one.

    Raises InvalidRequest for an output without a call. A search of OpenAI's own has no `call_id` and is no call here.
    """
    open_calls: dict[str, int] = {}
    pairs: dict[int, int] = {}
    for index, item in enumerate(items):
        call_id = item.get("call_id")
        if item["type"] in _CALLS and call_id:
            open_calls[call_id] = index
        elif item["type"] in _OUTPUTS and call_id:
            if (call := open_calls.pop(call_id, None)) is None:
                raise invalid_field(
                    f"input[{index}].call_id",
                    f"is {quote_value(call_id)}, which no open call has",
                    "An output answers a call before it in `input`, once.",
                )
            pairs[call] = index
    return pairs
