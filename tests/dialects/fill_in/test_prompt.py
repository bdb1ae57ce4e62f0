"""Prompts with a code model's markers."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.dialects.fill_in import Prompt, drop_markers, read_prompt

TEMPLATES = {
    "Qwen, CodeGemma": "<|fim_prefix|>{A}<|fim_suffix|>{B}<|fim_middle|>",
    "StarCoder": "<fim_prefix>{A}<fim_suffix>{B}<fim_middle>",
    "SantaCoder": "<fim-prefix>{A}<fim-suffix>{B}<fim-middle>",
    "CodeLlama": "<PRE> {A} <SUF>{B} <MID>",
    "Codestral": "[SUFFIX]{B}[PREFIX]{A}",
    "DeepSeek": "<｜fim▁begin｜>{A}<｜fim▁hole｜>{B}<｜fim▁end｜>",
    "GLM": "<|code_prefix|>{A}<|code_suffix|>{B}<|code_middle|>",
    "CodeGeeX": "<|user|>\n<|code_suffix|>{B}<|code_prefix|>{A}<|code_middle|><|assistant|>\n",
    "StarCoder, suffix first": "<fim_prefix><fim_suffix>{B}<fim_middle>{A}",
    "CodeLlama, suffix first": "<PRE> <SUF>{B} <MID> {A}",
}
CODE = st.text(
    st.sampled_from("ab(){}=:.\"' \t\n") | st.characters(exclude_characters="<[|｜", codec="utf-8"), max_size=60
)


def fill(template: str, prefix: str, suffix: str) -> str:
    return template.replace("{A}", prefix).replace("{B}", suffix)


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
@given(prefix=CODE, suffix=CODE)
@example(prefix="  ", suffix="\n ")
@example(prefix="", suffix="")
def test_the_text_around_the_hole_is_read_exactly(template: str, prefix: str, suffix: str) -> None:
    assert read_prompt(fill(template, prefix, suffix)) == Prompt(prefix, suffix)


@given(prompt=CODE, suffix=CODE)
def test_a_prompt_without_markers_is_kept(prompt: str, suffix: str) -> None:
    assert read_prompt(prompt, suffix) == Prompt(prompt, suffix or None)
    assert read_prompt(prompt) == Prompt(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "the marker <|fim_prefix|> alone",
        "<|fim_prefix|>a<|fim_suffix|>b",
        "<fim_suffix>b<fim_middle>",
        "see [PREFIX] and then [SUFFIX]",
        "<|fim_prefix|>a<fim_suffix>b<|fim_middle|>",
    ],
)
def test_incomplete_markers_are_text(prompt: str) -> None:
    assert read_prompt(prompt) == Prompt(prompt)


def test_markers_beside_the_field_suffix_are_text() -> None:
    prompt = fill(TEMPLATES["StarCoder"], "a", "b")
    assert read_prompt(prompt, "\nc") == Prompt(prompt, "\nc")


def test_a_header_names_the_repository_and_its_files() -> None:
    header = "<|repo_name|>shop\n<|file_sep|>cart.py\nclass Cart:\n    pass\n<|file_sep|>pay.py\n"
    assert read_prompt(header + fill(TEMPLATES["Qwen, CodeGemma"], "def pay(", "):\n")) == Prompt(
        "def pay(", "):\n", files=("cart.py\nclass Cart:\n    pass",), repository="shop", path="pay.py"
    )


def test_files_without_paths_stay_whole() -> None:
    header = "<file_sep>a = 1\nb = 2<file_sep>c = 3\nd = 4<file_sep>"
    prompt = read_prompt(header + fill(TEMPLATES["StarCoder"], "e", ""))
    assert prompt == Prompt("e", "", files=("a = 1\nb = 2", "c = 3\nd = 4"))


def test_text_before_the_markers_is_another_file() -> None:
    prompt = read_prompt("// cart.ts\nexport {}\n\n" + fill(TEMPLATES["Codestral"], "a", "b"))
    assert prompt == Prompt("a", "b", files=("// cart.ts\nexport {}",))


def test_a_tag_that_a_stop_sequence_closes_marks_an_instruction() -> None:
    prompt = "Fill the {{FILL_HERE}} hole.\n<COMPLETION>"
    assert read_prompt(prompt, None, ["</COMPLETION>"]) == Prompt(prompt, is_instruction=True)
    assert read_prompt(prompt, None, ["</QUERY>"]) == Prompt(prompt)


def test_markers_are_dropped_from_stop_sequences() -> None:
    markers = [
        "<|endoftext|>", "<|file_separator|>", "<|fim_pad|>", "<|fim_prefix|>", "<fim_middle>", "<PRE>", "<EOT>",
        "[PREFIX]", "<｜end▁of▁sentence｜>", "<|code_middle|>", "<file_sep>", "</s>", "<|im_end|>", "</fim_middle>",
    ]  # fmt: skip
    assert drop_markers(["\n", *markers, "//", "", "</code>", "\n", "<div>", "||", "<||>"]) == [
        "\n", "//", "</code>", "<div>", "||", "<||>",
    ]  # fmt: skip
