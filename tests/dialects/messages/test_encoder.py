"""Server-sent events and responses, validated by the types of Anthropic's SDK."""

import orjson
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from server.core.errors import Overloaded, UpstreamFailed
from server.core.transcript import canonical_messages
from server.dialects.base import Chunk, Context
from server.dialects.messages import MessagesEncoder, to_messages
from tests.dialects.generated import Generated

EVENT = TypeAdapter(RawMessageStreamEvent)
CONTEXT = Context(aliases={}, models=(), default_model="default", response_id="abc", created=1)
USAGE = {"input_tokens": 5, "output_tokens": 1, "cache_read_input_tokens": 3}
START = {
    "type": "message_start",
    "message": {
        "id": "msg_upstream",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": USAGE,
    },
}
STOP = {"type": "message_stop"}


def encoder():
    return Generated(MessagesEncoder(message_id="msg_ours", model="opus"))


def block_events(index, empty, deltas):
    yield {"type": "content_block_start", "index": index, "content_block": empty}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def end(reason="end_turn", stop_sequence=None, **more):
    delta = {"stop_reason": reason, "stop_sequence": stop_sequence}
    return {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9}, **more}


def answer():
    yield START
    yield {"type": "ping"}
    thinking = [{"type": "thinking_delta", "thinking": "hm"}, {"type": "signature_delta", "signature": "sig"}]
    yield from block_events(0, {"type": "thinking", "thinking": "", "signature": ""}, thinking)
    texts = [{"type": "text_delta", "text": part} for part in ("Let me ", "look.")]
    yield from block_events(1, {"type": "text", "text": ""}, texts)
    arguments = [{"type": "input_json_delta", "partial_json": part} for part in ("", '{"a"', ":1}")]
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    yield from block_events(2, call, arguments)
    yield end("tool_use", cost_usd=0.01)
    yield STOP


def fed(events):
    target = encoder()
    chunks = [chunk for event in events for chunk in target.feed(event)]
    return target, chunks + list(target.close())


def test_events_are_passed_on_under_their_names():
    _, chunks = fed(answer())
    expected = [{key: value for key, value in event.items() if key != "cost_usd"} for event in answer()]
    assert [chunk.data for chunk in chunks] == expected
    assert [chunk.event for chunk in chunks] == [event["type"] for event in expected]


def test_the_sdk_reads_the_events():
    _, chunks = fed(answer())
    for chunk in chunks:
        if chunk.event != "ping":
            assert EVENT.validate_python(chunk.data).type == chunk.event


def test_the_whole_answer():
    target, _ = fed(answer())
    whole = target.build_response()
    message = Message.model_validate(whole)
    assert (message.id, message.model, message.stop_reason) == ("msg_upstream", "claude-opus-5-5", "tool_use")
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
    assert (message.content[0].signature, message.content[1].text) == ("sig", "Let me look.")
    assert message.content[2].input == {"a": 1}
    assert (message.usage.input_tokens, message.usage.output_tokens) == (5, 9)
    assert message.usage.cache_read_input_tokens == 3
    assert "cost_usd" not in orjson.dumps(whole).decode()
    assert {"type", "role", "stop_sequence"} <= whole.keys()


def test_a_stop_sequence_is_named():
    target, _ = fed([START, end("stop_sequence", "END"), STOP])
    assert (target.build_response()["stop_reason"], target.build_response()["stop_sequence"]) == (
        "stop_sequence",
        "END",
    )


def test_what_the_backend_leaves_open_is_filled_in():
    target, chunks = fed([{"type": "message_start", "message": {}}, end(), STOP])
    assert EVENT.validate_python(chunks[0].data).message.id == "msg_ours"
    message = Message.model_validate(target.build_response())
    assert (message.id, message.model, message.role, message.type) == ("msg_ours", "opus", "assistant", "message")


def test_the_backends_events_are_not_changed():
    events = list(answer())
    before = orjson.dumps(events)
    fed(events)
    assert orjson.dumps(events) == before


