import pytest

from tray_app.models.session_markdown import (
    CODE_CHARACTERS,
    CODE_LINES,
    LINE_CHARACTERS,
    LINE_SEPARATOR,
    PROSE_CHARACTERS,
    Code,
    Prose,
    split_code,
    split_markdown,
)


def test_prose_and_fenced_code_are_pieces_of_their_own():
    text = "Look:\n\n```python\nprint(1)\n```\n\nDone."
    assert list(split_markdown(text)) == [
        Prose("Look:"),
        Code("print(1)", "python", "print(1)"),
        Prose("Done."),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("~~~\na\n```\nb\n~~~", "a\n```\nb"),  # the other fence is text
        ("````\n```\ninner\n```\n````", "```\ninner\n```"),  # a longer one closes a longer one
        ("  ```sh\n  ls\n    -l\n  ```", "ls\n  -l"),  # in a list: less its indent
        ("```\nunfinished", "unfinished"),  # an answer that was cut
        ("```\n```", ""),
    ],
)
def test_a_code_block_goes_to_its_own_closing_fence(text, code):
    (piece,) = split_markdown(text)
    assert (piece.text, piece.whole) == (code, code)


def test_backticks_within_a_line_are_no_fence():
    assert list(split_markdown("```not a fence``` here")) == [Prose("```not a fence``` here")]


def test_a_blank_text_has_no_pieces():
    assert list(split_markdown(" \n\n")) == []


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("one\ntwo\n\nthree", "one/two\n\nthree"),
        ("# Title\ntext", "# Title\ntext"),
        ("text\n- a\n- b\n  goes on", "text\n- a\n- b/  goes on"),
        ("text\n1. a\n2. b", "text\n1. a\n2. b"),
        ("text\n> said", "text\n> said"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("a | b\n--|--\n1 | 2", "a | b\n--|--\n1 | 2"),
        ("text\n---\nmore", "text\n---\nmore"),
        ("text\n\n    code\n    code", "text\n\n    code\n    code"),
        ("-5 degrees\n+3 tomorrow", "-5 degrees/+3 tomorrow"),
    ],
)
def test_the_lines_that_a_person_typed_stay_lines(typed, shown):
    assert list(split_markdown(typed, keep_lines=True)) == [Prose(shown.replace("/", LINE_SEPARATOR))]


def test_an_answer_has_the_breaks_that_it_asks_for_and_no_others():
    assert list(split_markdown("one\ntwo  \nthree")) == [Prose(f"one\ntwo{LINE_SEPARATOR}three")]


def test_long_prose_is_cut_at_a_blank_line():
    paragraph = "word " * 300
    pieces = list(split_markdown("\n\n".join([paragraph] * 20)))
    assert len(pieces) > 3
    assert all(len(piece.text) < 2 * PROSE_CHARACTERS for piece in pieces)
    assert "".join(piece.text for piece in pieces).count("word") == 20 * 300


def test_a_megabyte_in_one_line_is_cut_between_words():
    pieces = list(split_markdown("abcdefghi " * 100_000))
    assert all(len(piece.text) <= 3 * PROSE_CHARACTERS for piece in pieces)
    words = " ".join(piece.text for piece in pieces).split()
    assert words == ["abcdefghi"] * 100_000


def test_a_long_code_block_comes_in_parts_and_is_copied_whole():
    text = "\n".join(f"line {at}" for at in range(1000))
    parts = list(split_code(text, "log"))
    assert len(parts) == -(-1000 // CODE_LINES)
    assert "\n".join(part.text for part in parts) == text
    assert [part.whole for part in parts] == [text, *[None] * (len(parts) - 1)]
    assert [part.last for part in parts] == [*[False] * (len(parts) - 1), True]


def test_a_megabyte_of_code_in_one_line_is_continued_on_further_lines():
    parts = list(split_code("x" * 1_000_000))
    lines = [line for part in parts for line in part.text.split("\n")]
    assert max(map(len, lines)) == LINE_CHARACTERS
    assert all(len(part.text) <= CODE_CHARACTERS + LINE_CHARACTERS for part in parts)
    assert "".join(lines) == "x" * 1_000_000
