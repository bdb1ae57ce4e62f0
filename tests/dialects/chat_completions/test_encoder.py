"""Chunks and completions are valid by OpenAI's schemas and SDK, and agree."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from server.core.errors import Overloaded
from server.dialects.chat_completions import ChatCompletionEncoder
from tests.dialects.chat_completions.samples import events_of
from tests.dialects.generated import Generated
from tests.openai_schema import validate

TEXT = {"type": "text", "text": "Hello there, world"}
THINKING = {"type": "thinking", "thinking": "Let me think about it."}
REDACTED = {"type": "redacted_thinking", "data": "xyz"}
LOOK = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"x": [1, 2, 3], "y": "ü"}}
GO = {"type": "tool_use", "id": "toolu_2", "name": "go", "input": {}}


def encoder(**more):
    return Generated(ChatCompletionEncoder(completion_id="chatcmpl-1", created=1_700_000_000, model="gpt-5", **more))


def run(encoder, *answers):
    """Chunks of interleaved answers (lists of events), validated, without `[DONE]`."""
    chunks = []
    queues = [list(events) for events in answers]
    while any(queues):
        for choice, queue in enumerate(queues):
            if queue:
                chunks += encoder.feed(queue.pop(0), choice)
    *rest, done = [*chunks, *encoder.close()]
    assert (done.data, done.event) == ("[DONE]", None)
    return [checked(chunk) for chunk in rest]


def checked(chunk):
    validate("CreateChatCompletionStreamResponse", chunk.data)
    ChatCompletionChunk.model_validate(chunk.data, strict=True)
    head = {key: chunk.data[key] for key in ("id", "object", "created", "model")}
    assert head == {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "gpt-5",
    }
    return chunk.data


def whole_of(encoder):
    whole = encoder.build_response()
    validate("CreateChatCompletionResponse", whole)
    ChatCompletion.model_validate(whole, strict=True)
    assert (whole["id"], whole["object"], whole["model"]) == ("chatcmpl-1", "chat.completion", "gpt-5")
    return whole


def deltas(chunks):
    return [chunk["choices"][0]["delta"] for chunk in chunks]


def message_of(*blocks, stop_reason="end_turn", **more):
    one = encoder(**more)
    run(one, events_of(blocks, stop_reason))
    return whole_of(one)["choices"][0]["message"]


def test_text():
    chunks = run(encoder(), events_of([TEXT]))
    assert deltas(chunks) == [
        {"role": "assistant", "content": ""},
        {"content": "Hello "},
        {"content": "there,"},
        {"content": " world"},
        {},
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * 4 + ["stop"]
    assert all("usage" not in chunk for chunk in chunks)


def test_thinking_is_reasoning_content():
    chunks = run(encoder(), events_of([THINKING, REDACTED | {"input": {}}, TEXT], pieces=1))
    assert deltas(chunks)[1:3] == [
        {"reasoning_content": "Let me think about it."},
        {"content": "Hello there, world"},
    ]


def test_tool_calls():
    chunks = run(encoder(), events_of([TEXT, LOOK, GO], "tool_use", pieces=1))
    assert deltas(chunks)[2:] == [
        {"tool_calls": [call_start(0, "toolu_1", "look")]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"x":[1,2,3],"y":"ü"}'}}]},
        {"tool_calls": [call_start(1, "toolu_2", "go")]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
        {},
    ]
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def call_start(index, id, name):
    return {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}


def test_an_input_that_came_with_the_block_itself():
    start = {"type": "content_block_start", "index": 0, "content_block": LOOK}
    stop = {"type": "content_block_stop", "index": 0}
    first, *_, last, end = events_of([])
    one = encoder()
    run(one, [first, start, stop, last, end])
    (call,) = whole_of(one)["choices"][0]["message"]["tool_calls"]
    assert orjson.loads(call["function"]["arguments"]) == LOOK["input"]


def test_a_function_call_of_old_has_room_for_one():
    one = encoder(legacy_functions=True)
    chunks = run(one, events_of([LOOK, GO], "tool_use", pieces=1))
    assert deltas(chunks)[1:] == [
        {"function_call": {"name": "look", "arguments": ""}},
        {"function_call": {"arguments": '{"x":[1,2,3],"y":"ü"}'}},
        {},
    ]
    choice = whole_of(one)["choices"][0]
    assert choice["message"]["function_call"] == {"name": "look", "arguments": '{"x":[1,2,3],"y":"ü"}'}
    assert "tool_calls" not in choice["message"]
    assert chunks[-1]["choices"][0]["finish_reason"] == choice["finish_reason"] == "function_call"


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "length"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("a_reason_of_the_future", "stop"),
    ],
)
def test_finish_reasons(stop_reason, finish_reason):
    one = encoder()
    chunks = run(one, events_of([TEXT], stop_reason))
    assert chunks[-1]["choices"][0]["finish_reason"] == finish_reason
    assert whole_of(one)["choices"][0]["finish_reason"] == finish_reason


def test_a_refusal_that_gives_its_reason():
    details = {"type": "refusal", "category": "bio", "explanation": "That is dangerous."}
    one = encoder()
    chunks = run(one, events_of([], "refusal", stop_details=details))
    assert deltas(chunks)[-1] == {"refusal": "That is dangerous."}
    assert whole_of(one)["choices"][0]["message"]["refusal"] == "That is dangerous."


USAGE = {
    "input_tokens": 10,
    "output_tokens": 5,
    "cache_read_input_tokens": 100,
    "cache_creation_input_tokens": 1000,
    "output_tokens_details": {"thinking_tokens": 2},
}
COMPLETION_USAGE = {
    "prompt_tokens": 1110,
    "completion_tokens": 5,
    "total_tokens": 1115,
    "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 1000, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 0},
}


def test_usage_comes_last_where_it_is_asked_for():
    one = encoder(include_usage=True)
    *chunks, last = run(one, events_of([TEXT], usage=USAGE))
    assert (last["choices"], last["usage"]) == ([], COMPLETION_USAGE)
    assert [chunk["usage"] for chunk in chunks] == [None] * len(chunks)
    assert whole_of(one)["usage"] == COMPLETION_USAGE


def test_counts_that_an_event_leaves_open_stay():
    *events, end, stop = events_of([TEXT], usage=USAGE)
    end = {**end, "usage": {"output_tokens": 5, "input_tokens": None, "cache_read_input_tokens": None}}
    one = encoder()
    run(one, [*events, end, stop])
    assert whole_of(one)["usage"] == COMPLETION_USAGE


def test_several_choices_keep_apart_and_their_usage_is_added():
    one = encoder()
    other = {"type": "text", "text": "Good morning"}
    chunks = run(one, events_of([TEXT]), events_of([LOOK], "tool_use"), events_of([other], "max_tokens"))
    whole = whole_of(one)
    assert [choice["index"] for choice in whole["choices"]] == [0, 1, 2]
    assert [choice["finish_reason"] for choice in whole["choices"]] == ["stop", "tool_calls", "length"]
    assert [choice["message"]["content"] for choice in whole["choices"]] == [TEXT["text"], None, other["text"]]
    assert (whole["usage"]["prompt_tokens"], whole["usage"]["completion_tokens"]) == (30, 15)
    assert {chunk["choices"][0]["index"] for chunk in chunks} == {0, 1, 2}


def test_the_whole_message():
    assert message_of(THINKING, TEXT, LOOK, stop_reason="tool_use") == {
        "role": "assistant",
        "content": TEXT["text"],
        "refusal": None,
        "annotations": [],
        "reasoning_content": THINKING["thinking"],
        "tool_calls": [
            {
                "id": "toolu_1",
                "type": "function",
                "function": {"name": "look", "arguments": '{"x":[1,2,3],"y":"ü"}'},
            }
        ],
    }


@pytest.mark.parametrize(("blocks", "content"), [([TEXT], TEXT["text"]), ([GO], None), ([], "")])
def test_content_is_null_only_beside_tool_calls(blocks, content):
    assert message_of(*blocks)["content"] == content


def test_a_second_message_start_does_not_begin_anew():
    events = list(events_of([TEXT]))
    chunks = run(encoder(), [events[0], *events])
    assert [delta for delta in deltas(chunks) if "role" in delta] == [{"role": "assistant", "content": ""}]


def test_what_is_not_known_is_passed_over():
    one = encoder().encoder
    citations = {"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": {}}}
    search = {"type": "content_block_start", "index": 0, "content_block": {"type": "server_tool_use", "id": "s"}}
    stray = {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{"}}
    empty_end = {"type": "message_delta", "delta": {}, "usage": {}}
    for event in [citations, search, stray, {"type": "news"}, empty_end]:
        assert list(one.feed(event)) == []


def test_a_failure_does_not_look_whole():
    one = encoder()
    events = list(events_of([TEXT, LOOK]))
    for event in events[:4]:
        list(one.feed(event))
    (chunk,) = one.fail(Overloaded("The service is overloaded.", hint="Try again later."))
    validate("ErrorResponse", chunk.data)
    assert chunk.data["error"]["code"] == "overloaded"
    assert "choices" not in chunk.data
    assert one.build_response()["choices"][0]["finish_reason"] == "length"


BLOCKS = st.lists(st.sampled_from([TEXT, THINKING, LOOK, GO]), max_size=5)


@given(BLOCKS, st.integers(1, 6), st.booleans())
def test_the_sdk_puts_the_chunks_together_to_the_whole(blocks, pieces, include_usage):
    blocks = [{**block, "id": f"toolu_{at}"} if "id" in block else block for at, block in enumerate(blocks)]
    one = encoder(include_usage=include_usage)
    state = ChatCompletionStreamState()
    for data in run(one, events_of(blocks, pieces=pieces)):
        state.handle_chunk(ChatCompletionChunk.model_validate(data))
    whole = whole_of(one)
    streamed = state.get_final_completion().model_dump()
    message, expected = streamed["choices"][0]["message"], whole["choices"][0]["message"]
    assert (message["content"] or None) == (expected["content"] or None)
    assert message.get("reasoning_content") == expected.get("reasoning_content")
    assert calls_of(message) == calls_of(expected)
    assert streamed["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
    if include_usage:
        assert streamed["usage"]["total_tokens"] == whole["usage"]["total_tokens"]


def calls_of(message):
    return [
        (call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls") or []
    ]


SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [], "input": {}}


def cited(text, *urls):
    citations = [{"type": "web_search_result_location", "url": url, "title": url.upper()} for url in urls]
    return {"type": "text", "text": text, "citations": citations}


@given(
    st.lists(
        st.one_of(
            st.builds(cited, st.text(), st.sampled_from(["http://a", "http://b"])),
            st.builds(cited, st.text()),
            st.sampled_from([SEARCH, FOUND, THINKING]),
        ),
        max_size=6,
    )
)
def test_citations_are_the_same_streamed_and_whole(blocks):
    one = encoder()
    chunks = run(one, list(events_of(blocks)))
    whole = one.build_response()["choices"][0]["message"]
    streamed = [annotation for chunk in chunks for annotation in chunk["choices"][0]["delta"].get("annotations", ())]
    assert streamed == whole["annotations"]
    expected = [(block["text"], block["citations"][0]["url"]) for block in blocks if block.get("citations")]
    quoted = [
        (whole["content"][citation["start_index"] : citation["end_index"]], citation["url"])
        for citation in (annotation["url_citation"] for annotation in streamed)
    ]
    assert quoted == [pair for pair in expected if pair[0]]


def test_a_page_is_cited_once_in_a_block():
    one = encoder()
    run(one, list(events_of([cited("Cats sleep.", "http://a", "http://b", "http://a")])))
    annotations = one.build_response()["choices"][0]["message"]["annotations"]
    assert [annotation["url_citation"]["url"] for annotation in annotations] == ["http://a", "http://b"]