@pytest.mark.parametrize(
    ("error", "kind"), [(Overloaded("Too much."), "overloaded_error"), (UpstreamFailed("Broken."), "api_error")]
)
def test_a_cut_answer_does_not_look_whole(error, kind):
    target, _ = fed([START])
    chunks = [*target.fail(error), *target.close()]
    assert chunks == [Chunk({"type": "error", "error": {"type": kind, "message": error.message}}, event="error")]


SAID = st.text(min_size=1, max_size=20).filter(str.strip)
ARGUMENTS = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5), max_size=3
)
BLOCKS = st.lists(
    st.one_of(
        st.builds(lambda words: {"type": "text", "text": words}, SAID),
        st.builds(lambda words: {"type": "thinking", "thinking": words, "signature": "sig"}, SAID),
        st.builds(lambda given: {"type": "tool_use", "id": "", "name": "look", "input": given}, ARGUMENTS),
    ),
    min_size=1,
    max_size=5,
).map(lambda blocks: [{**block, **({"id": f"t{at}"} if "id" in block else {})} for at, block in enumerate(blocks)])
_STREAMED = {
    "text": ("text", "text_delta", "text"),
    "thinking": ("thinking", "thinking_delta", "thinking"),
    "tool_use": ("input", "input_json_delta", "partial_json"),
}


def streamed(blocks, size):
    yield START
    for index, block in enumerate(blocks):
        key, delta, name = _STREAMED[block["type"]]
        words = block[key] if isinstance(block[key], str) else orjson.dumps(block[key]).decode()
        pieces = [words[at : at + size] for at in range(0, len(words), size)]
        empty = {**block, key: {} if key == "input" else ""}
        yield from block_events(index, empty, [{"type": delta, name: piece} for piece in pieces])
    yield end("tool_use" if any(block["type"] == "tool_use" for block in blocks) else "end_turn")
    yield STOP


@given(blocks=BLOCKS, size=st.integers(1, 30), by_sdk=st.booleans())
def test_an_answer_comes_back_in_the_history_as_what_it_was(blocks, size, by_sdk):
    target, _ = fed(streamed(blocks, size))
    content = target.build_response()["content"]
    if by_sdk:
        content = Message.model_validate(target.build_response()).model_dump()["content"]
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": "ok"} for block in blocks if "id" in block
    ]
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": [*results, {"type": "text", "text": "go on"}]},
    ]
    call = to_messages({"model": "opus", "max_tokens": 10, "messages": history}, CONTEXT)
    original = canonical_messages([{"role": "assistant", "content": blocks}])
    only_thought = all(block["type"] == "thinking" for block in blocks)
    assert canonical_messages(call.request.messages)[1] == original[0]
    assert only_thought == (original[0][1] == ())


def test_thinking_that_is_omitted_keeps_its_signature():
    ours = Generated(MessagesEncoder(message_id="msg_ours", model="opus", omit_thinking=True))
    chunks = [chunk.data for event in answer() for chunk in ours.feed(event)]
    assert [event for event in chunks if event.get("delta", {}).get("type") == "thinking_delta"] == []
    assert ours.build_response()["content"][0] == {"type": "thinking", "thinking": "", "signature": "sig"}
    assert ours.build_response()["content"][1]["text"] == "Let me look."


def test_an_answer_that_only_warmed_the_cache_is_empty():
    ours = Generated(MessagesEncoder(message_id="msg_ours", model="opus", empty=True))
    chunks = [chunk.data for event in answer() for chunk in ours.feed(event)]
    for chunk in chunks:
        if chunk["type"] != "ping":
            EVENT.validate_python(chunk)
    assert [chunk["type"] for chunk in chunks] == ["message_start", "ping", "message_delta", "message_stop"]
    assert (ours.build_response()["content"], ours.build_response()["stop_reason"]) == ([], "max_tokens")
