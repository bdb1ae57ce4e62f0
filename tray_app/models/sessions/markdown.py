"""Split texts into blocks that are quick to lay out: Markdown at blank lines, code and plain text by lines.

A message may have a megabyte, and laying out a document of that size takes seconds; of blocks only the visible ones
are laid out. Only fenced code is extracted; other Markdown stays as written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

PROSE_CHARACTERS = 2000
PROSE_LINES = 40
"""A block of prose ends at the first blank line after this many, or at any line after twice as many."""
CODE_CHARACTERS = 8000
CODE_LINES = 120
LINE_CHARACTERS = 2000
"""Longer lines of code are wrapped, because laying them out is slow."""

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")
_BLOCK = re.compile(r" {0,3}(?:#{1,6}(?: |$)|\||(?:[-*_] *){3,}$)| {4}|\t")
"""A one-line element: heading, table row, rule or indented code."""
_STRUCTURE = re.compile(rf"{_BLOCK.pattern}| {{0,3}}(?:>|[-*+](?: |$)|\d{{1,9}}[.)](?: |$)|=+ *$)")
"""A line that starts a new element."""
LINE_SEPARATOR = "\u2028"


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown without fenced code."""

    text: str


@dataclass(frozen=True, slots=True)
class Plain:
    """A part of a text that is shown verbatim; `is_first` unless it continues the block above."""

    text: str
    is_first: bool = True


@dataclass(frozen=True, slots=True)
class Code:
    """A part of a code block. The first part has the `full_text` for copying; in the others it is None."""

    text: str
    language: str
    full_text: str | None
    is_last: bool = True


def split_plain(text: str) -> Iterator[Plain]:
    """The parts of `text`, verbatim; none if it is blank."""
    if not text.strip():
        return
    part: list[str] = []
    first, length = True, 0
    for line in text.replace("\r\n", "\n").split("\n"):
        for index, piece in enumerate(_short_lines([line], PROSE_CHARACTERS)):
            # The rest of a split line starts a new part: joining it would insert a line break into the text.
            if part and (index or length + len(piece) > PROSE_CHARACTERS or len(part) >= PROSE_LINES):
                yield Plain("\n".join(part), first)
                part, first, length = [], False, 0
            part.append(piece)
            length += len(piece) + 1
    yield Plain("\n".join(part), first)


def split_markdown(text: str) -> Iterator[Prose | Code]:
    """The blocks of `text`, in order."""
    prose: list[str] = []
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    for line in lines:
        fence = _FENCE.match(line)
        if fence is None:
            prose.append(line)
            continue
        yield from _split_prose(prose)
        prose = []
        yield from split_code("\n".join(_code_lines(lines, fence)), _fence_language(fence["info"]))
    yield from _split_prose(prose)


def split_code(text: str, language: str = "") -> Iterator[Code]:
    """The parts of a code block, bounded in size; at least one."""
    parts = list(_split_code_lines(text))
    for index, part in enumerate(parts):
        yield Code(part, language, text if index == 0 else None, is_last=index == len(parts) - 1)


def _code_lines(lines: Iterator[str], fence: re.Match[str]) -> Iterator[str]:
    """The lines up to the closing fence or the end, without the indent of the opening fence."""
    closing = re.compile(rf"^[ \t]*{re.escape(fence['fence'][0])}{{{len(fence['fence'])},}}[ \t]*$")
    indent = fence["indent"]
    for line in lines:
        if closing.match(line):
            return
        yield line.removeprefix(indent)


def _fence_language(info: str) -> str:
    words = info.split()
    return words[0] if words else ""


def _split_prose(lines: list[str]) -> Iterator[Prose]:
    part: list[str] = []
    length = 0
    for line in _short_lines(lines, PROSE_CHARACTERS):
        blank = not line.strip()
        full = max(length / PROSE_CHARACTERS, len(part) / PROSE_LINES)
        if full >= 2 or (blank and full >= 1):
            yield from _make_prose(part)
            part, length = [], 0
        part.append(line)
        length += len(line) + 1
    yield from _make_prose(part)


def _make_prose(lines: list[str]) -> Iterator[Prose]:
    text = "".join(_join_lines(lines)).strip("\n")
    if text.strip():
        yield Prose(text)


def _join_lines(lines: list[str]) -> Iterator[str]:
    """The lines with their ends; a hard break becomes a line separator.

    Qt would turn Markdown's own hard break into a new paragraph.
    """
    for line, following in pairwise([*lines, ""]):
        wanted = line.endswith("  ")
        in_table = "|" in line and "|" in following
        ends = in_table or not line.strip() or _BLOCK.match(line)
        within = not ends and following.strip() and not _STRUCTURE.match(following)
        yield f"{line.rstrip()}{LINE_SEPARATOR}" if wanted and within else f"{line}\n"


def _split_code_lines(text: str) -> Iterator[str]:
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
