"""Parameters that OpenAI's dialects share, passed on or left out with a warning.

A parameter that Claude does not have never fails a request, since every client sends some. It becomes a warning,
but only if it asks for something (`presence_penalty: 0` does not).
"""

from collections.abc import Callable, Mapping
from typing import Any

_MAX_TEMPERATURE = 1.0  # The Messages API's; OpenAI's is 2.

Unsupported = Mapping[str, Callable[[Any], bool]]
"""Parameters that Claude does not have, and whether a value of theirs asks for something."""


def unsupported_warnings(body: Mapping[str, Any], unsupported: Unsupported) -> list[str]:
    """A warning for each parameter that asks for what Claude does not have."""
    return [
        f"parameter {name} is not supported by Claude and was left out"
        for name, asks in unsupported.items()
        if (value := body.get(name)) is not None and asks(value)
    ]


def limit_temperature(temperature: float | None, warnings: list[str]) -> float | None:
    """The temperature, lowered to Claude's highest one; adds to `warnings`."""
    if temperature is None or temperature <= _MAX_TEMPERATURE:
        return temperature
    warnings.append(f"parameter temperature goes up to 1 with Claude: {temperature:g} was lowered to 1")
    return _MAX_TEMPERATURE


def read_effort(wanted: str | None) -> dict[str, Any]:
    """The `MessagesRequest` fields for OpenAI's effort, which has `none` and `minimal` too."""
    if wanted == "none":
        return {"thinking": {"type": "disabled"}}
    return {"effort": "low" if wanted == "minimal" else wanted}


def read_output_format(schema: dict[str, Any] | None, description: str | None) -> dict[str, Any]:
    """The `MessagesRequest` fields for an answer in JSON; without a schema any object will do."""
    if schema is None:
        return {"json_object": True}
    return {"output_schema": schema if description is None else {"description": description, **schema}}
