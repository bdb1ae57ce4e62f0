"""The markers with which code models are shown a text with a hole.

Editors build such prompts for models that take plain text. Sources: the model cards of Qwen2.5-Coder, StarCoder2,
CodeLlama, Codestral, DeepSeek-Coder, CodeGemma and CodeGeeX4; the prompts of Zed, Continue and twinny.
"""

import re
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True, slots=True)
class Hole:
    """A text with a hole; `header` is what the prompt has before it."""

    prefix: str
    suffix: str
    header: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """The markers of a model family.

    `middle` comes last; what a prompt has after it is the beginning of the missing text. It is empty where the family
    has none; then the suffix must come first. `padded` markers are set off from the text by one space.
    """

    prefix: str
    suffix: str
    middle: str
    padded: bool = False

    def read(self, prompt: str) -> Hole | None:
        """The hole in `prompt`, or None if the markers are not all there."""
        begin, hole = prompt.find(self.prefix), prompt.find(self.suffix)
        end = prompt.rfind(self.middle) if self.middle else len(prompt)
        if min(begin, hole) < 0 or end < max(begin, hole) or (not self.middle and begin < hole):
            return None
        before = prompt[begin + len(self.prefix) : hole if begin < hole else end]
        behind = prompt[hole + len(self.suffix) : end if begin < hole else begin]
        after = prompt[end + len(self.middle) :].removeprefix(_ANSWER_HEAD)
        if self.padded:
            before, behind = before.removeprefix(" ").removesuffix(" "), behind.removesuffix(" ")
            after = after.removeprefix(" ")
        return Hole(before + after, behind, prompt[: min(begin, hole)])


_ANSWER_HEAD = "<|assistant|>\n"  # CodeGeeX: the model's turn in a chat.


TEMPLATES: tuple[Template, ...] = (
    Template("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),  # Qwen, CodeGemma, Granite 4
    Template("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),  # StarCoder, Granite, Stable Code
    Template("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),  # SantaCoder
    Template("<\uff5cfim\u2581begin\uff5c>", "<\uff5cfim\u2581hole\uff5c>", "<\uff5cfim\u2581end\uff5c>"),  # DeepSeek
    Template("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"),  # GLM, CodeGeeX
    Template("<PRE>", "<SUF>", "<MID>", padded=True),  # CodeLlama
    Template("[PREFIX]", "[SUFFIX]", ""),  # Codestral
)

_NAMES = frozenset(chain.from_iterable((each.prefix, each.suffix, each.middle) for each in TEMPLATES))
_TOKENS = frozenset(
    [
        "</fim_middle>",
        "<EOT>",
        "<s>",
        "</s>",
        "<bos>",
        "<eos>",
        "<end_of_turn>",
        "<file_sep>",
        "<repo_name>",
        "<fim_pad>",
    ]
)
_TOKEN_SHAPE = re.compile(r"<\|[\w ]{1,30}\|>|<\uff5c[^\uff5c<>]{1,30}\uff5c>")

REPOSITORY = re.compile(r"<\|repo_name\|>|<repo_name>|<reponame>")
FILE_SEPARATOR = re.compile(r"<\|file_sep\|>|<\|file_separator\|>|<file_sep>")
OTHER_TOKENS = re.compile(r"<s>|<bos>|<\|(?:user|endoftext|begin_of_text)\|>|<\uff5cbegin\u2581of\u2581sentence\uff5c>")


def is_marker(stop: str) -> bool:
    """Whether a stop sequence is a code model's marker, which Claude never writes."""
    return stop in _NAMES or stop in _TOKENS or _TOKEN_SHAPE.fullmatch(stop) is not None
