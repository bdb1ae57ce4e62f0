"""Items become turns in native roles, whatever their order."""

from typing import Any

import pytest

from server.dialects.turn_builder import EMPTY, OPENING, UNANSWERED
from tests.dialects.responses.samples import (
    REDACTED,
    SEALER,
    THOUGHT,
    call,
    custom_call,
    message,
    output,
    reasoning,
    refusal,
    result,
    text,
    tool_use,
    translate,
    turns,
)

UNANSWERED_RESULT = {
    "type": "tool_result",
    "tool_use_id": "a",
    "content": [text(UNANSWERED)],
    "is_error": True,
}


def test_a_string_is_a_user_s_message() -> None:
    assert turns(input="hi") == [("user", [text("hi")])]


def test_instructions_and_leading_items_are_the_system_prompt() -> None:
    request = translate(
        message("developer", [{"type": "input_text", "text": "b"}, {"type": "input_text", "text": "c"}]),
        {"role": "system", "content": "d"},
        {"role": "user", "content": "e"},
        message("developer", "f"),
        message("assistant", [{"type": "output_text", "text": "g"}, {"type": "refusal", "refusal": "h"}]),
        message("user", [{"type": "text", "text": "i"}]),
        instructions="a",
    ).request
    assert request.system == ["a", "b", "c", "d"]
    assert [(turn["role"], turn["content"]) for turn in request.messages] == [
        ("user", [text("e"), text("<system>\nf\n</system>")]),
        ("assistant", [text("g"), text("h")]),
        ("user", [text("i")]),
    ]


def test_unknown_and_null_members_are_borne() -> None:
    known = message(
        "user", "a", id="x y", status=None, phase="commentary", internal_chat_message_metadata_passthrough={}
    )
    called = call("c", id=None, namespace=None, status="completed", caller=None)
    translated = translate(known, reasoning(None, status=None), called, output("c", None), tools=None, text=None)
    assert translated.warnings == []
    assert translate({**known, "whatever": 1}).warnings == ["input.whatever is not passed on and was left out"]


@pytest.mark.parametrize("given", ["", [], None, [message("user", "")], [message("user", None)]])
def test_an_empty_input_is_answered(given: Any) -> None:
    assert turns(input=given) == [("user", [text(EMPTY)])]


def test_only_instructions_are_what_is_asked() -> None:
    assert turns(input=[], instructions="Say hello.") == [("user", [text("Say hello.")])]
    assert turns(message("developer", "Say hello.")) == [("user", [text("Say hello.")])]


def test_an_input_of_nothing_but_thinking_is_an_empty_one() -> None:
    assert turns(reasoning(THOUGHT)) == [("user", [text(EMPTY)])]
    translated = translate(message("user", "a"), reasoning(THOUGHT))
    assert [turn["content"] for turn in translated.request.messages] == [[text("a")]]
    assert "thinking without an answer" in translated.warnings[0]


def test_thinking_is_native_and_first() -> None:
    items = [message("user", "a"), reasoning(THOUGHT), reasoning(REDACTED), message("assistant", "b"), call("c")]
    answered = [*items, output("c", "d"), reasoning(THOUGHT), call("e"), output("e", "f")]
    assert turns(*answered) == [
        ("user", [text("a")]),
        ("assistant", [THOUGHT, REDACTED, text("b"), tool_use("c")]),
        ("user", [result("c", text("d"))]),
        ("assistant", [THOUGHT, tool_use("e")]),
        ("user", [result("e", text("f"))]),
    ]


def test_thinking_at_the_end_of_an_answer_goes_before_it() -> None:
    items = [message("user", "a"), message("assistant", "b"), reasoning(THOUGHT), message("user", "c")]
    assert turns(*items)[1] == ("assistant", [THOUGHT, text("b")])


def test_a_summary_alone_is_no_thinking() -> None:
    shown = reasoning(None, summary=[{"type": "summary_text", "text": "I think."}])
    translated = translate(message("user", "a"), shown, message("assistant", "b"), message("user", "c"))
    assert translated.request.messages[1]["content"] == [text("b")]
    assert translated.warnings == []


def test_foreign_reasoning_is_left_out_with_one_warning() -> None:
    foreign = [reasoning(None, encrypted_content=sealed) for sealed in ("gAAAA", "dgm1.e30.x", SEALER.seal(text("x")))]
    translated = translate(message("user", "a"), *foreign, message("assistant", "b"), message("user", "c"))
    assert translated.request.messages[1]["content"] == [text("b")]
    assert translated.warnings == ["reasoning that this server did not seal was left out"]


def test_results_come_first_and_in_the_turn_after_their_calls() -> None:
    items = [
        message("user", "a"),
        call("1"),
        call("2"),
        message("user", "wait"),
        output("2", "two"),
        output("1", "one"),
    ]
    assert turns(*items)[1:] == [
        ("assistant", [tool_use("1"), tool_use("2")]),
        ("user", [result("2", text("two")), result("1", text("one")), text("wait")]),
    ]


def test_an_output_after_the_assistant_went_on_belongs_to_the_turn_before() -> None:
    items = [
        call("1"),
        call("2"),
        output("1", "one"),
        message("assistant", "b"),
        output("2", "two"),
        message("user", "c"),
    ]
    assert turns(*items) == [
        ("user", [text(OPENING)]),
        ("assistant", [tool_use("1"), tool_use("2")]),
        ("user", [result("1", text("one")), result("2", text("two"))]),
        ("assistant", [text("b")]),
        ("user", [text("c")]),
    ]


