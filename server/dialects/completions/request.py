"""A completion's body as a `Call`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.core.messages import MessagesRequest
from server.core.text_filters import FilterChain, StopWatch, TextFilter
from server.dialects.base import Call, Context, TypedText
from server.dialects.completions.body import CompletionBody, check_completion_body, prompts_of
from server.dialects.completions.encoder import CompletionEncoder
from server.dialects.completions.ignored_fields import IGNORED, UNSUPPORTED
from server.dialects.fill_in import AnswerCutter, Prompt, Question, drop_markers, make_question, read_prompt
from server.dialects.left_out import dropped_fields, left_out_warnings
from server.dialects.openai.parameters import limit_temperature, read_stop_sequences, unsupported_warnings
from server.models.aliases import resolve_model


@dataclass(frozen=True, slots=True)
class Completion:
    """One prompt and the question that it becomes. `stops` are the client's, without markers."""

    prompt: Prompt
    question: Question
    stops: Sequence[str]

    def stop_sequences(self) -> tuple[str, ...]:
        """The closing tag, and the client's stop sequences that cannot end the answer before its content.

        The others are watched in the text alone: white space, parts of the opening tag, and what opens a fence.
        """
        opening = self.question.opening
        safe = [stop for stop in self.stops if stop.strip() and not (opening and (stop in opening or "`" in stop))]
        return tuple(filter(None, (self.question.closing, *safe)))

    def make_filter(self) -> TextFilter:
        """The filter for an answer to the question."""
        return FilterChain(AnswerCutter(self.prompt, self.question), StopWatch(self.stops))


def to_messages(body: Any, context: Context) -> Call:
    """Translate a request body. Raises `InvalidRequest` or `ModelNotFound`."""
    checked = check_completion_body(body)
    completions = [_read_completion(prompt, checked) for prompt in prompts_of(checked)]
    warnings: list[str] = []
    first, *further = [_make_request(one, checked, context, warnings) for one in completions]
    n = checked.get("n") or 1
    supported = {name: value for name, value in body.items() if name not in UNSUPPORTED and name not in IGNORED}
    return Call(
        request=first,
        stream=bool(checked.get("stream")),
        encoder=CompletionEncoder(
            completion_id=f"cmpl-{context.response_id}",
            created=context.created,
            model=first.requested_model,
            include_usage=bool((checked.get("stream_options") or {}).get("include_usage")),
            echoes=[prompt for prompt in prompts_of(checked) for _ in range(n)] if checked.get("echo") else (),
        ),
        n=n,
        warnings=[
            *dict.fromkeys(warnings),
            *_best_of_warnings(checked, n),
            *unsupported_warnings(body, UNSUPPORTED),
            *left_out_warnings(dropped_fields(supported, checked, IGNORED, {})),
        ],
        further_requests=further,
        make_filter=lambda choice: completions[choice // n].make_filter(),
        part_of_session=False,
        typed=typed_text(completions) if n == 1 else None,
    )


def _read_completion(text: str, body: CompletionBody) -> Completion:
    stops = read_stop_sequences(body.get("stop"))
    prompt = read_prompt(text, body.get("suffix"), stops)
    return Completion(prompt, make_question(prompt), drop_markers(stops))


def _make_request(
    completion: Completion, body: CompletionBody, context: Context, warnings: list[str]
) -> MessagesRequest:
    name = body.get("model") or context.default_model
    named = resolve_model(name, context)
    options = body.get("options") or {}
    # Ollama's -1 and -2 are no limit.
    limit = max(options.get("num_predict") or 0, 0) or None
    temperature = body.get("temperature")
    request = MessagesRequest(
        model=named.model,
        requested_model=name or named.model,
        messages=completion.question.messages,
        system=completion.question.system,
        max_tokens=body.get("max_tokens") or limit,
        temperature=limit_temperature(options.get("temperature") if temperature is None else temperature, warnings),
        top_p=body.get("top_p"),
        stop_sequences=completion.stop_sequences(),
        avoid_thinking=True,
        is_one_off=True,
    )
    return named.apply_to(request)


def _best_of_warnings(body: CompletionBody, n: int) -> list[str]:
    wanted = body.get("best_of") or 1
    return [f"best_of of {wanted} is not supported by Claude; `n` completions were made"] if wanted > n else []


def typed_text(completions: Sequence[Completion]) -> TypedText | None:
    """The text around the cursor of a single prompt with a hole. Other prompts may come from scripts, all at once."""
    prompt = completions[0].prompt
    if len(completions) > 1 or prompt.suffix is None:
        return None
    return TypedText(prompt.prefix, prompt.suffix)
