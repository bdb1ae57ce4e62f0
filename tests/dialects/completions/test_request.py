"""A completion's body as a call."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import InvalidRequest, ModelNotFound
from server.dialects.base import Call, Context, TypedText
from server.dialects.completions import to_messages

CONTEXT = Context({}, ("claude-opus-5-5", "opus"), "default", "abc", 1)
HOLE = "<|fim_prefix|>x = <|fim_suffix|>\ny = 2<|fim_middle|>"
TEXTS = st.text(max_size=30)


def translate(**body: Any) -> Call:
    return to_messages({"model": "opus", "prompt": "x = ", **body}, CONTEXT)


def test_each_prompt_is_a_request() -> None:
    call = translate(prompt=["a", "b"], n=3)
    texts = [request.messages[0]["content"][0]["text"] for request in (call.request, *call.further_requests)]
    assert texts == ["a", "b"]
    assert (call.n, call.choices) == (3, 6)
    assert not call.part_of_session


def test_the_closing_tag_is_the_first_stop_sequence() -> None:
    assert translate(stop=["\n", "END", "<|endoftext|>"]).request.stop_sequences == ("</fill-in>", "END")
    assert translate(stop="END").request.stop_sequences == ("</fill-in>", "END")


@pytest.mark.parametrize("stop", ["<", "fill", "in>", "```", "\t \n"])
def test_stops_that_could_end_the_answer_before_it_begins_are_watched_alone(stop: str) -> None:
    call = translate(prompt=HOLE, stop=[stop])
    assert call.request.stop_sequences == ("</fill-in>",)
    assert call.make_filter is not None
    text_filter = call.make_filter(0)
    assert text_filter.feed(f"<fill-in>1{stop}2") + text_filter.finish() == "1"
    assert text_filter.stop == stop


def test_an_instruction_keeps_its_stop_sequences() -> None:
    call = translate(prompt="Fill it.\n<COMPLETION>", stop=["</COMPLETION>", "```"])
    assert call.request.stop_sequences == ("</COMPLETION>", "```")


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        ({}, None),
        ({"max_tokens": 5}, 5),
        ({"options": {"num_predict": 7}}, 7),
        ({"options": {"num_predict": -1}}, None),
        ({"max_tokens": 5, "options": {"num_predict": 7}}, 5),
    ],
)
def test_max_tokens(body: dict[str, Any], limit: int | None) -> None:
    assert translate(**body).request.max_tokens == limit


def test_sampling() -> None:
    request = translate(temperature=0, top_p=0.5, options={"temperature": 0.7}).request
    assert (request.temperature, request.top_p) == (0, 0.5)
    assert translate(options={"temperature": 0.7}).request.temperature == 0.7


def test_thinking_is_avoided_unless_the_model_name_asks_for_it() -> None:
    assert translate().request.avoid_thinking
    assert translate().request.thinking is None
    assert translate(model="claude-3-7-sonnet:thinking").request.thinking == {"type": "adaptive"}


@pytest.mark.parametrize(
    ("body", "typed"),
    [
        ({"prompt": HOLE}, TypedText("x = ", "\ny = 2")),
        ({"prompt": "x = ", "suffix": "\ny = 2"}, TypedText("x = ", "\ny = 2")),
        ({"prompt": "x = "}, None),
        ({"prompt": [HOLE, HOLE]}, None),
        ({"prompt": HOLE, "n": 2}, None),
    ],
)
def test_a_single_hole_is_text_that_is_being_typed(body: dict[str, Any], typed: TypedText | None) -> None:
    assert translate(**body).typed == typed


@pytest.mark.parametrize(
    ("body", "warned"),
    [
        ({"seed": 1}, "seed"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"logprobs": 0}, "logprobs"),
        ({"best_of": 3}, "best_of"),
        ({"messages": []}, ""),
        ({"messages": [1]}, "messages"),
        ({"min_p": 0.1}, "min_p"),
        ({"presence_penalty": 0, "frequency_penalty": 0, "best_of": 1, "logit_bias": {}}, ""),
        ({"user": "me", "keep_alive": "5m", "session_id": "s", "options": {"num_ctx": 1}}, ""),
    ],
)
def test_what_has_no_effect_is_named(body: dict[str, Any], warned: str) -> None:
    warnings = translate(**body).warnings
    assert len(warnings) == bool(warned)
    assert all(warned in warning for warning in warnings)


def test_unknown_models_are_not_found() -> None:
    with pytest.raises(ModelNotFound):
        translate(model="no-such-model")


@given(
    prompt=TEXTS | st.lists(TEXTS, max_size=3),
    suffix=TEXTS | st.none(),
    stop=TEXTS | st.lists(TEXTS, max_size=4) | st.none(),
    n=st.integers(1, 3),
    echo=st.booleans(),
    stream=st.booleans(),
)
def test_any_texts_make_a_call_with_valid_turns(**body: Any) -> None:
    if body["prompt"] == []:
        with pytest.raises(InvalidRequest, match="is empty"):
            translate(**body)
        return
    call = translate(**body)
    prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
    assert call.choices == len(prompts) * body["n"]
    for request, prompt in zip((call.request, *call.further_requests), prompts, strict=True):
        texts = [block["text"] for message in request.messages for block in message["content"]]
        assert all(text.strip() for text in texts)
        assert any(prompt in text for text in texts)
        assert all(stop.strip() for stop in request.stop_sequences)


@given(text=st.text(st.characters(exclude_characters="<", codec="utf-8"), max_size=60), choice=st.integers(0, 1))
def test_the_text_of_an_answer_is_kept(text: str, choice: int) -> None:
    call = translate(prompt=["", ""])
    assert call.make_filter is not None
    text_filter = call.make_filter(choice)
    assert text_filter.feed(text) + text_filter.finish() == text
