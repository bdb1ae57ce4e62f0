import pytest

from server.core.records import Session, SessionSummary
from tray_app.models.sessions.blocks import (
    Collapsible,
    Heading,
    Label,
    OmittedContent,
    Picture,
    build_blocks,
    expand_collapsible,
    flatten_blocks,
    turn_text,
)
from tray_app.models.sessions.markdown import Code, Plain, Prose

SUMMARY = SessionSummary("s", "Title", "ide/1", "opus", 0.0, 0.0, None, False, 0, 0, 0)
CALL = {"type": "tool_use", "id": "call_1", "name": "read_file", "input": {"path": "a.py"}}
RESULT = {"type": "tool_result", "tool_use_id": "call_1", "content": "print(1)"}


def text(text):
    return {"type": "text", "text": text}


def message(role, *content):
    return {"role": role, "content": list(content)}


def blocks(*messages, system=()):
    return build_blocks(Session(SUMMARY, system, messages))


def test_roles_are_headings():
    assert blocks(message("user", text("Hi")), message("assistant", text("Hello"))) == (
        Heading("user", 0),
        Plain("Hi"),
        Heading("assistant", 1),
        Prose("Hello"),
    )


def test_neighbours_of_one_role_have_one_heading():
    assert blocks(message("user", text("a")), message("user", text("b"))) == (
        Heading("user", 0),
        Plain("a"),
        Plain("b"),
    )


def test_the_system_prompt_is_a_collapsible_block_at_the_top():
    (collapsible,) = blocks(system=("Be brief.", "Be kind."))
    assert (collapsible.kind, expand_collapsible(collapsible)) == ("system", (Plain("Be brief.\n\nBe kind."),))
    assert blocks(system=("", " ")) == ()


SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "cats"}}
PAGE = {"type": "web_search_result", "title": "Cats", "url": "https://example.com", "encrypted_content": "x"}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [PAGE]}
ERROR = {"type": "web_search_tool_result_error", "error_code": "unavailable"}


def test_a_search_of_the_web_is_one_block_with_its_pages():
    _, search, said = blocks(message("assistant", SEARCH, FOUND, text("Cats sleep.")))
    assert (search.kind, search.name, search.is_failed, said) == (
        "server_tool",
        "web_search",
        False,
        Prose("Cats sleep."),
    )
    *_, label, pages = expand_collapsible(search)
    assert (label, pages) == (Label("result"), Plain("Cats\nhttps://example.com"))


def test_a_failed_and_a_paused_search():
    _, failed = blocks(message("assistant", SEARCH, {**FOUND, "content": ERROR}))
    assert failed.is_failed
    assert Label("error") in expand_collapsible(failed)
    _, paused = blocks(message("assistant", SEARCH))
    assert expand_collapsible(paused)[-1] == Label("no_result")


def test_results_of_other_server_tools_are_shown_as_they_are():
    call = {**SEARCH, "name": "bash_code_execution"}
    result = {**FOUND, "type": "bash_code_execution_tool_result", "content": {"stdout": "a"}}
    _, ran = blocks(message("assistant", call, result))
    assert isinstance(expand_collapsible(ran)[-1], Code)
    assert '"stdout": "a"' in expand_collapsible(ran)[-1].text


def test_thinking_is_a_collapsible_block_and_empty_thinking_is_nothing():
    _, collapsible = blocks(message("assistant", {"type": "thinking", "thinking": "Hm."}))
    assert (collapsible.kind, expand_collapsible(collapsible)) == ("thinking", (Prose("Hm."),))
    assert blocks(message("assistant", {"type": "thinking", "thinking": ""})) == ()


def test_a_tool_call_opens_to_its_arguments_and_its_result():
    found = blocks(
        message("assistant", text("Let me look."), CALL),
        message("user", RESULT),
        message("assistant", text("It prints.")),
    )
    heading, before, collapsible, after = found
    assert (heading, before, after) == (Heading("assistant", 0), Prose("Let me look."), Prose("It prints."))
    assert (collapsible.name, collapsible.is_failed) == ("read_file", False)
    arguments = '{\n  "path": "a.py"\n}'
    assert expand_collapsible(collapsible) == (
        Label("arguments"),
        Code(arguments, "json", arguments),
        Label("result"),
        Code("print(1)", "", "print(1)"),
    )


def test_a_call_without_a_result_yet_says_so():
    _, collapsible = blocks(message("assistant", CALL))
    assert expand_collapsible(collapsible)[-1] == Label("no_result")


def test_a_failed_tool_says_so():
    _, collapsible = blocks(message("assistant", CALL), message("user", {**RESULT, "is_error": True}))
    assert collapsible.is_failed
    assert Label("error") in expand_collapsible(collapsible)


def test_a_result_whose_call_is_not_there_is_a_collapsible_block_of_its_own():
    heading, collapsible = blocks(message("user", RESULT))
    assert (heading.role, collapsible.kind) == ("user", "tool_result")
    assert expand_collapsible(collapsible) == (Label("result"), Code("print(1)", "", "print(1)"))


def test_a_result_may_hold_an_image():
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    _, collapsible = blocks(message("assistant", CALL), message("user", {**RESULT, "content": [text("see"), image]}))
    assert expand_collapsible(collapsible)[-2:] == (Code("see", "", "see"), Picture("image/png", "AAAA"))


@pytest.mark.parametrize(
    ("content_block", "expected"),
    [
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
            Picture("image/png", "AAAA"),
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
            Picture("", None, "https://x.test/a.png"),
        ),
        ({"type": "image"}, Picture("", None)),
        (
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "A"}},
            OmittedContent("document", "application/pdf"),
        ),
        ({"type": "redacted_thinking", "data": "x"}, OmittedContent("redacted_thinking")),
        ({}, OmittedContent("")),
    ],
)
def test_content_that_is_not_text(content_block, expected):
    assert blocks(message("user", content_block)) == (Heading("user", 0), expected)


def test_expanded_blocks_are_followed_by_their_bodies():
    collapsible = Collapsible((0, 0), "tool_call", "a", CALL)
    body = (Label("arguments"),)
    assert flatten_blocks([collapsible, Prose("x")], {(0, 0): body}) == [
        (collapsible, False),
        (body[0], True),
        (Prose("x"), False),
    ]
    assert flatten_blocks([collapsible], {}) == [(collapsible, False)]


def test_the_text_of_a_turn_goes_over_tool_results_to_the_next_role():
    messages = [
        message("user", text("Question")),
        message("assistant", text("Let me look."), CALL),
        message("user", RESULT),
        message("assistant", text("It prints.")),
        message("user", text("Thanks")),
    ]
    assert turn_text(messages, 1) == "Let me look.\n\nIt prints."
    assert turn_text(messages, 0) == "Question"
    assert turn_text(messages, 4) == "Thanks"
