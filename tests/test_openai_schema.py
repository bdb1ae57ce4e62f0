"""The validator takes what OpenAI's documentation shows, and refuses what it does not allow."""

import pytest
from jsonschema import ValidationError

from tests.openai_schema import validate, validate_response_event

CHUNK = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}],
}


def test_a_chunk_is_valid():
    validate("CreateChatCompletionStreamResponse", CHUNK)


@pytest.mark.parametrize(
    "change",
    [
        {"object": "chat.completion"},
        {"created": "1"},
        {"system_fingerprint": None},
        {"usage": {"prompt_tokens": 1}},
        {"choices": [{"index": 0, "delta": {"content": 1}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "end_turn"}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"id": "t"}]}, "finish_reason": None}]},
    ],
    ids=str,
)
def test_what_the_schema_does_not_allow_is_refused(change):
    with pytest.raises(ValidationError):
        validate("CreateChatCompletionStreamResponse", {**CHUNK, **change})


def test_a_schema_that_is_not_there_is_an_error():
    with pytest.raises(Exception, match="NoSuchSchema"):
        validate("NoSuchSchema", {})


DELTA = {
    "type": "response.output_text.delta",
    "sequence_number": 1,
    "item_id": "msg_1",
    "output_index": 0,
    "content_index": 0,
    "delta": "a",
    "logprobs": [],
}


def test_an_event_of_a_response_is_valid():
    validate_response_event(DELTA)
    validate("ResponseStreamEvent", DELTA)


@pytest.mark.parametrize("change", [{"delta": 1}, {"logprobs": None}, {"sequence_number": "1"}, {"item_id": None}])
def test_an_event_with_a_wrong_field_is_refused(change):
    with pytest.raises(ValidationError):
        validate_response_event({**DELTA, **change})


def test_an_event_of_an_unknown_type_is_refused():
    with pytest.raises(KeyError):
        validate_response_event({**DELTA, "type": "keepalive"})
