"""Folding a message's events gives the message, however it was split into deltas."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.messages import MAX_INPUT_DEPTH, MessageFold, MessagesRequest, parse_tool_input, text_block, text_of

BEGIN = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "output_tokens": 1},
}
END = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {"output_tokens": 7},
}


def nested(levels):
    return '{"a":' * levels + "1" + "}" * levels


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
BLOCKS = st.lists(
    st.builds(text_block, st.text())
    | st.fixed_dictionaries({"type": st.just("thinking"), "thinking": st.text(), "signature": st.text()})
    | st.fixed_dictionaries({"type": st.just("redacted_thinking"), "data": st.text()})
    | st.fixed_dictionaries(
        {
            "type": st.just("tool_use"),
            "id": st.text(),
            "name": st.text(),
            "input": st.dictionaries(st.text(max_size=5), JSON, max_size=3),
        }
    ),
    max_size=5,
)
# Keys that arrive in deltas: the delta's type, its key, and the empty value at the start of the block.
STREAMED = {
    "text": {"text": ("text_delta", "text", "")},
    "thinking": {"thinking": ("thinking_delta", "thinking", ""), "signature": ("signature_delta", "signature", "")},
    "tool_use": {"input": ("input_json_delta", "partial_json", {})},
    "redacted_thinking": {},
}


def started(block):
    """The block of its content_block_start."""
    streamed = STREAMED[block["type"]]
    return {key: streamed[key][2] if key in streamed else value for key, value in block.items()}


def events_of(blocks, cut):
    """The events of a message; `cut` splits its texts."""
    yield {"type": "message_start", "message": BEGIN}
    for index, block in enumerate(blocks):
        yield {"type": "content_block_start", "index": index, "content_block": started(block)}
        yield {"type": "ping"}
        for key, (kind, field, _) in STREAMED[block["type"]].items():
            written = orjson.dumps(block[key]).decode() if key == "input" else block[key]
            for piece in cut(written):
                yield {"type": "content_block_delta", "index": index, "delta": {"type": kind, field: piece}}
        yield {"type": "content_block_stop", "index": index}
    yield END
    yield {"type": "message_stop"}


def pieces(text, sizes):
    """Split `text` into pieces of drawn sizes, some of them empty."""
    while text:
        size = sizes()
        yield text[:size]
        text = text[size:]


def folded(events):
    whole = MessageFold()
    for event in events:
        whole.feed(event)
    return whole


@given(BLOCKS, st.data())
def test_the_fold_is_the_message_however_it_was_cut(blocks, data):
    whole = folded(events_of(blocks, lambda text: pieces(text, lambda: data.draw(st.integers(0, 4)) or 1)))
    assert whole.finished
    assert whole.message == {
        **BEGIN,
        "content": blocks,
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "output_tokens": 7},
    }
    assert whole.content == blocks
    assert whole.usage == {"input_tokens": 10, "output_tokens": 7}


@given(BLOCKS, st.data())
def test_looking_in_the_middle_changes_nothing(blocks, data):
    events = list(events_of(blocks, lambda text: pieces(text, lambda: 2)))
    looked = MessageFold()
    for event in events:
        looked.feed(event)
        streams_json = event["type"] == "content_block_delta" and event["delta"]["type"] == "input_json_delta"
        # Half of a JSON text does not show the final input.
        if not streams_json and data.draw(st.booleans()):
            assert len(looked.content) <= len(blocks)
    assert looked.message == folded(events).message


@pytest.mark.parametrize("cut_at", range(4))
def test_a_text_that_was_cut_is_shown_as_far_as_it_came(cut_at):
    events = [event for event in events_of([text_block("abc")], list) if event["type"] != "ping"]
    whole = folded(events[: 2 + cut_at])
    assert whole.content == [text_block("abc"[:cut_at])]
    assert not whole.finished


def test_a_tool_call_that_was_cut_keeps_what_came():
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "sky"}}
    events = list(events_of([call], lambda written: [written[:5]]))
    assert folded(events[:4]).content == [{**call, "input": {"_incomplete": '{"at"'}}]


def test_before_the_first_event_there_is_nothing():
    whole = MessageFold()
    assert (whole.content, whole.usage, whole.finished) == ([], {}, False)


def test_a_block_may_begin_with_some_of_its_text():
    started = {"type": "content_block_start", "index": 0, "content_block": text_block("ab")}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "c"}}
    stop = {"type": "content_block_stop", "index": 0}
    assert folded([{"type": "message_start", "message": BEGIN}, started, delta, stop]).content == [text_block("abc")]


def test_citations_gather_at_their_block():
    def cite(citation):
        delta = {"type": "citations_delta", "citation": citation}
        return {"type": "content_block_delta", "index": 0, "delta": delta}

    start = {"type": "content_block_start", "index": 0, "content_block": {**text_block(""), "citations": None}}
    whole = folded([{"type": "message_start", "message": BEGIN}, start, cite({"n": 1}), cite({"n": 2})])
    assert whole.content == [{**text_block(""), "citations": [{"n": 1}, {"n": 2}]}]


def test_the_input_of_a_call_is_kept_as_it_was_written():
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": 1}}
    written = '{"at": 1.0, "at": 2}'
    events = list(events_of([call], lambda _: [written[:5], written[5:]]))
    whole = folded(events)
    assert (whole.content[0]["input"], whole.input_text(0)) == ({"at": 2}, written)
    assert folded(event for event in events if event["type"] != "content_block_delta").input_text(0) == "{}"


def test_a_null_count_does_not_replace_a_number():
    begin = {"type": "message_start", "message": {**BEGIN, "usage": {"input_tokens": 10, "server_tool_use": None}}}
    usage = {"input_tokens": None, "output_tokens": 7, "cache_read_input_tokens": None}
    whole = folded([begin, {"type": "message_delta", "delta": {}, "usage": usage}])
    assert whole.usage == {
        "input_tokens": 10,
        "output_tokens": 7,
        "server_tool_use": None,
        "cache_read_input_tokens": None,
    }


def test_unknown_events_and_deltas_are_passed_over():
    events = list(events_of([text_block("abc")], list))
    unknown = [
        {"type": "of_tomorrow"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "of_tomorrow", "text": "x"}},
    ]
    assert folded([*events[:3], *unknown, *events[3:]]).message == folded(events).message


def test_the_events_are_not_written_to():
    events = list(events_of([text_block("abc")], list))
    before = orjson.dumps(events)
    folded(events)
    assert orjson.dumps(events) == before


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", {}),
        ("  ", {}),
        ("{}", {}),
        ('{"a": [1, null]}', {"a": [1, None]}),
        ('"text"', "text"),
        ('{"a', {"_incomplete": '{"a'}),
        ("NaN", {"_incomplete": "NaN"}),
        (nested(MAX_INPUT_DEPTH + 1), {"_incomplete": nested(MAX_INPUT_DEPTH + 1)}),
        (nested(5000), {"_incomplete": nested(5000)}),
        ("[" + "{}," * 500 + "{}]", [{}] * 501),
    ],
)
def test_a_tool_calls_input(written, value):
    assert parse_tool_input(written) == value


def test_the_deepest_input_is_written_as_it_was_read():
    assert orjson.dumps(parse_tool_input(nested(MAX_INPUT_DEPTH))).decode() == nested(MAX_INPUT_DEPTH)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("plain", "plain"),
        ([text_block("a"), {"type": "image", "source": {}}, text_block("b")], "ab"),
        ([], ""),
    ],
)
def test_the_text_of_a_content(content, text):
    assert text_of(content) == text


def test_a_changed_request_is_a_copy():
    request = MessagesRequest(model="a", requested_model="a", messages=())
    changed = request.with_changes(model="b")
    assert (request.model, changed.model, changed.requested_model) == ("a", "b", "a")


def test_edits_of_the_context_and_summaries_are_kept():
    fold = MessageFold()
    fold.feed({"type": "message_start", "message": {"usage": {}}})
    fold.feed({"type": "content_block_start", "index": 0, "content_block": {"type": "compaction", "content": ""}})
    fold.feed({"type": "content_block_delta", "index": 0, "delta": {"type": "compaction_delta", "content": "So far."}})
    fold.feed({"type": "content_block_stop", "index": 0})
    delta = {"stop_reason": "end_turn", "container": {"id": "c"}}
    edits = {"applied_edits": []}
    fold.feed({"type": "message_delta", "delta": delta, "context_management": edits})
    assert fold.content == [{"type": "compaction", "content": "So far."}]
    assert (fold.message["container"], fold.message["context_management"]) == ({"id": "c"}, edits)
