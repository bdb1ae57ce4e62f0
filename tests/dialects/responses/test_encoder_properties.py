"""Any answer, however it is cut into events: the stream keeps all rules, and agrees with body and SDK."""

import json
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from server.core.errors import UpstreamFailed
from server.dialects.framing import SSE
from tests.dialects.chat_completions.samples import events_of
from tests.dialects.responses.streams import check_response, checked_stream, encoder_of, run

EVENT = TypeAdapter[Any](ResponseStreamEvent)

WORDS = st.text(max_size=12)
TEXTS = st.builds(lambda text: {"type": "text", "text": text}, WORDS)
THOUGHTS = st.builds(lambda text: {"type": "thinking", "thinking": text}, WORDS)
REDACTED = st.just({"type": "redacted_thinking", "data": "xyz", "input": {}})
FUNCTIONS = st.builds(
    lambda name, given: {"type": "tool_use", "name": name, "input": given},
    st.sampled_from(["look", "clock__now", "tool_search", "unheard_of"]),
    st.dictionaries(WORDS, WORDS | st.integers(-(2**53), 2**53) | st.none(), max_size=2),
)
CUSTOM = st.builds(
    lambda name, given: {"type": "tool_use", "name": name, "input": given},
    st.sampled_from(["patch", "functions__exec"]),
    st.builds(lambda text: {"input": text}, st.text()) | st.dictionaries(WORDS, WORDS, max_size=2),
)
HIDDEN = st.sampled_from(
    [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [], "input": {}},
        {"type": "block_of_the_future", "input": {}},
    ]
)


def numbered(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**block, "id": f"toolu_{at:02}"} if block["type"] == "tool_use" else block for at, block in enumerate(blocks)
    ]


BLOCKS = st.lists(TEXTS | THOUGHTS | REDACTED | FUNCTIONS | CUSTOM | HIDDEN, max_size=6).map(numbered)
REASONS = st.sampled_from(["end_turn", "tool_use", "max_tokens", "stop_sequence", "pause_turn", "refusal", "news"])
DETAILS = st.sampled_from([None, {"type": "refusal", "explanation": "No."}])
HEADS = st.fixed_dictionaries({"originator": st.sampled_from(["", "codex_exec"]), "compaction": st.booleans()})


@given(BLOCKS, REASONS, DETAILS, HEADS, st.integers(1, 8))
def test_the_stream_agrees_with_the_body(blocks, reason, details, head, pieces):
    encoder = encoder_of(**head)
    stream = run(encoder, events_of(blocks, reason, pieces=pieces, stop_details=details))
    body = check_response(encoder.build_response())
    assert stream[-1]["response"] == body
    assert stream[-1]["type"] == f"response.{body['status']}"


@given(BLOCKS, REASONS, st.integers(1, 8))
def test_the_sdk_s_view_is_the_body(blocks, reason, pieces):
    encoder = encoder_of()
    state = ResponseStreamState(input_tools=omit, text_format=omit)
    for data in run(encoder, events_of(blocks, reason, pieces=pieces)):
        state.handle_event(EVENT.validate_python(data))
    body = encoder.build_response()
    if body["status"] == "completed":
        assert state._completed_response.id == body["id"]
        assert [item.type for item in state._completed_response.output] == [item["type"] for item in body["output"]]


@given(BLOCKS, REASONS, st.integers(1, 8))
def test_nothing_of_the_answer_is_lost(blocks, reason, pieces):
    encoder = encoder_of()
    run(encoder, events_of(blocks, reason, pieces=pieces))
    output = encoder.build_response()["output"]
    texts = "".join(part["text"] for item in output if item["type"] == "message" for part in item["content"])
    assert texts == "".join(block["text"] for block in blocks if block["type"] == "text")
    thoughts = [block for block in blocks if block["type"] in ("thinking", "redacted_thinking")]
    assert len([item for item in output if item["type"] == "reasoning"]) == len(thoughts)
    calls = [block for block in blocks if block["type"] == "tool_use"]
    assert [item["call_id"] for item in output if "call_id" in item] == [call["id"] for call in calls]
    for item, call in zip([item for item in output if "call_id" in item], calls, strict=True):
        if item["type"] == "function_call":
            assert json.loads(item["arguments"]) == call["input"]
        elif item["type"] == "tool_search_call":
            assert item["arguments"] == call["input"]
        elif "input" in call["input"]:
            assert item["input"] == call["input"]["input"]


@given(BLOCKS, st.data())
def test_a_stream_may_end_and_pause_anywhere(blocks, data):
    encoder = encoder_of()
    events = list(events_of(blocks))
    end = data.draw(st.integers(0, len(events)))
    chunks = []
    for event in events[:end]:
        chunks += encoder.feed(event)
        if data.draw(st.booleans()):
            chunks += encoder.encoder.ping()
    stream = checked_stream([*chunks, *encoder.fail(UpstreamFailed("It broke."))])
    assert stream[-1]["type"] == "response.failed"


@given(BLOCKS, REASONS)
def test_every_event_can_be_written(blocks, reason):
    encoder = encoder_of(seal=lambda block: "sealed")
    for event in events_of(blocks, reason):
        for chunk in encoder.feed(event):
            name, data, *rest = SSE.frame(chunk).split(b"\n")
            assert rest == [b"", b""]
            assert name.removeprefix(b"event: ").decode() == orjson.loads(data.removeprefix(b"data: "))["type"]
