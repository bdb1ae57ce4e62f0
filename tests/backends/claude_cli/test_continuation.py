"""Only the exact continuation continues a live conversation; a looser rule could leak one into another."""

from types import SimpleNamespace

import pytest

from server.backends.claude_cli.chat.continuation import ConversationKey, ProcessBinding
from server.backends.claude_cli.chat.conversation import Conversation
from server.backends.claude_cli.chat.setup import ProcessSetup
from server.backends.claude_cli.facilities import Facilities
from server.backends.claude_cli.transport.channel import Channel
from server.core.messages import MessagesRequest
from tests.asking import ask, assistant, text, tool, user

BINDING = {
    "system": ("Be brief.", "Answer in English."),
    "tools": [tool("look", at={"type": "string"}), tool("wait")],
    "effort": "high",
    "thinking": {"type": "enabled", "budget_tokens": 2000},
}
EARLIER = (user("The red house"), assistant("It stands in a street."), user("And the blue one?"))
REPLY = assistant("It stands by the river.")
NEXT = user("Who lives there?")
CALLS = [{"type": "tool_use", "id": f"toolu_{index}", "name": "look", "input": {"at": f"{index}"}} for index in (1, 2)]
CALLING = assistant("I look.", *CALLS)
LARGE_IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 700_000}}


def request(*messages, **changes) -> MessagesRequest:
    return ask(*messages, **{**BINDING, **changes})


def result(number, content="seen", **more):
    return {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": content, **more}


def kept(reply, *held) -> Conversation:
    """A conversation without a process that has just sent `reply`; `held` calls await their results."""
    conversation = Conversation(lambda: None, base_url=None)
    conversation._channel = Channel(lambda limits: None, lambda: None)
    conversation._channel.process = SimpleNamespace(resident_bytes=lambda: 0)
    conversation._setup = ProcessSetup(conversation._channel, {}, None, "", Facilities())
    first = request(*EARLIER)
    conversation._binding = ProcessBinding.from_request(first)
    conversation._held_calls = held
    conversation.claim(first)
    conversation._keep_process("holding" if held else "idle", [*first.messages, reply])
    return conversation


@pytest.fixture
def idle() -> Conversation:
    return kept(REPLY)


@pytest.fixture
def holding() -> Conversation:
    return kept(CALLING, "toolu_1", "toolu_2")


def continues(conversation: Conversation, *messages, **changes) -> bool:
    return conversation.continues(ConversationKey.from_request(request(*messages, **changes)))


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([*EARLIER, REPLY, NEXT], id="as it was"),
        pytest.param([*EARLIER, REPLY, user("Who"), user("lives there?")], id="two user turns"),
        pytest.param([*EARLIER, assistant("It stands ", "by the river."), NEXT], id="the reply in two texts"),
        pytest.param(
            [*EARLIER, assistant({"type": "thinking", "thinking": "hm"}, *REPLY["content"]), NEXT], id="thought"
        ),
        pytest.param(
            [*EARLIER, REPLY, user({**text("Who?"), "cache_control": {"type": "ephemeral"}})], id="cache mark"
        ),
    ],
)
def test_the_exact_continuation(idle, messages):
    assert continues(idle, *messages)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"system": ("Be brief.",)}, id="a shorter system prompt"),
        pytest.param({"system": ("Be brief.", "Answer in German.")}, id="another system prompt"),
        pytest.param({"system": ()}, id="no system prompt"),
        pytest.param({"tools": BINDING["tools"][:1]}, id="a tool fewer"),
        pytest.param({"tools": BINDING["tools"][::-1]}, id="tools in another order"),
        pytest.param({"tools": [tool("look", at={"type": "integer"}), tool("wait")]}, id="another schema"),
        pytest.param({"model": "claude-opus-5-5"}, id="another model"),
        pytest.param({"effort": "low"}, id="another effort"),
        pytest.param({"effort": None}, id="no effort"),
        pytest.param({"thinking": {"type": "enabled", "budget_tokens": 2001}}, id="another budget"),
        pytest.param({"thinking": None}, id="no budget"),
    ],
)
def test_a_process_is_bound(idle, changes):
    assert not continues(idle, *EARLIER, REPLY, NEXT, **changes)


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([user("The red horse"), *EARLIER[1:], REPLY, NEXT], id="a word of the first turn"),
        pytest.param([EARLIER[0], assistant("It stood in a street."), EARLIER[2], REPLY, NEXT], id="a word of a reply"),
        pytest.param([*EARLIER, assistant("It stands by the rivers."), NEXT], id="a letter of the last reply"),
        pytest.param([*EARLIER, assistant("It stands by the river. "), NEXT], id="a space"),
        pytest.param([EARLIER[0], EARLIER[2], REPLY, NEXT], id="a reply missing"),
        pytest.param([*EARLIER[1:], REPLY, NEXT], id="the first turn missing"),
        pytest.param([REPLY, NEXT], id="the last reply alone"),
        pytest.param([user("Hello"), assistant("Hi"), *EARLIER, REPLY, NEXT], id="turns before"),
        pytest.param([*EARLIER, REPLY, NEXT, assistant("Nobody."), NEXT], id="a turn further"),
        pytest.param([*EARLIER, NEXT], id="the last reply missing"),
        pytest.param([NEXT], id="another conversation"),
        pytest.param([*EARLIER, assistant(*REPLY["content"], CALLS[0]), NEXT], id="a call in the reply"),
        pytest.param([*EARLIER, REPLY, user(result(1))], id="a result"),
        pytest.param([*EARLIER, REPLY, user(result(1), "Who?")], id="a result and words"),
        pytest.param([*EARLIER, REPLY], id="a prefill"),
        pytest.param([*EARLIER, REPLY, user("Whose?", LARGE_IMAGE)], id="a large image"),
    ],
)
def test_whatever_differs_is_another_conversation(idle, messages):
    assert not continues(idle, *messages)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param([user(result(1), result(2))], id="in order"),
        pytest.param([user(result(2), result(1))], id="in another order"),
        pytest.param([user(result(1)), user(result(2))], id="in two turns"),
        pytest.param([user(result(1, "no such place", is_error=True), result(2))], id="a failure"),
    ],
)
def test_the_results_of_all_held_calls(holding, said):
    assert continues(holding, *EARLIER, CALLING, *said)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param([user(result(1))], id="the first alone"),
        pytest.param([user(result(2))], id="the second alone"),
        pytest.param([user(result(1), result(1))], id="one twice"),
        pytest.param([user(result(1), result(2), result(2))], id="one too many"),
        pytest.param([user(result(1), result(2), result(3))], id="a foreign one besides"),
        pytest.param([user(result(1), result(3))], id="a foreign one instead"),
        pytest.param([user(result(1), result(2), "And?")], id="words besides"),
        pytest.param([user(result(1), result(2)), user("And?")], id="words in a turn of their own"),
        pytest.param([NEXT], id="words instead"),
        pytest.param([user(result(1), result(2, " "))], id="a blank one, which the CLI would change"),
        pytest.param([user(result(1), result(2, [LARGE_IMAGE]))], id="a large image"),
    ],
)
def test_a_holding_process_takes_nothing_else(holding, said):
    assert not continues(holding, *EARLIER, CALLING, *said)


