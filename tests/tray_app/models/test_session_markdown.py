import pytest

from tray_app.models.sessions.markdown import (
    CODE_CHARACTERS,
    CODE_LINES,
    LINE_CHARACTERS,
    LINE_SEPARATOR,
    PROSE_CHARACTERS,
    PROSE_LINES,
    Code,
    Prose,
    split_code,
    split_markdown,
    split_plain,
)


def test_prose_and_fenced_code_are_blocks_of_their_own():
    text = "Look:\n\n```python\nprint(1)\n```\n\nDone."
    assert list(split_markdown(text)) == [
        Prose("Look:"),
        Code("print(1)", "python", "print(1)"),
        Prose("Done."),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("~~~\na\n```\nb\n~~~", "a\n```\nb"),  # another kind of fence is text
        ("````\n```\ninner\n```\n````", "```\ninner\n```"),  # the closing fence is at least as long as the opening one
        ("  ```sh\n  ls\n    -l\n  ```", "ls\n  -l"),  # in a list: the indent is removed
        ("```\nunfinished", "unfinished"),  # a truncated answer
        ("```\n```", ""),
    ],
)
def test_a_code_block_goes_to_its_own_closing_fence(text, code):
    (block,) = split_markdown(text)
    assert (block.text, block.full_text) == (code, code)


def test_backticks_within_a_line_are_no_fence():
    assert list(split_markdown("```not a fence``` here")) == [Prose("```not a fence``` here")]


def test_a_blank_text_has_no_blocks():
    assert list(split_markdown(" \n\n")) == []


@pytest.mark.parametrize(
    "text",
    [
        "2*3*4 and **5** and _6_",
        "# no heading\n\n\n  - no list\n\ttab  two spaces  \n",
        "```\nno code\n```",
        "<b>&amp;</b>",
        "\n".join(f"line {number}" for number in range(500)),
        "word " * 3000,
        "x" * 5000,
        "short\n" + "y" * 5000 + "\nshort",
    ],
)
def test_plain_text_loses_nothing(text):
    parts = list(split_plain(text))
    assert "".join(part.text for part in parts).replace("\n", "") == text.replace("\n", "")
    assert [part.is_first for part in parts] == [True] + [False] * (len(parts) - 1)
    assert all(len(part.text) <= PROSE_CHARACTERS and part.text.count("\n") < PROSE_LINES for part in parts)
    if len(parts) == 1:
        assert parts[0].text == text


def test_a_blank_plain_text_has_no_parts():
    assert list(split_plain(" \n\n")) == []


def test_an_answer_has_the_breaks_that_it_asks_for_and_no_others():
    assert list(split_markdown("one\ntwo  \nthree")) == [Prose(f"one\ntwo{LINE_SEPARATOR}three")]


def test_long_prose_is_cut_at_a_blank_line():
    paragraph = "word " * 300
    blocks = list(split_markdown("\n\n".join([paragraph] * 20)))
    assert len(blocks) > 3
    assert all(len(block.text) < 2 * PROSE_CHARACTERS for block in blocks)
    assert "".join(block.text for block in blocks).count("word") == 20 * 300


def test_a_megabyte_in_one_line_is_cut_between_words():
    blocks = list(split_markdown("abcdefghi " * 100_000))
    assert all(len(block.text) <= 3 * PROSE_CHARACTERS for block in blocks)
    words = " ".join(block.text for block in blocks).split()
    assert words == ["abcdefghi"] * 100_000


def test_a_long_code_block_comes_in_parts_and_is_copied_whole():
    text = "\n".join(f"line {at}" for at in range(1000))
    parts = list(split_code(text, "log"))
    assert len(parts) == -(-1000 // CODE_LINES)
    assert "\n".join(part.text for part in parts) == text
    assert [part.full_text for part in parts] == [text, *[None] * (len(parts) - 1)]
    assert [part.is_last for part in parts] == [*[False] * (len(parts) - 1), True]


def test_a_megabyte_of_code_in_one_line_is_continued_on_further_lines():
    parts = list(split_code("x" * 1_000_000))
    lines = [line for part in parts for line in part.text.split("\n")]
    assert max(map(len, lines)) == LINE_CHARACTERS
    assert all(len(part.text) <= CODE_CHARACTERS + LINE_CHARACTERS for part in parts)
    assert "".join(lines) == "x" * 1_000_000
