"""Texts cut into pieces that are quick to lay out: Markdown at its blank lines, code and plain text by lines.

A message may be a megabyte, and a text document of that size takes seconds; of pieces only the visible ones are
made. Only fenced code is taken out: the rest of Markdown stays as it was written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

PROSE_CHARACTERS = 2000
PROSE_LINES = 40
"""A piece of prose ends at the first blank line after so many, and wherever it is after twice as many."""
CODE_CHARACTERS = 8000
CODE_LINES = 120
LINE_CHARACTERS = 2000
"""A line of code is continued on the next after so many: longer ones take long to lay out."""

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")
_BLOCK = re.compile(r" {0,3}(?:#{1,6}(?: |$)|\||(?:[-*_] *){3,}$)| {4}|\t")
"""A line that ends with itself: a heading, a row of a table, a rule, or code by its indent."""
_STRUCTURE = re.compile(rf"{_BLOCK.pattern}| {{0,3}}(?:>|[-*+](?: |$)|\d{{1,9}}[.)](?: |$)|=+ *$)")
"""A line that begins something of its own."""
LINE_SEPARATOR = "\u2028"


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown without fenced code."""

    text: str


@dataclass(frozen=True, slots=True)
class Plain:
    """A part of a text that is shown as it was written; `first`: it does not go on from the part above."""

    text: str
    first: bool = True


@dataclass(frozen=True, slots=True)
class Code:
    """A part of a code block. The first part has the `whole` of it, to be copied; the others have None."""

    text: str
    language: str
    whole: str | None
    last: bool = True


def split_plain(text: str) -> Iterator[Plain]:
    """The parts of `text`, which lose nothing of it; none for a blank one."""
    if not text.strip():
        return
    part: list[str] = []
    first, length = True, 0
    for line in text.replace("\r\n", "\n").split("\n"):
        for at, stretch in enumerate(_short_lines([line], PROSE_CHARACTERS)):
            # What goes on within a line begins a part of its own: a line break would not be the writer's.
            if part and (at or length + len(stretch) > PROSE_CHARACTERS or len(part) >= PROSE_LINES):
                yield Plain("\n".join(part), first)
                part, first, length = [], False, 0
            part.append(stretch)
            length += len(stretch) + 1
    yield Plain("\n".join(part), first)


def split_markdown(text: str) -> Iterator[Prose | Code]:
    """The pieces of `text`, in order."""
    prose: list[str] = []
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    for line in lines:
        fence = _FENCE.match(line)
        if fence is None:
            prose.append(line)
            continue
        yield from _prose(prose)
        prose = []
        yield from split_code("\n".join(_code_lines(lines, fence)), _language(fence["info"]))
    yield from _prose(prose)


def split_code(text: str, language: str = "") -> Iterator[Code]:
    """A code block in parts of a bounded size, at least one."""
    parts = list(_parts(text))
    for at, part in enumerate(parts):
        yield Code(part, language, text if at == 0 else None, last=at == len(parts) - 1)


def _code_lines(lines: Iterator[str], fence: re.Match[str]) -> Iterator[str]:
    """The lines up to the closing fence, or the end, less the indent of the opening one."""
    closing = re.compile(rf"^[ \t]*{re.escape(fence['fence'][0])}{{{len(fence['fence'])},}}[ \t]*$")
    indent = fence["indent"]
    for line in lines:
        if closing.match(line):
            return
        yield line.removeprefix(indent)


def _language(info: str) -> str:
    words = info.split()
    return words[0] if words else ""


def _prose(lines: list[str]) -> Iterator[Prose]:
    part: list[str] = []
    length = 0
    for line in _short_lines(lines, PROSE_CHARACTERS):
        blank = not line.strip()
        full = max(length / PROSE_CHARACTERS, len(part) / PROSE_LINES)
        if full >= 2 or (blank and full >= 1):
            yield from _one_prose(part)
            part, length = [], 0
        part.append(line)
        length += len(line) + 1
    yield from _one_prose(part)


def _one_prose(lines: list[str]) -> Iterator[Prose]:
    text = "".join(_joined(lines)).strip("\n")
    if text.strip():
        yield Prose(text)


def _joined(lines: list[str]) -> Iterator[str]:
    """The lines with what stands between them: a break that is to be seen is a line separator.

    Markdown's own hard break will not do: Qt makes a paragraph of it.
    """
    for line, following in pairwise([*lines, ""]):
        wanted = line.endswith("  ")
        in_table = "|" in line and "|" in following
        ends = in_table or not line.strip() or _BLOCK.match(line)
        within = not ends and following.strip() and not _STRUCTURE.match(following)
        yield f"{line.rstrip()}{LINE_SEPARATOR}" if wanted and within else f"{line}\n"


def _parts(text: str) -> Iterator[str]:
    part: list[str] = []
    length = 0
    for line in _short_lines(text.split("\n"), LINE_CHARACTERS):
        if part and (length + len(line) > CODE_CHARACTERS or len(part) >= CODE_LINES):
            yield "\n".join(part)
            part, length = [], 0
        part.append(line)
        length += len(line) + 1
    yield "\n".join(part)


def _short_lines(lines: list[str], limit: int) -> Iterator[str]:
    for line in lines:
        start = 0
        while len(line) - start > limit:
            space = line.rfind(" ", start + limit // 2, start + limit)
            end = start + limit if space < 0 else space + 1
            yield line[start:end]
            start = end
        yield line[start:]
