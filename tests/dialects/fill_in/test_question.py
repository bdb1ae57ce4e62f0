"""A completion as a question to a chat model."""

from hypothesis import given
from hypothesis import strategies as st

from server.dialects.fill_in import Prompt, make_question

TEXT = st.text(max_size=40)
PROMPTS = st.builds(Prompt, TEXT, TEXT | st.none(), st.lists(TEXT.filter(str.strip), max_size=2).map(tuple), TEXT, TEXT)


def texts(prompt: Prompt) -> list[str]:
    (turn,) = make_question(prompt).messages
    return [block["text"] for block in turn["content"]]


def test_the_hole_is_a_tag_in_the_text() -> None:
    first, task = texts(Prompt("def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n"))
    assert first == "def add(a, b):\n    return <fill-in/>\n\nprint(add(1, 2))\n"
    assert "\n    return <fill-in/>\n" in task


def test_a_text_to_continue_is_a_block_of_its_own() -> None:
    assert texts(Prompt("Once upon a time "))[0] == "Once upon a time "


def test_an_instruction_is_the_whole_turn() -> None:
    prompt = Prompt("Fill the hole.\n<COMPLETION>", is_instruction=True)
    assert texts(prompt) == ["Fill the hole.\n<COMPLETION>"]
    assert make_question(prompt).closing == ""


def test_files_precede_the_text() -> None:
    prompt = Prompt("a", "b", files=("cart.py\nx = 1",), repository="shop", path="pay.py")
    assert texts(prompt)[:-1] == [
        "Repository: shop",
        "Another file of the repository:\ncart.py\nx = 1",
        "The file with the hole: pay.py",
        "a<fill-in/>b",
    ]


def test_the_tag_is_one_that_the_text_has_not() -> None:
    question = make_question(Prompt("<fill-in>", "fill-in-2"))
    assert (question.opening, question.closing) == ("<fill-in-3>", "</fill-in-3>")


@given(PROMPTS)
def test_the_text_reaches_the_model_whole_and_no_block_is_blank(prompt: Prompt) -> None:
    blocks = texts(prompt)
    question = make_question(prompt)
    tag = question.opening.replace(">", "/>")
    assert any(block in (prompt.prefix, f"{prompt.prefix}{tag}{prompt.suffix or ''}") for block in blocks)
    assert all(block.strip() for block in blocks)
    assert blocks[-1] == blocks[-1].rstrip()
    assert question.closing[2:-1] not in prompt.prefix + (prompt.suffix or "")
