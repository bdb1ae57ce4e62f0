"""Messages of every role become a system prompt and valid turns."""

import orjson
import pytest

from server.core.messages import MAX_INPUT_DEPTH
from server.dialects.turn_builder import EMPTY, OPENING, UNANSWERED
from tests.dialects.chat_completions.samples import (
    PNG,
    call_message,
    data_url,
    image_block,
    image_part,
    refusal,
    result_message,
    text_part,
    translate,
)


def user(content):
    return {"role": "user", "content": content}


def system(content, role="system"):
    return {"role": role, "content": content}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


def turns_of(*messages):
    """The turns, as role and blocks."""
    request = translate(*messages).request
    return [(turn["role"], turn["content"]) for turn in request.messages]


def tool_use(id, name="look", **input):
    return {"type": "tool_use", "id": id, "name": name, "input": input}


def result(id, text=None, **more):
    content = {} if text is None else {"content": [text_part(text)]}
    return {"type": "tool_result", "tool_use_id": id, **content, **more}


ABANDONED = {"is_error": True, "content": [text_part(UNANSWERED)]}
T = text_part


@pytest.mark.parametrize(
    ("messages", "expected_system", "expected_turns"),
    [
        ([user("hi")], [], [("user", [T("hi")])]),
        ([system("a"), system("b", "developer"), user("hi")], ["a", "b"], [("user", [T("hi")])]),
        ([system([T("a"), T("b")]), user("hi")], ["a", "b"], [("user", [T("hi")])]),
        ([system(""), user("hi")], [], [("user", [T("hi")])]),
        (
            [user("a"), system("now be brief"), user("b")],
            [],
            [("user", [T("a"), T("<system>\nnow be brief\n</system>"), T("b")])],
        ),
        (
            [user("a"), assistant("b"), system("x"), user("c")],
            [],
            [("user", [T("a")]), ("assistant", [T("b")]), ("user", [T("<system>\nx\n</system>"), T("c")])],
        ),
        (
            [user("a"), assistant("b"), system("x", "developer")],
            [],
            [("user", [T("a")]), ("assistant", [T("b")]), ("user", [T("<system>\nx\n</system>")])],
        ),
        ([system("a")], [], [("user", [T("a")])]),
        ([system("a"), system("b")], ["a"], [("user", [T("b")])]),
    ],
)
def test_system_messages_stay_where_they_are_said(messages, expected_system, expected_turns):
    request = translate(*messages).request
    assert list(request.system) == expected_system
    assert [(turn["role"], turn["content"]) for turn in request.messages] == expected_turns


def test_neighbours_of_one_role_are_one_turn():
    assert turns_of(user("a"), user("b"), assistant("c"), assistant("d"), user("e")) == [
        ("user", [T("a"), T("b")]),
        ("assistant", [T("c"), T("d")]),
        ("user", [T("e")]),
    ]


@pytest.mark.parametrize("empty", ["", " \n", [], [T("")], [T(" "), T("\t")]], ids=repr)
def test_empty_messages_are_left_out(empty):
    assert turns_of(user(empty), user("a"), assistant(empty), user("b")) == [("user", [T("a"), T("b")])]


@pytest.mark.parametrize("empty", ["", " \n", [], [T("")]], ids=repr)
@pytest.mark.parametrize(
    ("before", "after"),
    [([], []), ([user("a"), assistant("b")], []), ([user("a"), assistant("b")], [assistant("c"), user("d")])],
)
def test_a_turn_of_nothing_but_an_empty_message_says_so(before, after, empty):
    call = translate(*before, user(empty), *after)
    turns = [*before, user(EMPTY), *after]
    assert list(call.request.messages) == [{**turn, "content": [T(turn["content"])]} for turn in turns]
    assert [EMPTY in warning for warning in call.warnings] == [True]


def test_an_empty_message_behind_a_tool_s_result_is_left_out():
    messages = [user("q"), call_message(("a", "look")), result_message("a", "A"), user("")]
    assert turns_of(*messages)[-1] == ("user", [result("a", "A")])


