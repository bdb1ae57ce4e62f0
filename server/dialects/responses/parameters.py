"""Parameters of a response, passed on or left out with a warning."""

from typing import Any

from server.dialects.openai.parameters import Unsupported, limit_temperature
from server.dialects.responses.body import ResponsesBody

_LOGPROBS = "message.output_text.logprobs"

UNSUPPORTED: Unsupported = {
    "top_logprobs": bool,
    "truncation": lambda value: value != "disabled",
    "max_tool_calls": lambda value: True,
    "prompt": lambda value: True,
}
"""Parameters that Claude does not have, and whether a value of theirs asks for something."""


def read_limits(body: ResponsesBody, warnings: list[str]) -> dict[str, Any]:
    """The `MessagesRequest` fields for the limits of the answer; adds to `warnings`."""
    if _LOGPROBS in (body.get("include") or ()):
        warnings.append(f"include {_LOGPROBS} is not supported by Claude and was left out")
    return {
        "max_tokens": body.get("max_output_tokens"),
        "temperature": limit_temperature(body.get("temperature"), warnings),
        "top_p": body.get("top_p"),
    }
