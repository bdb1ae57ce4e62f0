"""The wire without a process: bytes to lines, lines to messages, values to lines."""

from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.backends.claude_cli.transport.wire import (
    AssistantError,
    ControlAnswer,
    ControlRequest,
    Incoming,
    LineFramer,
    RateLimits,
    Result,
    Streamed,
    UnknownLine,
    WireError,
    assistant_line,
    control_answer,
    control_refusal,
    control_request,
    decode_line,
    user_line,
)
from server.models.info import ReportedLimits
from tests.asking import text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
TEXT_BLOCKS = st.lists(st.text().map(text))


def lines_of(data):
    return [line for line in data.split(b"\n")[:-1] if line.strip()]


@given(st.lists(st.sampled_from([b"a", b"{}", b"\n", b" ", b"\r", b"\xff", b"\n\n"])), st.data())
def test_any_chunking_gives_the_same_lines(parts, data):
    written, framer, lines, at = b"".join(parts), LineFramer(), [], 0
    while at < len(written):
        size = data.draw(st.integers(1, len(written) - at))
        lines += framer.feed(written[at : at + size])
        at += size
    assert lines == lines_of(written)


@given(st.binary(), st.integers(0, 100))
def test_any_bytes_in_two_chunks(written, at):
    framer = LineFramer()
    assert [*framer.feed(written[:at]), *framer.feed(written[at:])] == lines_of(written)


def test_a_line_is_given_as_soon_as_it_ends():
    framer = LineFramer()
    assert list(framer.feed(b"one\ntw")) == [b"one"]
    assert list(framer.feed(b"o")) == []
    assert list(framer.feed(b"\n")) == [b"two"]


@pytest.mark.parametrize("chunks", [[b"x" * 11], [b"x"] * 11, [b"short\n" + b"x" * 11]])
def test_a_line_without_an_end_is_refused(chunks):
    framer = LineFramer(max_line_bytes=10)
    with pytest.raises(WireError, match="more than 10 bytes"):
        [line for chunk in chunks for line in framer.feed(chunk)]


def test_each_line_may_be_as_long_as_the_limit():
    framer = LineFramer(max_line_bytes=10)
    for _ in range(3):
        assert list(framer.feed(b"x" * 10)) == []
        assert list(framer.feed(b"\n")) == [b"x" * 10]


EVENT = {"type": "content_block_stop", "index": 0}
CALL = {"subtype": "mcp_message", "message": {"method": "tools/list"}}
RESULT = {
    "type": "result",
    "is_error": True,
    "api_error_status": 429,
    "result": "limit",
    "num_turns": 1,
    "terminal_reason": "completed",
    "total_cost_usd": 0.5,
}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"type": "stream_event", "event": EVENT, "parent_tool_use_id": None}, Streamed(EVENT)),
        ({"type": "stream_event", "event": EVENT}, Streamed(EVENT)),
        (RESULT, Result(True, 429, "limit", frozenset(), 0.5)),
        ({"type": "result"}, Result(False, None, "", frozenset(), None)),
        (
            {"type": "result", "num_turns": 0, "user_message_uuid": "u1", "user_message_uuids": ["u1", "u2"]},
            Result(False, None, "", frozenset({"u1", "u2"}), None),
        ),
        (
            {"type": "result", "modelUsage": {"claude-a": {"contextWindow": 7, "maxOutputTokens": 3}, "claude-b": {}}},
            Result(
                False, None, "", frozenset(), None, {"claude-a": ReportedLimits(7, 3), "claude-b": ReportedLimits()}
            ),
        ),
        (
            {"type": "result", "modelUsage": {"claude-a": {"contextWindow": "7", "maxOutputTokens": 0}, "claude-b": 1}},
            Result(False, None, "", frozenset(), None, {"claude-a": ReportedLimits()}),
        ),
        ({"type": "result", "errors": ["a", "b"]}, Result(False, None, "a; b", frozenset(), None)),
        (
            {"type": "assistant", "error": "rate_limit", "message": {"content": [text("You "), text("wait")]}},
            AssistantError("rate_limit", "You wait"),
        ),
        (
            {"type": "assistant", "error": "unknown", "message": {"content": "words"}},
            AssistantError("unknown", "words"),
        ),
        ({"type": "rate_limit_event", "rate_limit_info": {"status": "allowed"}}, RateLimits({"status": "allowed"})),
        ({"type": "rate_limit_event"}, RateLimits({})),
        (
            {"type": "control_response", "response": {"subtype": "success", "request_id": "r1", "response": {"a": 1}}},
            ControlAnswer("r1", {"a": 1}),
        ),
        (
            {"type": "control_response", "response": {"subtype": "success", "request_id": "r1"}},
            ControlAnswer("r1", {}),
        ),
        (
            {"type": "control_response", "response": {"subtype": "error", "request_id": "r1", "error": "no"}},
            ControlAnswer("r1", error="no"),
        ),
        (
            {"type": "control_response", "response": {"subtype": "error", "request_id": "r1"}},
            ControlAnswer("r1", error="refused"),
        ),
        ({"type": "control_request", "request_id": "c1", "request": CALL}, ControlRequest("c1", "mcp_message", CALL)),
    ],
)
def test_every_kind_of_line(line, message):
    assert decode_line(orjson.dumps(line)) == message


