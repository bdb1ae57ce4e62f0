"""The parts of Anthropic's model object that follow from a model's capabilities.

https://platform.claude.com/docs/en/api/models/retrieve; the types are `ModelInfo` and `ModelCapabilities` of its SDK.
They say what a request to this server may ask for: what the server has to leave out counts as not supported.
"""

import re
from typing import Any

from server.core.messages import EFFORTS
from server.models.table import Capabilities

_LINE = re.compile(r"(?<![a-z])(haiku|sonnet|opus|fable|mythos)(?![a-z])")


def line_of(model_id: str) -> str | None:
    """Return the model line, such as `opus`; None for a model of no known line."""
    match = _LINE.search(model_id)
    return match[1] if match is not None else None


def describe_capabilities(caps: Capabilities) -> dict[str, Any]:
    """Return the object `capabilities` of a model."""
    return {
        "batch": _support(False),
        "citations": _support(True),
        "code_execution": _support(True),
        "context_management": _support(True),
        "effort": {**_support(bool(caps.efforts)), **{effort: _support(effort in caps.efforts) for effort in EFFORTS}},
        "image_input": _support(True),
        "pdf_input": _support(True),
        "server_tools": {**_support(True), "code_execution": _support(True), "web_search": _support(True)},
        "structured_outputs": _support(caps.output_schema),
        "thinking": {**_support(True), "types": _describe_thinking(caps)},
    }


def _describe_thinking(caps: Capabilities) -> dict[str, Any]:
    return {
        "adaptive": _support(not caps.thinking_budget),
        "between_tools": _support(False),
        "disabled": _support(caps.thinking_off),
        "enabled": _support(caps.thinking_budget),
    }


def _support(supported: bool) -> dict[str, bool]:
    return {"supported": supported}
