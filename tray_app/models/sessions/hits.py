"""Positions of search hits in a text, for highlighting. Pure functions, no Qt."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from server.store.search import MAX_CHARACTERS, MAX_WORDS
from tray_app.models.sessions.blocks import DisplayBlock
from tray_app.models.sessions.markdown import Code, Plain, Prose

_WORD = re.compile(r"[^\W_]+")
Hits = re.Pattern[str]


def hits_pattern(search: str) -> Hits | None:
    """The pattern of the words of `search` in a folded text, the last one as a prefix; None if there are none."""
    parts = [_WORD.findall(fold_text(word)) for word in search[:MAX_CHARACTERS].split()]
    words = [r"[\W_]+".join(part) for part in parts if part][:MAX_WORDS]
    if not words:
        return None
    whole = [rf"{word}(?![^\W_])" for word in words[:-1]]
    # Longest first: the first alternative that matches wins.
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(sorted([*whole, words[-1]], key=len, reverse=True))})")


def find_hits(pattern: Hits, text: str, limit: int = 200) -> Iterator[tuple[int, int]]:
    """Start and end of the first `limit` hits in `text`, in UTF-16 code units like Qt's positions."""
    plain = fold_text(text)
    before = last_end = 0
    for number, match in enumerate(pattern.finditer(plain)):
        if number >= limit:
            return
        before += _utf16_length(text[last_end : match.start()])
        length = _utf16_length(text[match.start() : match.end()])
        yield before, before + length
        before, last_end = before + length, match.end()


def blocks_with_hits(pattern: Hits, blocks: Sequence[DisplayBlock]) -> list[int]:
    """Indexes of the blocks that contain a hit."""
    return [
        index
        for index, block in enumerate(blocks)
        if isinstance(block, Prose | Plain | Code) and pattern.search(fold_text(block.text))
    ]


def fold_text(text: str) -> str:
    """`text` in lower case and without accents, like the search index; the length stays the same."""
    return text.lower() if text.isascii() else "".join(map(_fold_character, text))


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    return unicodedata.normalize("NFD", character)[0].lower()[0]


def _utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
