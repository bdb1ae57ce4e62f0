"""The turns that replay a conversation on a fresh process."""

import copy
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.backends.claude_cli.chat.replay import ReplayTurn, distinct_ids, is_kept_exactly, split_turns
from tests.asking import assistant, text, user

THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
TOOL_USE = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "seen"}


def test_a_single_question():
    assert split_turns([user("a")]) == ([], ReplayTurn("user", [text("a")]))


def test_the_past_and_the_question():
    past, question = split_turns([user("a"), assistant("b"), user("c", "d")])
    assert past == [ReplayTurn("user", [text("a")]), ReplayTurn("assistant", [text("b")])]
    assert question == ReplayTurn("user", [text("c"), text("d")])


def test_neighbours_of_one_role_are_one_turn():
    past, question = split_turns([user("a"), user("b"), assistant("c"), assistant("d"), user("e"), user("f")])
    assert past == [ReplayTurn("user", [text("a"), text("b")]), ReplayTurn("assistant", [text("c"), text("d")])]
    assert question == ReplayTurn("user", [text("e"), text("f")])


def test_tool_calls_have_the_models_name_and_keep_their_ids():
    past, question = split_turns([user("a"), assistant("let me see", TOOL_USE), user(RESULT)])
    assert past[1].content == [text("let me see"), {**TOOL_USE, "name": "mcp__client__look"}]
    assert question.content == [RESULT]


def test_thinking_goes_back_only_with_its_signature():
    unsigned = [{"type": "thinking", "thinking": "hm"}, {**THOUGHT, "signature": ""}]
    redacted = {"type": "redacted_thinking", "data": "xx"}
    past, _ = split_turns([user("a"), assistant(*unsigned, THOUGHT, redacted, "b"), user("c")])
    assert past[1].content == [THOUGHT, redacted, text("b")]


def test_a_turn_of_which_nothing_is_left_is_none():
    past, question = split_turns([user("a"), assistant({"type": "thinking", "thinking": "hm"}), user("b")])
    assert (past, question) == ([], ReplayTurn("user", [text("a"), text("b")]))


def test_what_the_client_sent_is_not_written_to():
    messages = [user("a"), user("b"), assistant(TOOL_USE), assistant("c"), user(RESULT), user("d")]
    before = copy.deepcopy(messages)
    split_turns(messages)
    assert messages == before


MESSAGES = st.lists(
    st.builds(lambda role, words: role(*words), st.sampled_from([user, assistant]), st.lists(st.text()))
)


@given(MESSAGES, st.text())
def test_everything_is_said_once_in_order_by_turns(messages, last):
    messages = [*messages, user(last)]
    past, question = split_turns(messages)
    said = [(turn.role, block) for turn in [*past, question] for block in turn.content]
    assert said == [(message["role"], block) for message in messages for block in message["content"]]
    roles = [turn.role for turn in [*past, question]]
    assert all(one != other for one, other in pairwise(roles))
    assert question.role == "user"


def called(*ids, **more):
    return assistant(*({**TOOL_USE, "id": id, **more} for id in ids))


@pytest.mark.parametrize(
    ("ids", "renamed"),
    [
        (["a", "b", "a-2", "a__2", "a_b"], {}),
        (["call_1_2"], {}),
        (["call_0", "call_0_2"], {"call_0_2": "call_0-2"}),
        (["call_0_2", "call_0"], {"call_0_2": "call_0-2"}),
        (["a", "a_1", "a_1_2"], {"a_1": "a-1", "a_1_2": "a_1-2"}),
        (["a", "a_1", "a-1"], {"a_1": "a-1a"}),
    ],
    ids=str,
)
def test_ids_that_the_cli_takes_for_copies_of_others_are_exchanged(ids, renamed):
    results = user(*({**RESULT, "tool_use_id": id} for id in ids))
    assert distinct_ids([user("a"), called(*ids), results]) == renamed
    past, question = split_turns([user("a"), called(*ids), results])
    sent = [renamed.get(id, id) for id in ids]
    assert [block["id"] for block in past[1].content] == sent
    assert [block["tool_use_id"] for block in question.content] == sent


@given(st.lists(st.from_regex(r"[ab](_[12]){0,3}", fullmatch=True), unique=True))
def test_exchanged_ids_stay_different_and_no_copies(ids):
    renamed = distinct_ids([called(*ids)])
    sent = [renamed.get(id, id) for id in ids]
    assert len(set(sent)) == len(sent)
    assert distinct_ids([called(*sent)]) == {}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"n": 2**53 - 1, "f": 1e300, "b": True}, {"n": 2**53 - 1, "f": 1e300, "b": True}),
        ({"n": 2**53}, {"n": str(2**53)}),
        ({"n": [-(10**20), {"m": 10**18}], "s": "x"}, {"n": [str(-(10**20)), {"m": str(10**18)}], "s": "x"}),
    ],
    ids=str,
)
def test_integers_that_javascript_rounds_are_sent_as_their_digits(given, sent):
    past, _ = split_turns([user("a"), called("c", input=given), user(RESULT)])
    assert past[1].content[0]["input"] == sent


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (assistant("plain"), True),
        (called("b"), True),
        (called("b", input={"n": 5}), True),
        (called("b", input={"n": 2**60}), False),
        (called("b", input={"__proto__": 1}), False),
        (called("b", input={"a": [{"__proto__": {}}]}), False),
        (called("a_2"), False),
        (called("b", "b_1"), False),
    ],
    ids=str,
)
def test_which_answers_the_cli_holds_as_they_are(answer, kept):
    assert is_kept_exactly(answer, [user("q"), called("a"), user(RESULT)]) is kept
