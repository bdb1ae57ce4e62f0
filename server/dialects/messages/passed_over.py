"""Fields of a Messages body that are not passed on: those that change nothing, and the rest."""

from collections.abc import Iterator, Mapping
from typing import Any

PASSED_OVER: Mapping[str, str] = {
    "cache_control": "Claude Code sets cache marks itself; the last one on a tool is passed on",
    "metadata": "for the client's own records",
    "service_tier": "for billing",
    "anthropic_version": "as the header of this name",
    "system.citations": "a system prompt cites nothing",
    "tools.type": "says what it is anyway",
    "tools.eager_input_streaming": "a tool's input is streamed as it is written",
}
"""Fields of no effect on the answer, and why. A name without a dot counts wherever it stands."""

_ELSEWHERE = frozenset({"betas", "anthropic_beta"})
"""Told of in `betas.py`."""
_DEFAULTS: Mapping[str, Any] = {
    "speed": "standard",
    "tools.allowed_callers": ["direct"],
    "messages.content.caller": {"type": "direct"},
}
"""What these fields say where they ask for nothing special."""


def dropped_fields(sent: Any, checked: Any, path: str = "") -> Iterator[str]:
    """The paths, without list indices, of what the client sent with a value and is not in the `checked` body."""
    if isinstance(sent, dict) and isinstance(checked, dict):
        for name, value in sent.items():
            here = f"{path}.{name}" if path else name
            if name in checked:
                yield from dropped_fields(value, checked[name], here)
            elif value and not _is_passed_over(here, name, value):
                yield here
    elif isinstance(sent, list) and isinstance(checked, list) and sent is not checked:
        for one, kept in zip(sent, checked, strict=False):
            yield from dropped_fields(one, kept, path)


def _is_passed_over(path: str, name: str, value: Any) -> bool:
    return name in PASSED_OVER or path in PASSED_OVER or path in _ELSEWHERE or _DEFAULTS.get(path) == value
