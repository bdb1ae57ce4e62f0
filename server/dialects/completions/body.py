"""The body of a completion as pydantic checks it.

Schema: CreateCompletionRequest of openai/openai-openapi. `options` is what twinny sends in Ollama's manner.
"""

from typing import Annotated, Any, NotRequired

from pydantic import BeforeValidator, Field, TypeAdapter
from typing_extensions import TypedDict

from server.dialects.openai.fields import FilledText, Temperature, TokenLimit, TopP
from server.dialects.validation import ListOf, TextOr, check_body, invalid_field, refuse_value

MAX_ANSWERS = 20
"""The highest number of answers to a request, prompts times `n`: each is a conversation of its own with the model."""


def _refuse_tokens(prompt: Any) -> Any:
    """Refuse a list of token ids, or of lists of them."""
    first = prompt[0] if isinstance(prompt, list) and prompt else None
    if isinstance(first, int | list) and not isinstance(first, bool):
        refuse_value("holds token ids, which are those of another tokenizer", "Send the prompt as text.")
    return prompt


class StreamOptions(TypedDict):
    include_usage: NotRequired[bool | None]


class Options(TypedDict):
    num_predict: NotRequired[int | None]
    temperature: NotRequired[Annotated[float, Field(ge=0)] | None]


class CompletionBody(TypedDict):
    """The fields that have an effect."""

    model: NotRequired[FilledText | None]
    prompt: Annotated[TextOr[str, Annotated[ListOf[str], Field(min_length=1)]] | None, BeforeValidator(_refuse_tokens)]
    suffix: NotRequired[str | None]
    max_tokens: NotRequired[TokenLimit | None]
    temperature: NotRequired[Temperature | None]
    top_p: NotRequired[TopP | None]
    stop: NotRequired[TextOr[str, ListOf[str]] | None]
    n: NotRequired[Annotated[int, Field(ge=1, le=MAX_ANSWERS)] | None]
    best_of: NotRequired[Annotated[int, Field(ge=0, le=MAX_ANSWERS)] | None]
    echo: NotRequired[bool | None]
    logprobs: NotRequired[Annotated[int, Field(ge=0, le=5)] | None]
    stream: NotRequired[bool | None]
    stream_options: NotRequired[StreamOptions | None]
    options: NotRequired[Options | None]


_BODY = TypeAdapter(CompletionBody)


def check_completion_body(body: Any) -> CompletionBody:
    """Check a body, and the rules about several of its fields. Raises `InvalidRequest`."""
    checked = check_body(_BODY, body)
    n, best_of = checked.get("n") or 1, checked.get("best_of")
    if best_of and best_of < n:
        raise invalid_field("best_of", f"is {best_of}, less than `n`", "Leave it out.")
    if (answers := n * len(prompts_of(checked))) > MAX_ANSWERS:
        hint = f"At most {MAX_ANSWERS} are possible: send fewer prompts, or a lower `n`."
        raise invalid_field("prompt", f"asks for {answers} completions with `n`", hint)
    if checked.get("echo") and checked.get("logprobs") is not None:
        raise invalid_field(
            "logprobs",
            "asks with `echo` for the probabilities of the prompt, which Claude does not tell",
            "Leave out one of the two.",
        )
    return checked


def prompts_of(body: CompletionBody) -> list[str]:
    """The prompts of a body, in order."""
    prompt = body["prompt"]
    return prompt if isinstance(prompt, list) else [prompt or ""]
