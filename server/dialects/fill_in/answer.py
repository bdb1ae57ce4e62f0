"""The missing characters in a chat model's answer: without tags, fences and repeated text around the hole."""

import re

from server.core.text_filters import FilterChain, StopWatch, overlap_length
from server.dialects.fill_in.prompt import Prompt
from server.dialects.fill_in.question import Question

_FENCE = "```"
_FENCE_LINE = r"```[\w+#.-]{0,30}[ \t]*\r?\n"
_MAY_BE_FENCE_LINE = re.compile(r"`{1,2}\Z|```[\w+#.-]{0,30}[ \t]*\r?\Z")
_REPEATED_LINES = 12
_REPEATED_CHARACTERS = 2000
_CREDIBLE = 6
"""Characters, other than white space, from which on equal text is a repetition and no coincidence."""
_BRACKETS = {")": "(", "]": "[", "}": "{"}


class AnswerCutter:
    """The filter for answers to a `Question`. Lets an instruction's answer through unchanged.

    Removes the tags and all text outside of them, a Markdown fence (unless the text itself has one), the repeated last
    lines before the hole, and an end that repeats the beginning of what follows. All other characters stay.
    """

    def __init__(self, prompt: Prompt, question: Question) -> None:
        self._chain = FilterChain()
        if question.opening:
            fences = prompt.suffix is not None and _FENCE not in prompt.prefix + prompt.suffix
            self._chain = FilterChain(
                _Unwrapper(question.opening, question.closing, fences=fences),
                _RepetitionTrimmer(prompt.prefix),
                _OverlapTrimmer(prompt.prefix, prompt.suffix or ""),
            )

    @property
    def ended(self) -> bool:
        """Whether the closing tag was found."""
        return self._chain.ended

    @property
    def stop(self) -> str | None:
        """None: the closing tag is no stop sequence of the client's."""
        return None

    def feed(self, text: str) -> str:
        """The missing characters, as far as they are certain."""
        return self._chain.feed(text)

    def finish(self) -> str:
        """The rest of the missing characters."""
        return self._chain.finish()


class _Unwrapper:
    """The text between the tags or fences; all text if the answer has none."""

    def __init__(self, opening: str, closing: str, *, fences: bool) -> None:
        self._opening, self._closing, self._fences = opening, closing, fences
        line = f"(?:{_FENCE_LINE})" if fences else "(?!)"
        self._pattern = re.compile(rf"(?P<outer>\s*{line})?(?:\s*(?P<tag>{re.escape(opening)})(?P<inner>\s*{line})?)?")
        self._head: str | None = ""
        """The beginning of the answer, until it is decided where the content begins."""
        self._watch = StopWatch([closing])

    @property
    def ended(self) -> bool:
        return self._watch.ended

    @property
    def stop(self) -> str | None:
        return None

    def feed(self, text: str) -> str:
        if self._head is None:
            return self._watch.feed(text)
        self._head += text
        return self._read_head(self._head, final=False)

    def finish(self) -> str:
        begun = "" if self._head is None else self._read_head(self._head, final=True)
        # The answer may have been cut inside the closing tag. Four characters could belong to another one.
        rest = self._watch.finish()
        return begun + ("" if len(rest) > 4 and self._closing.startswith(rest) else rest)

    def _read_head(self, head: str, *, final: bool) -> str:
        """The content after the head; empty while more text may still change where it begins."""
        found = self._pattern.match(head)
        outer, tag, inner = found.group("outer", "tag", "inner") if found else (None, None, None)
        start = found.end() if found else 0
        fenced = outer is not None or inner is not None
        word = head[start:].lstrip()
        may_open = tag is None and self._opening.startswith(word)
        may_fence = self._fences and not fenced and (not word or _MAY_BE_FENCE_LINE.match(word) is not None)
        if (may_open or may_fence) and not final:
            return ""
        if fenced:
            self._watch = StopWatch([self._closing, f"\n{_FENCE}"])
        self._head = None
        return self._watch.feed(head[start:])


class _RepetitionTrimmer:
    """The text without the last lines before the hole, should it begin by repeating them."""

    ended = False
    stop = None

    def __init__(self, prefix: str) -> None:
        self._candidates = _last_lines(prefix)
        self._held: str | None = ""
        """The beginning of the text, while it may repeat the lines."""

    def feed(self, text: str) -> str:
        if self._held is None:
            return text
        self._held += text
        undecided = any(lines != self._held and lines.startswith(self._held) for lines in self._candidates)
        return "" if undecided else self.finish()

    def finish(self) -> str:
        if self._held is None:
            return ""
        text, self._held = self._held, None
        repeated = max((len(lines) for lines in self._candidates if text.startswith(lines)), default=0)
        return text[repeated:]


def _last_lines(prefix: str) -> list[str]:
    """The texts from the beginning of a last line, with and without its indentation, to the end of `prefix`."""
    tail = prefix[-_REPEATED_CHARACTERS:]
    starts = [0] if len(tail) == len(prefix) else []
    starts += [match.end() for match in re.finditer("\n", tail)]
    lines = [tail[start:] for start in starts[-_REPEATED_LINES:]]
    lines += [text.lstrip() for text in lines]
    return [text for text in dict.fromkeys(lines) if _is_credible(text)]


def _is_credible(text: str) -> bool:
    return len("".join(text.split())) >= _CREDIBLE


class _OverlapTrimmer:
    """The text without an end that repeats the beginning of the suffix."""

    ended = False
    stop = None

    def __init__(self, prefix: str, suffix: str) -> None:
        self._line = prefix[prefix.rfind("\n") + 1 :]
        self._suffix = suffix[:_REPEATED_CHARACTERS]
        self._text = ""
        self._held = 0
        """How many characters at the end of the text are held back."""

    def feed(self, text: str) -> str:
        before = len(self._text) - self._held
        self._text += text
        self._held = overlap_length(self._text, self._suffix)
        return self._text[before : len(self._text) - self._held]

    def finish(self) -> str:
        held = self._text[len(self._text) - self._held :]
        self._held = 0
        if _is_credible(held) or self._closes_twice(held):
            return ""
        return held

    def _closes_twice(self, held: str) -> bool:
        """Whether `held` consists of closing brackets for which the lines at the cursor have none to close.

        Editors put the closing bracket behind the cursor, and a model closes it once more.
        """
        if not held.strip() or not set(held.strip()) <= {*_BRACKETS, ";", ","}:
            return False
        whole = f"{self._line}{self._text}{self._suffix.lstrip().partition(chr(10))[0]}"
        return any(whole.count(close) > whole.count(_BRACKETS[close]) for close in set(held) & _BRACKETS.keys())
