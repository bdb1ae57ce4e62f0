"""The parameters of a chat completion: those that are passed on, and those that are left out and named.

A parameter that Claude does not have never fails a request: every client sends some. It becomes a warning,
but only where it asks for something (`presence_penalty: 0` does not).
"""

from collections.abc import Callable
from typing import Any

from server.core.messages import EFFORTS, Effort
from server.dialects.chat_completions.fields import Field

_HIGHEST_TEMPERATURE = 1.0  # The Messages API's; OpenAI's is 2.

# Parameter -> whether its value asks for something.
_UNSUPPORTED: dict[str, Callable[[Any], bool]] = {
    "seed": lambda value: True,
    "frequency_penalty": bool,
    "presence_penalty": bool,
    "logit_bias": bool,
    "logprobs": bool,
    "top_logprobs": bool,
    "prediction": lambda value: True,
    "web_search_options": lambda value: True,
    "verbosity": lambda value: value != "medium",
    "audio": lambda value: True,
    "moderation": lambda value: True,
}


def read_parameters(body: Field, warnings: list[str]) -> dict[str, Any]:
    """The fields of a `MessagesRequest` that parameters decide; what is left out is added to `warnings`."""
    for name, asks in _UNSUPPORTED.items():
        value = body.member(name).value
        if value is not None and asks(value):
            warnings.append(f"parameter {name} is not supported by Claude and was left out")
    _refuse_audio(body.member("modalities"))
    return {
        "max_tokens": _max_tokens(body),
        "temperature": _temperature(body.member("temperature"), warnings),
        "top_p": _optional_number(body.member("top_p"), 1),
        "stop_sequences": _stop_sequences(body.member("stop"), warnings),
        **_effort(body.member("reasoning_effort")),
        **_response_format(body.member("response_format")),
    }


def _refuse_audio(modalities: Field) -> None:
    if "audio" in [item.one_of("text", "audio") for item in modalities.items()]:
        raise modalities.refusal("asks for audio, which Claude does not speak", "Leave it out.")


def _max_tokens(body: Field) -> int | None:
    given = [body.member(name) for name in ("max_completion_tokens", "max_tokens")]
    return next((field.integer(least=1) for field in given if not field.missing), None)


def _temperature(field: Field, warnings: list[str]) -> float | None:
    temperature = _optional_number(field, 2)
    if temperature is None or temperature <= _HIGHEST_TEMPERATURE:
        return temperature
    warnings.append(f"parameter temperature goes up to 1 with Claude: {temperature:g} was lowered to 1")
    return _HIGHEST_TEMPERATURE


def _optional_number(field: Field, most: float) -> float | None:
    return None if field.missing else field.number(0, most)


def _stop_sequences(stop: Field, warnings: list[str]) -> tuple[str, ...]:
    fields = [stop] if isinstance(stop.value, str) else stop.items()
    sequences = [text for field in fields if (text := field.string())]
    kept = tuple(text for text in sequences if text.strip())
    if len(kept) < len(sequences):
        warnings.append("stop sequences of white space alone are not supported by Claude and were left out")
    return kept


def _effort(field: Field) -> dict[str, Any]:
    if field.missing:
        return {}
    wanted = field.one_of("none", "minimal", *EFFORTS)
    if wanted == "none":
        return {"thinking": {"type": "disabled"}}
    effort: Effort = next((known for known in EFFORTS if known == wanted), "low")
    return {"effort": effort}


def _response_format(field: Field) -> dict[str, Any]:
    if field.missing:
        return {}
    match field.member("type").one_of("text", "json_object", "json_schema"):
        case "json_object":
            return {"json_object": True}
        case "json_schema":
            return _json_schema(field.member("json_schema"))
        case _:
            return {}


def _json_schema(field: Field) -> dict[str, Any]:
    field.member("name").filled_string()
    schema, description = field.member("schema"), field.member("description")
    told = {} if description.missing else {"description": description.string()}
    return {"json_object": True} if schema.missing else {"output_schema": {**told, **schema.object()}}
