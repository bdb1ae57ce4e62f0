"""`options`, `format` and `think`, as parameters of the Messages API.

Options: `Options` of `api/types.go`. All numbers of a request are floating-point numbers to Ollama, which cuts them for
options that are integers.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, NotRequired

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from server.core.messages import MessagesRequest, Thinking
from server.dialects.openai.fields import TopP
from server.dialects.openai.parameters import Unsupported, limit_temperature, read_stop_sequences
from server.dialects.validation import ListOf, TextOr

_MAX_INTEGER = 2**31 - 1


def _cut_to_integer(value: Any) -> Any:
    return int(value) if isinstance(value, float) and math.isfinite(value) else value


Integer = Annotated[int, Field(ge=-_MAX_INTEGER, le=_MAX_INTEGER), BeforeValidator(_cut_to_integer)]


class Options(TypedDict):
    """The options that are passed on."""

    num_predict: NotRequired[Integer | None]
    temperature: NotRequired[Annotated[float, Field(ge=0, allow_inf_nan=False)] | None]
    top_p: NotRequired[TopP | None]
    top_k: NotRequired[Integer | None]
    stop: NotRequired[TextOr[str, ListOf[str]] | None]


UNSUPPORTED: Unsupported = {
    "seed": bool,
    "min_p": bool,
    "typical_p": lambda value: value != 1,
    "tfs_z": lambda value: value != 1,
    "repeat_penalty": lambda value: value not in (0, 1, 1.1),
    "presence_penalty": bool,
    "frequency_penalty": bool,
    "mirostat": bool,
}
"""All others that are not passed on concern Ollama's own memory and devices."""

IGNORED: Mapping[str, str] = {
    "keep_alive": "Claude needs no loading",
    "truncate": "Claude Code never shortens a conversation in silence",
    "shift": "Claude Code never shortens a conversation in silence",
    "messages.thinking": "an answer's own, and not the client's to write",
    "messages.tool_calls.type": "there is one type",
    "messages.tool_calls.function.index": "the place in a stream that has ended",
    "messages.tool_calls.function.description": "part of the tool",
    "messages.name": "only tools have a name, in tool_name",
}
"""Fields that are passed over without a warning, and why. All `options` that are not named here are, too."""


def read_parameters(body: Mapping[str, Any], warnings: list[str]) -> dict[str, Any]:
    """The `MessagesRequest` fields for options, format and think; adds to `warnings`."""
    options: Options = body.get("options") or Options()
    return {
        "max_tokens": _positive(options.get("num_predict")),
        **_read_sampling(options, warnings),
        "stop_sequences": read_stop_sequences(options.get("stop")),
        **_read_think(body.get("think")),
        **_read_format(body.get("format")),
    }


def _read_sampling(options: Options, warnings: list[str]) -> dict[str, Any]:
    return {
        "temperature": limit_temperature(options.get("temperature"), warnings),
        "top_p": options.get("top_p"),
        "top_k": _positive(options.get("top_k")),
    }


def _positive(value: int | None) -> int | None:
    """`value`, or None: zero and negative numbers mean no limit to Ollama."""
    return value if value is not None and value > 0 else None


def with_default_thinking(request: MessagesRequest) -> MessagesRequest:
    """Turn thinking on if nothing was said of it: Ollama's models that can think do.

    Models that take a temperature take it only without thinking, so a client that sets one and says nothing of thinking
    gets what it has asked for.
    """
    said = (request.thinking, request.effort, request.temperature, request.top_p, request.top_k)
    if any(value is not None for value in said):
        return request
    return request.with_changes(thinking=Thinking(type="adaptive"))


def _read_think(think: bool | str | None) -> dict[str, Any]:
    if think is None:
        return {}
    if isinstance(think, str):
        return {"effort": think}
    return {"thinking": Thinking(type="adaptive" if think else "disabled")}


def _read_format(wanted: str | dict[str, Any] | None) -> dict[str, Any]:
    if isinstance(wanted, dict):
        return {"output_schema": wanted}
    return {"json_object": True} if wanted else {}
