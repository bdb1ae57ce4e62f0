"""Stream events as chunks of a completion, and the completion."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import Overloaded
from server.dialects.base import Chunk
from server.dialects.completions import CompletionEncoder
from tests.dialects.generated import Generated
from tests.openai_schema import validate
from tests.scripted_backend import begin, end, text, thinking


def encoder(**options: Any) -> Generated:
    return Generated(CompletionEncoder(completion_id="cmpl-1", created=1, model="opus", **options))


def data(chunks: Any) -> list[Any]:
    return [chunk.data for chunk in chunks]


def test_chunks_have_the_completions_shape() -> None:
    generated = encoder()
    events = [begin(), *thinking("Hm."), *text("a", " b", index=1), *end()]
    chunks = [chunk for event in events for chunk in data(generated.feed(event))]
    assert [chunk["choices"][0]["text"] for chunk in chunks] == ["a", " b", ""]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, "stop"]
    heads = {(chunk["id"], chunk["object"], chunk["model"]) for chunk in chunks}
    assert heads == {("cmpl-1", "text_completion", "opus")}
    validate("CreateCompletionResponse", chunks[-1])
    assert data(generated.close()) == ["[DONE]"]


def test_the_prompt_is_echoed_once_for_each_choice() -> None:
    generated = encoder(echoes=["one ", "two "])
    texts = ["", ""]
    for choice in (1, 0, 1):
        for chunk in data(generated.feed(begin(), choice)):
            texts[chunk["choices"][0]["index"]] += chunk["choices"][0]["text"]
    assert texts == ["one ", "two "]


def test_a_failed_stream_ends_with_the_error() -> None:
    generated = encoder()
    generated.feed(begin())
    (error,) = data(generated.fail(Overloaded("Too busy.", retry_after=1.0)))
    validate("ErrorResponse", error)


def test_a_ping_is_a_comment() -> None:
    assert list(encoder().encoder.ping()) == [Chunk(None)]


def test_a_cut_answer_does_not_look_complete() -> None:
    generated = encoder()
    generated.feed(begin())
    for event in text("a"):
        generated.feed(event)
    body = generated.encoder.build_response(generated.folds)
    assert body["choices"][0]["finish_reason"] == "length"


@given(
    answers=st.lists(st.lists(st.text(min_size=1, max_size=5), max_size=4), min_size=1, max_size=3),
    echo=st.booleans(),
    reason=st.sampled_from(["end_turn", "max_tokens", "stop_sequence", "refusal", "model_context_window_exceeded"]),
)
def test_the_stream_and_the_body_say_the_same(answers: list[list[str]], echo: bool, reason: str) -> None:
    echoes = [f"prompt {number}: " for number in range(len(answers))] if echo else []
    generated = encoder(echoes=echoes, include_usage=True)
    streamed, reasons = [""] * len(answers), [""] * len(answers)
    for choice, parts in enumerate(answers):
        for event in [begin(), *text(*parts), *end(reason)]:
            for chunk in data(generated.feed(event, choice)):
                (one,) = chunk["choices"]
                streamed[one["index"]] += one["text"]
                reasons[one["index"]] = one["finish_reason"] or ""
    body = generated.encoder.build_response(generated.folds)
    validate("CreateCompletionResponse", body)
    assert [choice["text"] for choice in body["choices"]] == streamed
    assert [choice["finish_reason"] for choice in body["choices"]] == reasons
    last, done = data(generated.close())
    validate("CreateCompletionResponse", last)
    assert (last["choices"], last["usage"], done) == ([], body["usage"], "[DONE]")


@pytest.mark.parametrize(("reason", "finish"), [("end_turn", "stop"), ("max_tokens", "length")])
def test_finish_reasons(reason: str, finish: str) -> None:
    generated = encoder()
    generated.feed(begin())
    (chunk,) = [chunk for event in end(reason) for chunk in data(generated.feed(event))]
    assert chunk["choices"][0]["finish_reason"] == finish