class TestNames:
    @pytest.mark.parametrize(
        ("content", "name", "blocks"),
        [
            ("hi", "Ann", [T("Ann: hi")]),
            ("hi", " ", [T("hi")]),
            ("hi", None, [T("hi")]),
            ("Ann: hi", "Ann", [T("Ann: hi")]),
            ("", "Ann", [T(EMPTY)]),
            ([T("a"), T("b")], "Ann", [T("Ann: a"), T("b")]),
            ([image_part(data_url(PNG, "image/png"))], "Ann", [T("Ann:"), image_block(PNG, "image/png")]),
        ],
    )
    def test_of_users_stand_before_their_words(self, content, name, blocks):
        assert turns_of({**user(content), "name": name}) == [("user", blocks)]

    def test_of_several_users_in_one_turn(self):
        request = translate({**user("hi"), "name": "Ann"}, {**user("ho"), "name": "Bob"})
        assert request.request.messages[0]["content"] == [T("Ann: hi"), T("Bob: ho")]
        assert request.warnings == []

    def test_the_only_one_of_the_assistant_is_told_it(self):
        request = translate(system("s"), user("a"), assistant("b", name="Max"), assistant("c"), user("d")).request
        assert list(request.system) == ["s", "Your name in this conversation is Max."]
        assert request.messages[1]["content"] == [T("b"), T("c")]

    def test_several_ones_of_the_assistant_stand_before_its_words(self):
        call = call_message(("x", "look"))
        messages = [user("a"), assistant("b", name="Max"), assistant("c", name="Eva"), {**call, "name": "Eva"}]
        request = translate(*messages, result_message("x", "A"), assistant("d")).request
        assert request.system == []
        assert request.messages[1]["content"] == [T("Max: b"), T("Eva: c"), tool_use("x")]
        assert request.messages[3]["content"] == [T("d")]

    def test_of_examples_are_their_tags(self):
        first, second = {**system("ask"), "name": "example_user"}, {**system("tell"), "name": "example_assistant"}
        request = translate(system("s"), first, second, {**system("be kind"), "name": "Boss"}, user("a")).request
        examples = ["<example_user>\nask\n</example_user>", "<example_assistant>\ntell\n</example_assistant>"]
        assert list(request.system) == ["s", *examples, "Boss: be kind"]

    def test_of_tools_say_nothing_new(self):
        messages = [user("q"), call_message(("a", "look")), {**result_message("a", "A"), "name": "look"}]
        call = translate(*messages)
        assert call.request.messages[-1]["content"] == [result("a", "A")]
        assert call.warnings == []


def test_white_space_between_texts_is_kept():
    assert turns_of(user([T("\n"), T("a"), T("\n"), T("b"), T(" ")])) == [("user", [T("\na\n"), T("b ")])]


def test_white_space_around_an_image_is_left_out():
    content = [T("\n"), image_part(data_url(PNG, "image/png")), T(" "), T("a")]
    assert turns_of(user(content)) == [("user", [image_block(PNG, "image/png"), T(" a")])]


def test_a_last_message_of_the_assistant_stays_the_last():
    assert turns_of(user("a"), assistant("The answer is")) == [
        ("user", [T("a")]),
        ("assistant", [T("The answer is")]),
    ]


def test_a_conversation_that_the_assistant_begins_gets_an_opening():
    assert turns_of(system("s"), assistant("Hello!"), user("hi")) == [
        ("user", [T(OPENING)]),
        ("assistant", [T("Hello!")]),
        ("user", [T("hi")]),
    ]


def test_what_clients_send_back_beside_the_content():
    answer = assistant("b", refusal="no", reasoning_content="hm", audio=None, annotations=[], name="bot")
    assert turns_of(user("a"), answer, user("c"))[1] == ("assistant", [T("b"), T("no")])


