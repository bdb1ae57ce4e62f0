"""Parameters of a chat completion, passed on or left out with a warning."""

from typing import Any

from server.dialects.chat_completions.body import ChatBody
from server.dialects.openai.parameters import (
    Unsupported,
    limit_temperature,
    read_effort,
    read_output_format,
    read_stop_sequences,
)

UNSUPPORTED: Unsupported = {
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


def read_parameters(body: ChatBody, warnings: list[str]) -> dict[str, Any]:
    """The `MessagesRequest` fields for the parameters; adds to `warnings`."""
    return {
        "max_tokens": body.get("max_completion_tokens") or body.get("max_tokens"),
        "temperature": limit_temperature(body.get("temperature"), warnings),
        "top_p": body.get("top_p"),
        "stop_sequences": read_stop_sequences(body.get("stop")),
        **read_effort(body.get("reasoning_effort")),
        **_read_response_format(body),
    }


def _read_response_format(body: ChatBody) -> dict[str, Any]:
    wanted = body.get("response_format")
    if wanted is None or wanted["type"] == "text":
        return {}
    if wanted["type"] == "json_object":
        return read_output_format(None, None)
    return read_output_format(wanted["json_schema"].get("schema"), wanted["json_schema"].get("description"))
