"""Markdown cut into pieces that are quick to lay out: prose at its blank lines, code blocks by lines.

A message may be a megabyte, and a text document of that size takes seconds; of pieces only the visible ones are
made. Only fenced code is taken out: the rest of Markdown stays as it was written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

PROSE_CHARACTERS = 4000
"""A piece of prose ends at the first blank line after so many."""
CODE_CHARACTERS = 8000
CODE_LINES = 120
LINE_CHARACTERS = 2000
"""A line of code is continued on the next after so many: longer ones take long to lay out."""

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown without fenced code."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A part of a code block. The first part has the `whole` of it, to be copied; the others have None."""

    text: str
    language: str
    whole: str | None
    last: bool = True


def split_markdown(text: str, *, keep_lines: bool = False) -> Iterator[Prose | Code]:
    """The pieces of `text`, in order. `keep_lines`: line breaks in prose are kept, as people type them."""
    prose: list[str] = []
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    for line in lines:
        fence = _FENCE.match(line)
        if fence is None:
            prose.append(line)
            continue
        yield from _prose(prose, keep_lines)
        prose = []
        yield from split_code("\n".join(_code_lines(lines, fence)), _language(fence["info"]))
    yield from _prose(prose, keep_lines)


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


def _prose(lines: list[str], keep_lines: bool) -> Iterator[Prose]:
    part: list[str] = []
    length = 0
    for line in _short_lines(lines, PROSE_CHARACTERS):
        blank = not line.strip()
        if (blank and length >= PROSE_CHARACTERS) or length >= 2 * PROSE_CHARACTERS:
            yield from _one_prose(part)
            part, length = [], 0
        part.append(line if blank or not keep_lines else f"{line}  ")
        length += len(line) + 1
    yield from _one_prose(part)


def _one_prose(lines: list[str]) -> Iterator[Prose]:
    text = "\n".join(lines)
    if text.strip():
        yield Prose(text.strip("\n"))


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
