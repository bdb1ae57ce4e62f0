"""Where the words of a search stand in a text, so that they can be marked. Pure: no Qt."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from server.store.search import MAX_CHARACTERS, MAX_WORDS
from tray_app.models.sessions.blocks import Piece
from tray_app.models.sessions.markdown import Code, Plain, Prose

_WORD = re.compile(r"[^\W_]+")
Hits = re.Pattern[str]


def hits_pattern(search: str) -> Hits | None:
    """What the words of `search` look like in a folded text, the last as the start of a word; None without any."""
    parts = [_WORD.findall(folded(word)) for word in search[:MAX_CHARACTERS].split()]
    words = [r"[\W_]+".join(part) for part in parts if part][:MAX_WORDS]
    if not words:
        return None
    whole = [rf"{word}(?![^\W_])" for word in words[:-1]]
    # The longest first: an alternative that fits is taken.
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(sorted([*whole, words[-1]], key=len, reverse=True))})")


def find_hits(pattern: Hits, text: str, most: int = 200) -> Iterator[tuple[int, int]]:
    """Start and end of each hit in `text`, up to `most`, counted in UTF-16 units as Qt counts."""
    plain = folded(text)
    before = at = 0
    for number, match in enumerate(pattern.finditer(plain)):
        if number >= most:
            return
        before += _units(text[at : match.start()])
        length = _units(text[match.start() : match.end()])
        yield before, before + length
        before, at = before + length, match.end()


def pieces_with_hits(pattern: Hits, pieces: Sequence[Piece]) -> list[int]:
    """The places of the pieces in which there is a hit."""
    return [
        place
        for place, piece in enumerate(pieces)
        if isinstance(piece, Prose | Plain | Code) and pattern.search(folded(piece.text))
    ]


def folded(text: str) -> str:
    """`text` in lower case and without accents, as the search index has it, with as many characters."""
    return text.lower() if text.isascii() else "".join(map(_folded, text))


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    return unicodedata.normalize("NFD", character)[0].lower()[0]


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
