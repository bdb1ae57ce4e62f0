"""Whether a live request belongs to a filtered list: the meaning of the store's filter, without its SQL.

The store searches with FTS5 and its tokenizer `unicode61 remove_diacritics 2`
(https://www.sqlite.org/fts5.html#unicode61_tokenizer): a token is a run of letters and digits, without case and
accents; every word of a search is a phrase within one column, and the last may be the start of a word. The tokenizer
knows the characters of Unicode 6.1; a newer letter or symbol in a live row may be taken otherwise until it is read
from the store.
"""

import unicodedata
from dataclasses import replace
from functools import lru_cache

from server.core.records import RequestFilter, RequestRecord
from server.store.search import MAX_CHARACTERS, MAX_WORDS

SEARCHED = (
    "id", "client", "endpoint", "requested_model", "model", "session_id", "backend", "status", "http_status", "error",
)  # fmt: skip
"""The columns that the store's index of requests holds."""

Tokens = tuple[str, ...]

# Accents within a word, as SQLite has them (`sqlite3FtsUnicodeIsdiacritic`): two bit masks, for U+0300 and U+0320 on.
_MASKS = ((0x300, 0x08029FDF), (0x320, 0x000361F8))
_ACCENTS = frozenset(chr(start + bit) for start, mask in _MASKS for bit in range(32) if mask >> bit & 1)


def matches(record: RequestRecord, wanted: RequestFilter) -> bool:
    """Whether the store would list the record under this filter; checkpoints are not known to be a session's."""
    if wanted.status is not None and record.status != wanted.status:
        return False
    if wanted.session_id is not None and record.session_id != wanted.session_id:
        return False
    if wanted.since is not None and record.started_at < wanted.since:
        return False
    if wanted.until is not None and record.started_at >= wanted.until:
        return False
    return wanted.search is None or not wanted.search.strip() or _found(record, phrases(wanted.search))


def still_matches(record: RequestRecord, listed: RequestRecord, wanted: RequestFilter) -> bool:
    """Whether a newer version of a record that is listed belongs there, too.

    What the store lists under a session belongs to it, also under the id of a checkpoint.
    """
    if record.session_id == listed.session_id:
        wanted = replace(wanted, session_id=None)
    return matches(record, wanted)


@lru_cache(maxsize=64)
def phrases(search: str) -> tuple[Tokens, ...]:
    """The tokens of each word of `search`; the last token of the last phrase is the start of one."""
    words = search[:MAX_CHARACTERS].replace("\0", " ").split()
    found = (tokens(word) for word in words if any(character.isalnum() for character in word))
    return tuple(found)[:MAX_WORDS]


def tokens(text: str) -> Tokens:
    """The words of `text` as the index holds them."""
    words: list[str] = []
    within = False
    for character in text:
        if _is_of_a_word(character):
            if not within:
                words.append("")
            words[-1] += _folded(character)
            within = True
        elif character not in _ACCENTS:
            within = False
    return tuple(words)


def _found(record: RequestRecord, wanted: tuple[Tokens, ...]) -> bool:
    if not wanted:  # nothing in it that can be searched for
        return False
    columns = [tokens(str(value)) for name in SEARCHED if (value := getattr(record, name))]
    *whole, last = wanted
    return all(any(_holds(column, phrase, prefix=False) for column in columns) for phrase in whole) and any(
        _holds(column, last, prefix=True) for column in columns
    )


def _holds(column: Tokens, phrase: Tokens, *, prefix: bool) -> bool:
    length = len(phrase)
    for start in range(len(column) - length + 1):
        part = column[start : start + length]
        if part == phrase or (prefix and part[:-1] == phrase[:-1] and part[-1].startswith(phrase[-1])):
            return True
    return False


def _is_of_a_word(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Co"


def _folded(character: str) -> str:
    base, *marks = list(unicodedata.normalize("NFD", character))
    if marks and base.isascii() and all(unicodedata.category(mark) == "Mn" for mark in marks):
        return base.lower()
    for form in (character.casefold(), character.lower()):
        if len(form) == 1:
            return form
    return character
