"""Parameters are passed on, left out with a warning, or refused by name."""

import pytest

from tests.dialects.chat_completions.samples import PNG, data_url, refusal, translate

SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}}


def json_schema(**more):
    return {"type": "json_schema", "json_schema": {"name": "answer", **more}}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, {"max_tokens": None, "temperature": None, "top_p": None, "stop_sequences": ()}),
        ({}, {"effort": None, "thinking": None, "output_schema": None, "json_object": False}),
        ({"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_tokens": 5, "max_completion_tokens": 7}, {"max_tokens": 7}),
        ({"max_tokens": 5, "max_completion_tokens": None}, {"max_tokens": 5}),
        ({"max_tokens": -1, "max_completion_tokens": 7}, {"max_tokens": 7}),
        ({"temperature": 0}, {"temperature": 0}),
        ({"temperature": 1.0}, {"temperature": 1.0}),
        ({"top_p": 0.5}, {"top_p": 0.5}),
        ({"stop": "END"}, {"stop_sequences": ("END",)}),
        ({"stop": list("abcde")}, {"stop_sequences": ("a", "b", "c", "d", "e")}),
        ({"stop": ["", "a"]}, {"stop_sequences": ("a",)}),
        ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}, "effort": None}),
        ({"reasoning_effort": "minimal"}, {"effort": "low", "thinking": None}),
        ({"reasoning_effort": "low"}, {"effort": "low"}),
        ({"reasoning_effort": "medium"}, {"effort": "medium"}),
        ({"reasoning_effort": "high"}, {"effort": "high"}),
        ({"reasoning_effort": "xhigh"}, {"effort": "xhigh"}),
        ({"reasoning_effort": "max"}, {"effort": "max"}),
        ({"response_format": {"type": "text"}}, {"output_schema": None, "json_object": False}),
        ({"response_format": {"type": "json_object"}}, {"output_schema": None, "json_object": True}),
        (
            {"response_format": json_schema(schema=SCHEMA, strict=True)},
            {"output_schema": SCHEMA, "json_object": False},
        ),
        ({"response_format": json_schema()}, {"output_schema": None, "json_object": True}),
        ({"modalities": ["text"]}, {}),
        (
            {"metadata": {"a": "b"}, "user": "u", "store": True, "service_tier": "flex", "safety_identifier": "s"},
            {},
        ),
        ({"prompt_cache_key": "k", "prompt_cache_retention": "24h", "prompt_cache_options": {"ttl": "30m"}}, {}),
        ({"frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}, "verbosity": "medium"}, {}),
        ({"logprobs": False, "top_logprobs": 0, "seed": None, "prediction": None}, {}),
    ],
)
def test_taken_without_a_warning(parameters, expected):
    call = translate(**parameters)
    assert {name: getattr(call.request, name) for name in expected} == expected
    assert call.warnings == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 0),
        ("frequency_penalty", 0.5),
        ("presence_penalty", -1),
        ("logit_bias", {"50256": -100}),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("prediction", {"type": "content", "content": "a"}),
        ("verbosity", "low"),
        ("audio", {"voice": "ash", "format": "mp3"}),
        ("moderation", {}),
    ],
)
def test_left_out_with_a_warning(name, value):
    assert translate(**{name: value}).warnings == [f"parameter {name} is not supported by Claude and was left out"]


def test_a_temperature_that_only_openai_has_is_lowered():
    call = translate(temperature=1.7)
    assert call.request.temperature == 1
    assert call.warnings == ["parameter temperature goes up to 1 with Claude: 1.7 was lowered to 1"]


def test_stop_sequences_of_white_space_are_kept():
    call = translate(stop=["\n\n", "END", " "])
    assert call.request.stop_sequences == ("\n\n", "END", " ")
    assert call.warnings == []


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": "3"}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 3.0}, "max_tokens"),
        ({"max_completion_tokens": 2**31}, "max_completion_tokens"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"temperature": False}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": 1.1}, "top_p"),
        ({"top_p": [1]}, "top_p"),
        ({"stop": 1}, "stop"),
        ({"stop": ["a", 1]}, "stop[1]"),
        ({"reasoning_effort": "extreme"}, "reasoning_effort"),
        ({"reasoning_effort": 3}, "reasoning_effort"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {}}, "response_format.type"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.json_schema.name"),
        ({"response_format": json_schema(schema=[])}, "response_format.json_schema.schema"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"modalities": "text"}, "modalities"),
        ({"modalities": ["video"]}, "modalities[0]"),
    ],
    ids=str,
)
def test_refused_with_its_name(parameters, param):
    error = refusal(**parameters)
    assert error.param == param
    assert error.hint


@pytest.mark.parametrize(("most", "code"), [(0, "integer_below_min_value"), (2**31, "integer_above_max_value")])
def test_a_limit_out_of_range_is_refused_in_openais_words(most, code):
    error = refusal(max_tokens=most)
    assert error.code == code
    assert error.message.startswith("Invalid 'max_tokens': integer ")
    assert error.message.endswith(f"but got {most} instead.")


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"unheard_of": 1}, ["unheard_of"]),
        ({"unheard_of": 0, "thinking": None, "top_k": []}, []),
        ({"top_k": 5, "reasoning": {"effort": "high"}}, ["top_k", "reasoning"]),
        ({"stream_options": {"include_obfuscation": True, "speed": 2}}, ["stream_options.speed"]),
        ({"metadata": {"a": {"b": 1}}, "logit_bias": {}}, []),
        ({"functions": [{"name": "f"}], "tool_choice": "none"}, ["tool_choice"]),
        ({"tools": [], "function_call": 5}, ["function_call"]),
        ({"response_format": json_schema(schema=SCHEMA, strict=True, mood="x")}, ["response_format.json_schema.mood"]),
        ({"tools": [{"type": "function", "function": {"name": "f", "strict": True}}]}, ["tools.function.strict"]),
        ({"tools": [{"type": "function", "function": {"name": "f", "strict": False, "parameters": SCHEMA}}]}, []),
    ],
)  # fmt: skip
def test_unknown_fields_are_named(parameters, named):
    assert translate(**parameters).warnings == [f"{name} is not passed on and was left out" for name in named]


def test_unknown_fields_in_messages_are_named_once():
    image = {"type": "image_url", "image_url": {"url": data_url(PNG, "image/png"), "detail": "high", "crop": 1}}
    messages = [{"role": "user", "content": [image], "mood": "good"}] * 3
    answer = {"role": "assistant", "content": "b", "reasoning_content": "hm", "annotations": [{}], "audio": {"id": "a"}}
    paths = ["messages.content.image_url.crop", "messages.mood", "messages.audio"]
    warnings = translate(*messages, answer, *messages).warnings
    assert warnings == [f"{path} is not passed on and was left out" for path in paths]


def test_the_description_of_a_format_reaches_the_model():
    described = translate(response_format=json_schema(schema=SCHEMA, description="A point.")).request.output_schema
    assert described == {**SCHEMA, "description": "A point."}
    own = {**SCHEMA, "description": "Mine."}
    assert translate(response_format=json_schema(schema=own, description="A point.")).request.output_schema == own
