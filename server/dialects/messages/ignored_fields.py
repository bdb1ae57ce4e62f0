"""Fields of a body that are ignored without a warning."""

from collections.abc import Mapping
from typing import Any

IGNORED: Mapping[str, str] = {
    "cache_control": "Claude Code sets cache marks itself; the last one on a tool is passed on",
    "anthropic_version": "as the header of this name",
    "system.citations": "a system prompt cites nothing",
    "tools.type": "says what it is anyway",
    "tools.eager_input_streaming": "a tool's input is streamed as it is written",
}
"""Why each has no effect. A name without a dot counts at any depth."""

DEFAULTS: Mapping[str, Any] = {}
"""Values of fields that ask for nothing special."""
