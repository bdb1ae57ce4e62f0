"""Any body is translated, or refused with a declared error; an answer that comes back is the same."""

import copy
from collections.abc import Callable
from typing import Any

import ollama
import orjson
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import InvalidRequest, ModelNotFound
from server.core.transcript import canonical_messages
from server.dialects.base import Call, Context
from server.dialects.ollama.errors import error_response
from server.dialects.ollama.loading import load_for_chat, load_for_generate
from server.dialects.ollama.request import chat_to_messages, generate_to_messages
from tests.dialects.chat_completions.samples import CONTEXT, PNG, base64_of, events_of
from tests.dialects.chat_completions.test_properties import JSON, WORDS, list_paths, replace_at
from tests.dialects.chat_completions.test_round_trip import ANSWERS, fold_of
from tests.dialects.generated import Generated
from tests.dialects.ollama.samples import USER, calls, chat_body, result, tool

FULL_CHAT = chat_body(
    {"role": "system", "content": "s"},
    {"role": "user", "content": "see", "images": [base64_of(PNG)]},
    calls("look", "go", ids=True, content="wait"),
    result("B", tool_name="go"),
    result("A", tool_call_id="id-0"),
    USER,
    tools=[tool("look"), tool("go")],
    format={"type": "object"},
    options={"num_predict": 9, "temperature": 0.5, "stop": ["a"], "seed": 1},
    think="high",
    keep_alive="5m",
    stream=False,
)
FULL_PROMPT = {
    "model": "claude-opus-5-5",
    "prompt": "p",
    "suffix": "s",
    "system": "t",
    "images": [base64_of(PNG)],
    "format": "json",
    "raw": True,
    "think": True,
    "template": "x",
    "context": [1, 2],
    "options": {"num_predict": 9, "stop": "a"},
}
Translate = Callable[[Any, Context], Call]
Load = Callable[[Any, Context], dict[str, Any] | None]


def check_outcome(anything: Any, translate: Translate, load: Load) -> None:
    try:
        if (loaded := load(anything, CONTEXT)) is not None:
            orjson.dumps(loaded)
            return
        call = translate(anything, CONTEXT)
    except (InvalidRequest, ModelNotFound) as error:
        body = error_response(error).body
        assert isinstance(body["error"], str)
        orjson.dumps(body)
        return
    roles = [message["role"] for message in call.request.messages]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"] * (len(roles) % 2)
    assert all(message["content"] for message in call.request.messages)
    assert all("\n" not in warning for warning in call.warnings)


def check_both(anything: Any) -> None:
    check_outcome(anything, chat_to_messages, load_for_chat)
    check_outcome(anything, generate_to_messages, load_for_generate)


@given(JSON)
def test_any_json(anything: Any) -> None:
    check_both(anything)


@given(st.lists(st.fixed_dictionaries({"role": WORDS | st.text()}, optional={"content": JSON, "tool_calls": JSON})))
def test_any_messages(messages: Any) -> None:
    check_both({"model": "claude-opus-5-5", "messages": messages})


def changed_body(full: dict[str, Any]) -> st.SearchStrategy[Any]:
    """The body with some values replaced."""
    changes = st.lists(st.tuples(st.sampled_from(list(list_paths(full))), JSON), min_size=1, max_size=3)

    def change(replaced: list[Any]) -> dict[str, Any]:
        changed = copy.deepcopy(full)
        for path, value in replaced:
            replace_at(changed, path, value)
        return changed

    return changes.map(change)


@given(changed_body(FULL_CHAT) | changed_body(FULL_PROMPT))
def test_a_good_body_with_some_values_replaced(body: Any) -> None:
    check_both(body)


def test_the_full_bodies_are_valid_here_and_for_ollama() -> None:
    ollama._types.ChatRequest.model_validate({**FULL_CHAT, "tools": None})
    before = copy.deepcopy(FULL_CHAT)
    request = chat_to_messages(FULL_CHAT, CONTEXT).request
    assert [role for role, _ in canonical_messages(request.messages)] == ["user", "assistant", "user"]
    assert before == FULL_CHAT
    assert generate_to_messages(FULL_PROMPT, CONTEXT).request.messages


TURNS = st.lists(
    st.sampled_from(
        [
            {"role": "system", "content": "s"},
            USER,
            {"role": "user", "content": ""},
            {"role": "assistant", "content": "a"},
            calls("look"),
            calls("look", "go", ids=True),
            result("one", tool_call_id="id-1"),
            result("two", tool_name="look"),
            result("", tool_name="go"),
            result("three"),
        ]
    ),
    min_size=1,
    max_size=12,
)


@given(TURNS)
def test_every_call_has_its_result_in_the_next_turn_and_no_result_is_lost(messages: Any) -> None:
    try:
        turns = chat_to_messages(chat_body(*messages), CONTEXT).request.messages
    except InvalidRequest:
        return
    for turn, following in zip(turns, [*turns[1:], {"content": []}], strict=True):
        made = [block["id"] for block in turn["content"] if block["type"] == "tool_use"]
        answered = [block["tool_use_id"] for block in following["content"] if block["type"] == "tool_result"]
        assert sorted(made) == sorted(answered)
    words = orjson.dumps(list(turns)).decode()
    for message in messages:
        if message["role"] == "tool":
            assert message["content"] in words


@given(ANSWERS, st.integers(1, 5))
def test_a_whole_answer_comes_back_as_it_was(blocks: Any, pieces: int) -> None:
    made = Generated(chat_to_messages(chat_body({"role": "user", "content": "q"}), CONTEXT).encoder)
    events = list(events_of(blocks, pieces=pieces))
    for event in events:
        made.feed(event)
    sent_back = orjson.loads(orjson.dumps(made.build_response()["message"]))
    ids = [call["id"] for call in sent_back.get("tool_calls", ())]
    following = [result(f"of {id}", tool_call_id=id) for id in ids] or [USER]
    *history, _ = chat_to_messages(
        chat_body({"role": "user", "content": "q"}, sent_back, *following), CONTEXT
    ).request.messages
    question = {"role": "user", "content": [{"type": "text", "text": "q"}]}
    assert canonical_messages(history) == canonical_messages([question, fold_of(events)])