@pytest.mark.parametrize(
    "line",
    [
        {"type": "stream_event", "event": EVENT, "parent_tool_use_id": "toolu_1"},
        {"type": "assistant", "message": {"content": []}},
        {"type": "system", "subtype": "init"},
        {},
    ],
    ids=["of a subagent", "assistant", "system", "no type"],
)
def test_what_is_of_no_use_is_passed_over(line):
    assert decode_line(orjson.dumps(line)) == UnknownLine(str(line.get("type")), line)


@pytest.mark.parametrize("line", [b"Error: boom", b"{", b"\xff\xfe", b"", b"NaN", b'"text"', b"[]", b"1", b"null"])
def test_what_is_not_the_protocol_is_an_error(line):
    with pytest.raises(WireError, match="not "):
        decode_line(line)


KINDS = ["stream_event", "result", "assistant", "rate_limit_event", "control_response", "control_request", "system"]
KEYS = [
    "event", "parent_tool_use_id", "error", "errors", "message", "content", "text", "response", "request", "request_id",
    "subtype", "result", "rate_limit_info", "user_message_uuid", "user_message_uuids", "num_turns",
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.integers(0, 3) | st.sampled_from(["", "x", "success", "mcp_message"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4))
def test_a_line_of_any_shape_is_a_message_or_an_error(kind, fields):
    with suppress(WireError):
        assert isinstance(decode_line(orjson.dumps({**fields, "type": kind})), Incoming)


@pytest.mark.parametrize(
    "line",
    [
        {"type": "stream_event"},
        {"type": "stream_event", "event": None},
        {"type": "result", "user_message_uuids": 5},
        {"type": "result", "user_message_uuids": [["x"]]},
        {"type": "result", "errors": [1]},
        {"type": "assistant", "error": "x", "message": None},
        {"type": "assistant", "error": "x", "message": {"content": [text(None)]}},
        {"type": "rate_limit_event", "rate_limit_info": 3},
        {"type": "control_response", "response": ["x"]},
        {"type": "control_request", "request": "x"},
        {"type": "control_request", "request": {"subtype": "mcp_message"}},
    ],
    ids=str,
)
def test_a_line_of_another_shape_than_it_should_be_is_an_error(line):
    with pytest.raises(WireError, match="shape"):
        decode_line(orjson.dumps(line))


@given(TEXT_BLOCKS, st.uuids().map(str), st.booleans())
def test_a_user_turn_arrives_as_it_is(content, uuid, query):
    line = only_line(user_line(content, uuid, query=query))
    assert line["type"] == "user"
    assert line["message"] == {"role": "user", "content": content}
    assert line["uuid"] == uuid
    assert line["client_composed"] is True
    assert line.get("shouldQuery", True) is query


@given(TEXT_BLOCKS, st.uuids().map(str))
def test_a_past_answer_arrives_as_it_is(content, uuid):
    line = only_line(assistant_line(content, uuid, "claude-opus-5-5"))
    assert (line["type"], line["uuid"]) == ("assistant", uuid)
    assert line["message"] == {"role": "assistant", "model": "claude-opus-5-5", "content": content}


@given(st.text(), st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), JSON))
def test_a_control_request_arrives_as_it_is(request_id, fields):
    line = only_line(control_request(request_id, "initialize", **fields))
    assert line == {
        "type": "control_request",
        "request_id": request_id,
        "request": {"subtype": "initialize", **fields},
    }


@given(st.text(), st.dictionaries(st.text(), JSON))
def test_an_answer_reads_back_as_one(request_id, payload):
    assert decode_line(control_answer(request_id, payload).strip(b"\n")) == ControlAnswer(request_id, payload)


@given(st.text(), st.text(min_size=1))
def test_a_refusal_reads_back_as_one(request_id, error):
    assert decode_line(control_refusal(request_id, error).strip(b"\n")) == ControlAnswer(request_id, error=error)


def only_line(written):
    """The written value, which must be one whole line."""
    (line,) = LineFramer().feed(written)
    assert written == line + b"\n"
    return orjson.loads(line)
