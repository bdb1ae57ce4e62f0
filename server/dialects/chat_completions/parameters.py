"""Parameters of a chat completion, passed on or left out with a warning.

A parameter that Claude does not have never fails a request, since every client sends some. It becomes a warning,
but only if it asks for something (`presence_penalty: 0` does not).
"""

from collections.abc import Callable, Mapping
from typing import Any

from server.dialects.chat_completions.body import ChatBody

_MAX_TEMPERATURE = 1.0  # The Messages API's; OpenAI's is 2.

UNSUPPORTED: Mapping[str, Callable[[Any], bool]] = {
    "seed": lambda value: True,
    "frequency_penalty": bool,
    "presence_penalty": bool,
    "logit_bias": bool,
    "logprobs": bool,
    "top_logprobs": bool,
    "prediction": lambda value: True,
    "verbosity": lambda value: value != "medium",
    "audio": lambda value: True,
    "moderation": lambda value: True,
}
"""Parameters that Claude does not have, and whether a value of theirs asks for something."""


def unsupported_warnings(body: Mapping[str, Any]) -> list[str]:
    """A warning for each parameter that asks for what Claude does not have."""
    return [
        f"parameter {name} is not supported by Claude and was left out"
        for name, asks in UNSUPPORTED.items()
        if (value := body.get(name)) is not None and asks(value)
    ]


def read_parameters(body: ChatBody, warnings: list[str]) -> dict[str, Any]:
    """The `MessagesRequest` fields for the parameters; adds to `warnings`."""
    return {
        "max_tokens": body.get("max_completion_tokens") or body.get("max_tokens"),
        "temperature": _limit_temperature(body.get("temperature"), warnings),
        "top_p": body.get("top_p"),
        "stop_sequences": _read_stop_sequences(body.get("stop"), warnings),
        **_read_effort(body.get("reasoning_effort")),
        **_read_response_format(body),
    }


def _limit_temperature(temperature: float | None, warnings: list[str]) -> float | None:
    if temperature is None or temperature <= _MAX_TEMPERATURE:
        return temperature
    warnings.append(f"parameter temperature goes up to 1 with Claude: {temperature:g} was lowered to 1")
    return _MAX_TEMPERATURE


def _read_stop_sequences(stop: str | list[str] | None, warnings: list[str]) -> tuple[str, ...]:
    sequences = list(filter(None, [stop] if isinstance(stop, str) else stop or ()))
    kept = tuple(text for text in sequences if text.strip())
    if len(kept) < len(sequences):
        warnings.append("stop sequences of white space alone are not supported by Claude and were left out")
    return kept


def _read_effort(wanted: str | None) -> dict[str, Any]:
    if wanted == "none":
        return {"thinking": {"type": "disabled"}}
    return {"effort": "low" if wanted == "minimal" else wanted}


def _read_response_format(body: ChatBody) -> dict[str, Any]:
    wanted = body.get("response_format")
    if wanted is None or wanted["type"] == "text":
        return {}
    if wanted["type"] == "json_object" or (schema := wanted["json_schema"].get("schema")) is None:
        return {"json_object": True}
    description = wanted["json_schema"].get("description")
    return {"output_schema": schema if description is None else {"description": description, **schema}}