def test_a_refusal_part_is_text():
    content = [{"type": "refusal", "refusal": "I will not"}]
    assert turns_of(user("a"), assistant(content), user("b"))[1] == ("assistant", [T("I will not")])


class TestToolCalls:
    def test_results_come_before_the_words_of_their_turn(self):
        calls = call_message(("a", "look", '{"x": 1}'), ("b", "go"), content="Let me see.")
        messages = [user("q"), calls, result_message("b", "B"), user("and?"), result_message("a", [T("A")])]
        assert turns_of(*messages)[1:] == [
            ("assistant", [T("Let me see."), tool_use("a", x=1), tool_use("b", "go")]),
            ("user", [result("b", "B"), result("a", "A"), T("and?")]),
        ]

    def test_an_image_in_a_result(self):
        image = image_part(data_url(PNG, "image/png"))
        last = turns_of(user("q"), call_message(("a", "look")), result_message("a", [T("see"), image]))[-1]
        assert last == ("user", [{**result("a"), "content": [T("see"), image_block(PNG, "image/png")]}])

    @pytest.mark.parametrize("content", ["", " ", None, []], ids=repr)
    def test_a_result_without_content(self, content):
        messages = [user("q"), call_message(("a", "look")), result_message("a", content)]
        assert turns_of(*messages)[-1] == ("user", [result("a")])

    def test_an_abandoned_call_is_answered_with_an_error(self):
        messages = [user("q"), call_message(("a", "look"), ("b", "go")), result_message("b", "B"), user("never mind")]
        assert turns_of(*messages)[-1] == ("user", [result("b", "B"), result("a", **ABANDONED), T("never mind")])

    def test_abandoned_at_the_very_end(self):
        assert turns_of(user("q"), call_message(("a", "look")))[-1] == ("user", [result("a", **ABANDONED)])

    def test_calls_in_neighbouring_messages_are_parallel(self):
        calls = [call_message(("a", "look")), call_message(("b", "look"))]
        assert turns_of(user("q"), *calls, result_message("a", "A"), result_message("b", "B"))[1:] == [
            ("assistant", [tool_use("a"), tool_use("b")]),
            ("user", [result("a", "A"), result("b", "B")]),
        ]

    def test_ids_of_other_providers(self):
        one = [call_message(("functions.look:0", "look")), result_message("functions.look:0", "1")]
        turns = turns_of(user("q"), *one, *one, *one)
        ids = ["functions_look_0", "functions_look_0-2", "functions_look_0-3"]
        assert [blocks[0]["id"] for role, blocks in turns if role == "assistant"] == ids
        assert [blocks[0]["tool_use_id"] for role, blocks in turns[1:] if role == "user"] == ids

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ("", {}),
            ("null", {}),
            (' {"a" : [1, 2.5]} ', {"a": [1, 2.5]}),
            ('{"a": "hal', {"_incomplete": '{"a": "hal'}),
            ("[1]", {"_incomplete": "[1]"}),
        ],
    )
    def test_arguments(self, arguments, expected):
        call = call_message(("a", "look"))
        call["tool_calls"][0]["function"]["arguments"] = arguments
        assert turns_of(user("q"), call, result_message("a", "A"))[1][1] == [tool_use("a") | {"input": expected}]

    def test_a_custom_call_in_the_history(self):
        custom = {"id": "a", "type": "custom", "custom": {"name": "shell", "input": "ls"}}
        call = assistant(None, tool_calls=[custom])
        assert turns_of(user("q"), call, result_message("a", "A"))[1][1] == [tool_use("a", "shell", input="ls")]

    def test_functions_of_old(self):
        def called(x):
            return assistant(None, function_call={"name": "look", "arguments": f'{{"x": {x}}}'})

        def answered(text):
            return {"role": "function", "name": "look", "content": text}

        turns = turns_of(user("q"), called(1), answered("one"), called(2), answered(None), user("so?"))
        assert turns[1:] == [
            ("assistant", [tool_use("function_call_0", x=1)]),
            ("user", [result("function_call_0", "one")]),
            ("assistant", [tool_use("function_call_1", x=2)]),
            ("user", [result("function_call_1"), T("so?")]),
        ]


