"""Model, stream, n, session, and the encoder of a request."""

import pytest

from server.core.errors import InvalidRequest, ModelNotFound
from server.dialects.chat_completions import to_messages
from tests.dialects.chat_completions.samples import CONTEXT, body, events_of, refusal, translate
from tests.dialects.generated import Generated


def test_the_smallest_body():
    call = translate()
    assert call.request.model == call.request.requested_model == "claude-opus-5-5"
    assert call.request.messages == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    assert (call.stream, call.n, call.warnings, call.request.session_id) == (False, 1, [], None)


def test_an_alias_is_resolved_and_read_back():
    call = translate(model="my-model")
    assert call.request.model == "claude-haiku-5-5"
    assert call.encoder.build_response([])["model"] == call.request.requested_model == "my-model"


def test_a_body_without_a_model_gets_the_default():
    asked = body()
    del asked["model"]
    request = to_messages(asked, CONTEXT).request
    assert request.model == request.requested_model == "claude-opus-5-5"


def test_an_unknown_model():
    with pytest.raises(ModelNotFound, match="llama"):
        translate(model="llama")


@pytest.mark.parametrize("n", [1, 8])
def test_several_answers(n):
    assert translate(n=n).n == n


@pytest.mark.parametrize(("stream", "expected"), [(True, True), (False, False), (None, False)])
def test_stream(stream, expected):
    assert translate(stream=stream).stream is expected


@pytest.mark.parametrize(
    ("options", "has_usage"),
    [(None, False), ({}, False), ({"include_usage": False}, False), ({"include_usage": True}, True)],
)
def test_include_usage(options, has_usage):
    encoder = translate(stream=True, stream_options=options).encoder
    (first,) = encoder.feed(next(events_of([])))
    assert ("usage" in first.data) is has_usage


def test_the_ids_of_the_context():
    encoder = translate().encoder
    (first,) = encoder.feed(next(events_of([])))
    assert (first.data["id"], first.data["created"]) == ("chatcmpl-abc", 1_700_000_000)


def test_functions_of_old_are_answered_as_function_call():
    encoder = Generated(translate(functions=[{"name": "look"}]).encoder)
    for event in events_of([{"type": "tool_use", "id": "t", "name": "look", "input": {}}], "tool_use"):
        list(encoder.feed(event))
    assert encoder.build_response()["choices"][0]["message"]["function_call"] == {"name": "look", "arguments": "{}"}


def test_session_id():
    assert translate(session_id="s-1").request.session_id == "s-1"


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"model": ""}, "model"),
        ({"model": 5}, "model"),
        ({"n": 0}, "n"),
        ({"n": 9}, "n"),
        ({"n": 1.5}, "n"),
        ({"stream": "true"}, "stream"),
        ({"stream_options": True}, "stream_options"),
        ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
        ({"session_id": ""}, "session_id"),
        ({"session_id": 7}, "session_id"),
    ],
    ids=str,
)
def test_refused_with_its_name(parameters, param):
    assert refusal(**parameters).param == param


@pytest.mark.parametrize("anything", [None, [], "hi", 1, True], ids=repr)
def test_the_body_has_to_be_an_object(anything):
    with pytest.raises(InvalidRequest, match="The request body") as caught:
        to_messages(anything, CONTEXT)
    assert caught.value.param is None
