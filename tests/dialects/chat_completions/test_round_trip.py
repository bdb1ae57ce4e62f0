"""An answer that a client sends back is equal: otherwise no conversation continues."""

import orjson
from hypothesis import given
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from server.core.messages import MessageFold
from server.core.transcript import canonical_messages
from server.dialects.chat_completions import to_messages
from tests.dialects.chat_completions.samples import CONTEXT, body, events_of, result_message
from tests.dialects.generated import Generated

QUESTION = {"role": "user", "content": "q"}
WORDS = st.text(min_size=1).filter(str.strip)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.builds(lambda text: {"type": "text", "text": text}, WORDS)
THOUGHTS = st.builds(lambda text: {"type": "thinking", "thinking": text, "signature": "s"}, st.text())
CALLS = st.builds(
    lambda name, given: {"type": "tool_use", "name": name, "input": given},
    st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True),
    st.dictionaries(st.text(), VALUES, max_size=3),
)


def numbered(blocks):
    return [
        {**block, "id": f"toolu_{at:02}"} if block["type"] == "tool_use" else block for at, block in enumerate(blocks)
    ]


def fold_of(events):
    fold = MessageFold()
    for event in events:
        fold.feed(event)
    return {"role": "assistant", "content": fold.content}


ANSWERS = (
    st.lists(TEXTS | THOUGHTS | CALLS, min_size=1, max_size=6)
    .map(numbered)
    .filter(lambda blocks: any(block["type"] != "thinking" for block in blocks))
)


@given(ANSWERS, st.integers(1, 5))
def test_a_whole_answer_comes_back_as_it_was(blocks, pieces):
    encoder = Generated(to_messages(body(QUESTION), CONTEXT).encoder)
    events = list(events_of(blocks, pieces=pieces))
    for event in events:
        list(encoder.feed(event))
    sent_back = orjson.loads(orjson.dumps(encoder.build_response()["choices"][0]["message"]))
    check(sent_back, fold_of(events), blocks)


@given(ANSWERS, st.integers(1, 5))
def test_a_streamed_answer_comes_back_as_it_was(blocks, pieces):
    encoder = to_messages(body(QUESTION, stream=True), CONTEXT).encoder
    events = list(events_of(blocks, pieces=pieces))
    state = ChatCompletionStreamState()
    for event in events:
        for chunk in encoder.feed(event):
            state.handle_chunk(ChatCompletionChunk.model_validate(chunk.data))
    sent_back = state.get_final_completion().choices[0].message.model_dump(exclude_none=True)
    check(sent_back, fold_of(events), blocks)


def check(sent_back, original, blocks):
    """Check that `sent_back` and the original are canonically the same history."""
    calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
    following = [result_message(id, f"result of {id}") for id in calls] or [{"role": "user", "content": "and?"}]
    request = to_messages(body(QUESTION, sent_back, *following), CONTEXT).request
    question = {"role": "user", "content": [{"type": "text", "text": "q"}]}
    *history, last = request.messages
    assert canonical_messages(history) == canonical_messages([question, original])
    assert canonical_messages(history) == canonical_messages([question, {"role": "assistant", "content": blocks}])
    assert last["role"] == "user"


def test_a_call_that_was_cut_comes_back_as_it_was():
    *_, end, stop = events_of([], "max_tokens")
    start = next(events_of([]))
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": '{"x": "unfin'}
    events = [
        start,
        {"type": "content_block_start", "index": 0, "content_block": call},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        end,
        stop,
    ]
    encoder = Generated(to_messages(body(QUESTION), CONTEXT).encoder)
    for event in events:
        list(encoder.feed(event))
    message = encoder.build_response()["choices"][0]["message"]
    check(message, fold_of(events), [{**call, "input": {"_incomplete": '{"x": "unfin'}}])