CALL = call_message(("a", "look"))


def deep(levels):
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize("levels", [MAX_INPUT_DEPTH + 1, 300, 5000])
def test_arguments_that_are_too_deep_to_be_passed_on(levels):
    call = call_message(("a", "look"), ("b", "look"))
    call["tool_calls"][1]["function"]["arguments"] = deep(levels)
    of_old = assistant(None, function_call={"name": "look", "arguments": deep(levels)})
    for message, param in ((call, "tool_calls[1].function.arguments"), (of_old, "function_call.arguments")):
        error = refusal(user("q"), message)
        assert error.param == f"messages[1].{param}"
        assert "deeper than 100 levels" in str(error)


def test_the_deepest_arguments_are_passed_on():
    call = call_message(("a", "look"))
    call["tool_calls"][0]["function"]["arguments"] = deep(MAX_INPUT_DEPTH)
    [(_, [_]), (_, [block]), _] = turns_of(user("q"), call, result_message("a", "A"))
    assert orjson.dumps(block["input"]).decode() == deep(MAX_INPUT_DEPTH)


@pytest.mark.parametrize(
    ("messages", "param", "words"),
    [
        ([assistant("")], "messages", "no content"),
        ([system("")], "messages", "no content"),
        ([{"content": "a"}], "messages[0].role", "missing"),
        ([{"role": "robot", "content": "a"}], "messages[0].role", "'robot'"),
        ([{"role": 1, "content": "a"}], "messages[0].role", "is 1"),
        (["hi"], "messages[0]", "an object"),
        ([{"role": "user"}], "messages[0].content", "missing"),
        ([user(None)], "messages[0].content", "missing"),
        ([system(None), user("a")], "messages[0].content", "missing"),
        ([user(5)], "messages[0].content", "a string or a list"),
        ([user({"type": "text"})], "messages[0].content", "a string or a list"),
        ([user("a"), assistant(7)], "messages[1].content", "a string or a list"),
        ([user("a"), assistant("b", refusal=1)], "messages[1].refusal", "a string"),
        ([{**user("a"), "name": 1}], "messages[0].name", "a string"),
        ([user("a"), result_message("a", "A")], "messages[1].tool_call_id", "'a'"),
        ([user("q"), CALL, result_message("z", "A")], "messages[2].tool_call_id", "'z'"),
        ([user("q"), CALL, result_message("a", ""), result_message("a", "")], "messages[3].tool_call_id", "'a'"),
        ([user("q"), CALL, user("x"), assistant("y"), result_message("a", "")], "messages[4].tool_call_id", "'a'"),
        ([user("q"), CALL, {"role": "tool", "content": ""}], "messages[2].tool_call_id", "missing"),
        ([user("q"), CALL, CALL], "messages[2].tool_calls[0].id", "'a'"),
        ([user("q"), call_message(("", "look"))], "messages[1].tool_calls[0].id", "empty"),
        ([user("q"), call_message(("a", ""))], "messages[1].tool_calls[0].function.name", "empty"),
        ([user("q"), assistant("", tool_calls=[{"id": "a"}])], "messages[1].tool_calls[0].function", "missing"),
        ([user("q"), assistant("", tool_calls={})], "messages[1].tool_calls", "a list"),
        ([user("q"), {"role": "function", "name": "f", "content": ""}], "messages[1].name", "'f'"),
        ([user("q"), CALL, {"role": "function", "name": "look", "content": ""}], "messages[2].name", "'look'"),
    ],
)
def test_refused_with_the_path_of_the_field(messages, param, words):
    error = refusal(*messages)
    assert error.param == param
    assert words in str(error)
    assert error.hint


@pytest.mark.parametrize("messages", [None, [], "hi", {}], ids=repr)
def test_messages_have_to_be_a_list_of_some(messages):
    error = refusal(messages=messages)
    assert error.param == "messages"
