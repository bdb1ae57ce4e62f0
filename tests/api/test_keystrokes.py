"""Which completion takes the place of which."""

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.api.exchange.keystrokes import Keystroke, Keystrokes, is_typed_further
from server.core.errors import RequestSuperseded
from server.dialects.base import TypedText

FILE = "import os\n\n\n" + "".join(
    f"def function_{number}(argument):\n    return {number}\n\n\n" for number in range(40)
)
WORDS = st.text("abc ()\n", max_size=300)


def key(before: str, after: str = "\n", arrival: int = 0, client: str = "editor") -> Keystroke:
    return Keystroke((client,), TypedText(before, after), arrival, lambda error: None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x", "x "),
        (FILE, FILE + "d"),
        (FILE, FILE + "def function_of_a_suggestion_that_was_accepted(x):\n    return x\n"),
        (FILE[:1000], FILE[:1001][-1000:]),
        (FILE[:1000], FILE[:1150][-1000:]),
        (FILE + "ab", FILE + "a"),
    ],
    ids=["first key", "a key", "a suggestion", "a window that moves", "a window that jumps", "backspace"],
)
def test_the_same_text_typed_further(one: str, other: str) -> None:
    assert is_typed_further(key(one), key(other))
    assert is_typed_further(key(other), key(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (key("x = "), key("x = ")),
        (key("x = ", "\n"), key("x = 1", "\ny")),
        (key("x = 1"), key("y = 1")),
        (key(""), key("x")),
        (key(" \n"), key(" \nx")),
        (key("x"), key("x" + "y" * 300)),
        (key(FILE), key(FILE.replace("import os", "import io") + "d")),
    ],
    ids=["equal", "another suffix", "other words", "nothing", "white space", "far away", "another beginning"],
)
def test_other_texts(one: Keystroke, other: Keystroke) -> None:
    assert not is_typed_further(one, other)
    assert not is_typed_further(other, one)


@given(before=WORDS.filter(str.strip), typed=st.text("abc ()\n", min_size=1, max_size=200))
def test_whatever_is_typed_at_the_end_goes_on(before: str, typed: str) -> None:
    assert is_typed_further(key(before), key(before + typed)) or not before[-64:].strip()


@given(before=WORDS, typed=st.text("abc ()\n", max_size=200), other=st.text("xyz", min_size=1, max_size=9))
def test_a_text_with_another_word_in_it_does_not(before: str, typed: str, other: str) -> None:
    assert not is_typed_further(key(other + before[-60:]), key(before + typed))


def test_the_one_that_arrived_later_wins_even_if_it_is_read_first() -> None:
    keystrokes = Keystrokes()
    with ExitStack() as stack:
        stack.enter_context(keystrokes.track(key("x = 1", arrival=2)))
        with pytest.raises(RequestSuperseded):
            stack.enter_context(keystrokes.track(key("x = ", arrival=1)))


def test_older_ones_of_the_client_are_superseded() -> None:
    superseded: list[str] = []
    keystrokes = Keystrokes()

    def tracked(name: str, before: str, arrival: int, client: str = "editor") -> Keystroke:
        return Keystroke((client,), TypedText(before, "\n"), arrival, lambda error: superseded.append(name))

    with ExitStack() as stack:
        stack.enter_context(keystrokes.track(tracked("first", "x =", 1)))
        stack.enter_context(keystrokes.track(tracked("another client's", "x =", 2, "other")))
        stack.enter_context(keystrokes.track(tracked("another text", "y =", 3)))
        stack.enter_context(keystrokes.track(tracked("second", "x = 1", 4)))
        assert superseded == ["first"]
    with keystrokes.track(tracked("third", "x = 12", 5)):
        assert superseded == ["first"]