def test_results_with_other_calls_before_them(holding):
    other = assistant("I look.", CALLS[0], {**CALLS[1], "input": {"at": "3"}})
    assert not continues(holding, *EARLIER, other, user(result(1), result(2)))


def test_only_a_free_conversation_is_continued(idle):
    idle.claim(request(*EARLIER, REPLY, NEXT))
    assert not continues(idle, *EARLIER, REPLY, NEXT)
    idle.close()
    assert not continues(idle, *EARLIER, REPLY, NEXT)


def test_a_parked_process_continues_nothing():
    assert not continues(Conversation(lambda: None, base_url=None), NEXT)


def test_a_forgotten_conversation_is_not_kept(idle):
    again = request(*EARLIER, REPLY, NEXT)
    idle.claim(again)
    idle.mark_stale()
    idle._keep_process("idle", [*again.messages, assistant("Nobody.")])
    assert not idle.is_free


def served_one_off() -> Conversation:
    """A process that has answered a one-off, whose transcript is no client's."""
    conversation = Conversation(lambda: None, base_url=None)
    conversation._channel = Channel(lambda limits: None, lambda: None)
    conversation._channel.process = SimpleNamespace(resident_bytes=lambda: 0)
    conversation._setup = ProcessSetup(conversation._channel, {}, None, "", Facilities())
    first = request(user("The red house"), is_one_off=True)
    conversation._binding = ProcessBinding.from_request(first)
    conversation._one_offs = 1
    conversation.claim(first)
    conversation._keep_process("idle", [*first.messages, REPLY])
    return conversation


def test_a_one_off_may_use_the_process_of_another():
    assert continues(served_one_off(), user("Something else"), is_one_off=True)


def test_a_one_off_never_uses_a_conversation(idle):
    assert not continues(idle, *EARLIER, REPLY, NEXT, is_one_off=True)


def test_a_conversation_never_uses_the_process_of_one_offs():
    assert not continues(served_one_off(), user("The red house"), REPLY, NEXT)
    assert not continues(served_one_off(), user("The red house"))


def test_a_one_offs_process_is_bound_like_any_other():
    assert not continues(served_one_off(), user("Something else"), is_one_off=True, effort="low")
    assert not continues(served_one_off(), user("Something else"), is_one_off=True, system=("Be long.",))


def test_a_worn_out_process_is_not_kept():
    conversation = served_one_off()
    conversation._one_offs = 100
    assert not conversation._keep_process("idle", [])
