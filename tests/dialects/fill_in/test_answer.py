"""The missing characters in a chat model's answer."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.dialects.fill_in import AnswerCutter, Prompt, make_question

OPEN, CLOSE = "<fill-in>", "</fill-in>"
HOLE = Prompt("def add(a, b):\n    return ", "\n\ndef sub(a, b):\n")
TEXT = st.text(
    st.sampled_from("ab1(){}=\"' \t\n\r") | st.characters(exclude_characters="<`", codec="utf-8"), max_size=60
)


def cut(prompt: Prompt, *deltas: str) -> str:
    cutter = AnswerCutter(prompt, make_question(prompt))
    text = ""
    for delta in deltas:
        text += cutter.feed(delta)
        if cutter.ended:
            break
    return text + cutter.finish()


def pieces(text: str, ends: list[int]) -> list[str]:
    """`text` cut at the ends, modulo its length."""
    at = sorted({0, len(text), *(end % (len(text) + 1) for end in ends)})
    return [text[start:stop] for start, stop in pairwise(at)]


CUTS = st.lists(st.integers(0, 1000), max_size=8)


@given(answer=TEXT, prefix=TEXT, suffix=TEXT | st.none(), cuts=CUTS)
def test_every_character_between_the_tags_comes_out(
    answer: str, prefix: str, suffix: str | None, cuts: list[int]
) -> None:
    prompt = Prompt(prefix, suffix)
    assume(not repeats(answer, prompt))
    whole = f"\n{OPEN}{answer}{CLOSE} That is all."
    assert cut(prompt, *pieces(whole, cuts)) == answer


@given(answer=TEXT, prefix=TEXT, suffix=TEXT | st.none(), cuts=CUTS)
def test_an_answer_without_tags_comes_out_as_it_is(
    answer: str, prefix: str, suffix: str | None, cuts: list[int]
) -> None:
    prompt = Prompt(prefix, suffix)
    assume(not repeats(answer, prompt))
    assert cut(prompt, *pieces(answer, cuts)) == answer


def repeats(answer: str, prompt: Prompt) -> bool:
    """Whether the answer begins with an end of the prefix or ends with a beginning of the suffix."""
    begins = any(answer.startswith(prompt.prefix[at:]) for at in range(len(prompt.prefix)))
    suffix = prompt.suffix or ""
    return begins or any(answer.endswith(suffix[:end]) for end in range(1, len(suffix) + 1))


@given(
    text=st.lists(st.sampled_from([*"<>/`fil-n ab\n(),;", OPEN, CLOSE, "```py\n", "\n```"]), max_size=30).map("".join),
    cuts=CUTS,
)
def test_the_deltas_boundaries_do_not_matter(text: str, cuts: list[int]) -> None:
    for prompt in (HOLE, Prompt("foo(", ")\n"), Prompt("ab ")):
        assert cut(prompt, *pieces(text, cuts)) == cut(prompt, text)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (f"{OPEN}a + b{CLOSE}", "a + b"),
        (f"{OPEN}  a + b \n{CLOSE}", "  a + b \n"),
        (f"{OPEN}{CLOSE}", ""),
        ("a + b", "a + b"),
        (f"a + b{CLOSE}", "a + b"),
        ("```python\na + b\n```", "a + b"),
        ("```\n    a + b\n```\nIt adds.", "    a + b"),
        (f"{OPEN}\n```python\na + b\n```\n{CLOSE}", "a + b"),
        (f"```xml\n{OPEN}a + b{CLOSE}\n```", "a + b"),
        (f"{OPEN}a + b</fill-", "a + b"),
        (f"{OPEN}a </", "a </"),
        (f"{OPEN}    return a + b{CLOSE}", "a + b"),
        ("return a + b", "a + b"),
        ("def add(a, b):\n    return a + b", "a + b"),
        ("def add(a, b, c", "def add(a, b, c"),
        (f"{OPEN}a + b\n\ndef sub(a, b):{CLOSE}", "a + b"),
        (f"{OPEN}a + b\n\ndef sub(a, b):\n{CLOSE}", "a + b"),
        (f"{OPEN}a + b\n{CLOSE}", "a + b\n"),
        ("`a`", "`a`"),
    ],
)
def test_what_is_not_missing_is_removed(answer: str, expected: str) -> None:
    assert cut(HOLE, answer) == expected
    assert cut(HOLE, *answer) == expected


@pytest.mark.parametrize(
    ("prefix", "suffix", "answer", "expected"),
    [
        ("foo(", ")\n", "a, b)", "a, b"),
        ("foo(bar(", ")\n", "a)", "a)"),
        ("foo(", ");\n", "a);", "a"),
        ("foo(", ")", "a", "a"),
        ("x = [", "]\n", "1, (2, 3)]", "1, (2, 3)"),
        ("if x:\n", "\n", "    y = 1\n", "    y = 1\n"),
    ],
)
def test_a_bracket_is_not_closed_twice(prefix: str, suffix: str, answer: str, expected: str) -> None:
    assert cut(Prompt(prefix, suffix), answer) == expected


def test_fences_stay_in_a_text_that_has_some() -> None:
    prompt = Prompt("Run this:\n", "\n\nThen:\n```sh\nls\n```\n")
    assert cut(prompt, "```sh\ncd /\n```") == "```sh\ncd /\n```"


def test_fences_stay_in_a_continuation() -> None:
    assert cut(Prompt("Show a command."), "```sh\nls\n```") == "```sh\nls\n```"


def test_the_first_characters_are_not_held_back() -> None:
    cutter = AnswerCutter(HOLE, make_question(HOLE))
    assert cutter.feed("a") == "a"
    assert cutter.feed(" + b") == " + b"


def test_the_closing_tag_ends_the_answer() -> None:
    cutter = AnswerCutter(HOLE, make_question(HOLE))
    assert not cutter.ended
    assert cutter.feed(f"{OPEN}a{CLOSE}b") == "a"
    assert cutter.ended


def test_the_answer_to_an_instruction_is_left_alone() -> None:
    prompt = Prompt("Fill it.\n<COMPLETION>", is_instruction=True)
    assert cut(prompt, f"```\n{OPEN} x{CLOSE}\n```") == f"```\n{OPEN} x{CLOSE}\n```"