def test_an_id_may_be_used_again() -> None:
    items = [call("1"), output("1", "one"), call("1"), output("1", "two")]
    blocks = [block for _, content in turns(*items) for block in content if block["type"] == "tool_result"]
    assert blocks == [result("1", text("one")), result("1-2", text("two"))]


@pytest.mark.parametrize(
    "items", [[call("a")], [call("a"), message("user", "b")], [call("a"), message("developer", "b")]]
)
def test_a_call_without_output_gets_one(items: list[Any]) -> None:
    assert turns(*items)[-1][1][0] == UNANSWERED_RESULT


@pytest.mark.parametrize(
    "items",
    [
        [message("user", "a"), output("x")],
        [output("x"), call("x")],
        [call("x"), output("x"), output("x")],
        [call("y"), output("x", kind="custom_tool_call_output")],
        [{"type": "tool_search_output", "call_id": "x", "tools": []}],
    ],
)
def test_an_output_without_its_call_is_refused(items: list[Any]) -> None:
    error = refusal(*items)
    at = max(index for index, item in enumerate(items) if item["type"].endswith("output"))
    at = 0 if items[0]["type"].endswith("output") else at
    assert error.param == f"input[{at}].call_id"
    assert "'x'" in error.message


def test_two_open_calls_with_one_id_are_refused() -> None:
    assert refusal(call("x"), call("x")).param == "input[1].call_id"


def test_calls_of_every_kind() -> None:
    items = [
        call("1", arguments='{"a": 12345678901234567890}'),
        call("2", arguments=""),
        call("3", arguments='{"cut'),
        custom_call("4", "patch", "*** Begin\n"),
        {"type": "tool_search_call", "call_id": "5", "execution": "client", "arguments": {"query": "q"}},
        {"type": "tool_search_call", "call_id": None, "execution": "server", "arguments": {}},
    ]
    assert turns(*items)[1][1] == [
        tool_use("1", given={"a": 12345678901234567890}),
        tool_use("2"),
        tool_use("3", given={"_incomplete": '{"cut'}),
        tool_use("4", "patch", {"input": "*** Begin\n"}),
        tool_use("5", "tool_search", {"query": "q"}),
    ]


def test_traces_of_hosted_tools_are_left_out_with_a_warning() -> None:
    kinds = ["mcp_call", "local_shell_call", "shell_call_output", "ghost_snapshot", "mcp_call"]
    translated = translate(message("user", "a"), *({"type": kind, "id": "x", "output": {"a": 1}} for kind in kinds))
    assert [turn["content"] for turn in translated.request.messages] == [[text("a")]]
    assert [warning.split()[5] for warning in translated.warnings] == list(dict.fromkeys(kinds))


def test_an_earlier_search_of_the_web_is_passed_over() -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}
    translated = translate(message("user", "a"), message("assistant", "b"), search, message("assistant", "c"))
    assert translated.request.messages[1]["content"] == [text("b"), text("c")]
    assert translated.warnings == []


@pytest.mark.parametrize("kind", ["compaction", "compaction_summary", "context_compaction"])
def test_a_compaction_is_text_of_the_user_s(kind: str) -> None:
    [(role, blocks)] = turns({"type": kind, "encrypted_content": SEALER.seal(text("So far."))}, message("user", "a"))
    assert role == "user"
    assert blocks[0]["text"].endswith("So far.")
    assert blocks[1] == text("a")


def test_a_trigger_within_a_conversation_has_had_its_effect() -> None:
    item = {"type": "compaction", "encrypted_content": SEALER.seal(text("So far."))}
    translated = translate(message("user", "a"), {"type": "compaction_trigger"}, item, message("user", "b"))
    assert not translated.encoder._head.compaction
    assert translated.request.tool_choice is None


def test_a_compaction_of_others_is_named() -> None:
    thinking = {"type": "compaction", "encrypted_content": SEALER.seal(THOUGHT)}
    translated = translate(thinking, {"type": "compaction", "encrypted_content": "gAAAA"}, message("user", "a"))
    assert translated.warnings == ["a compaction that this server did not seal was left out"]


def test_the_answer_may_be_begun_by_the_client() -> None:
    assert turns(message("user", "a"), message("assistant", "b"))[-1] == ("assistant", [text("b")])


def test_messages_between_agents_are_text_of_the_user_s() -> None:
    names = {"type": "agent_message", "author": "/root", "recipient": "/root/tests"}
    written = {"type": "encrypted_content", "encrypted_content": "Run them."}
    task = {**names, "id": "amsg_1", "content": [{"type": "input_text", "text": "Task:"}, written]}
    bare = {"type": "agent_message", "content": [written]}
    encrypted = {**names, "content": [{"type": "encrypted_content", "encrypted_content": "gAAAAABo"}]}
    translated = translate(task, bare, encrypted, {**names, "content": "Now."}, {**names, "content": None})
    assert [turn["content"] for turn in translated.request.messages] == [
        [
            text("Message from /root to /root/tests:\n\nTask:\n\nRun them."),
            text("Message:\n\nRun them."),
            text("Message from /root to /root/tests:\n\nNow."),
        ]
    ]
    assert translated.warnings == ["input items of the type agent_message that OpenAI has encrypted were left out"]
