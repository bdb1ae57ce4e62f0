"""Filter for live requests: the same result as the store's filter, without SQL.

The store searches with FTS5 and its tokenizer `unicode61 remove_diacritics 2`
(https://www.sqlite.org/fts5.html#unicode61_tokenizer). A token is a run of letters and digits, without case and
accents. Every word of a search is a phrase within one column; the last one may be a prefix. The tokenizer knows
Unicode 6.1: a newer character in a live row may match differently until the row is read from the store.
"""

import unicodedata
from dataclasses import replace
from functools import lru_cache

from server.core.records import MAIN_KEY, RequestFilter, RequestRecord
from server.store.search import MAX_CHARACTERS, MAX_WORDS

SEARCHED = (
    "id", "client", "endpoint", "requested_model", "model", "session_id", "backend", "status", "http_status", "error",
)  # fmt: skip
"""The columns of the store's full-text index of requests."""

Tokens = tuple[str, ...]

# Accents within a word as in SQLite (`sqlite3FtsUnicodeIsdiacritic`): two bit masks, from U+0300 and U+0320.
_MASKS = ((0x300, 0x08029FDF), (0x320, 0x000361F8))
_ACCENTS = frozenset(chr(start + bit) for start, mask in _MASKS for bit in range(32) if mask >> bit & 1)


def matches_filter(record: RequestRecord, request_filter: RequestFilter) -> bool:
    """Whether the store would list the record under this filter. Checkpoint ids are not resolved to sessions."""
    if request_filter.status is not None and record.status != request_filter.status:
        return False
    if request_filter.session_id is not None and record.session_id != request_filter.session_id:
        return False
    if request_filter.key is not None and (record.key_name or MAIN_KEY) != request_filter.key:
        return False
    if request_filter.since is not None and record.started_at < request_filter.since:
        return False
    if request_filter.until is not None and record.started_at >= request_filter.until:
        return False
    search = request_filter.search
    return search is None or not search.strip() or _matches_search(record, parse_phrases(search))


def still_matches(record: RequestRecord, listed: RequestRecord, request_filter: RequestFilter) -> bool:
    """Whether a newer version of a listed record still belongs in the list.

    The store resolves checkpoint ids, so a listed record belongs to the session as long as its id is the same.
    """
    if record.session_id == listed.session_id:
        request_filter = replace(request_filter, session_id=None)
    return matches_filter(record, request_filter)


@lru_cache(maxsize=64)
def parse_phrases(search: str) -> tuple[Tokens, ...]:
    """The tokens of each word of `search`; the last token of the last phrase is a prefix."""
    words = search[:MAX_CHARACTERS].replace("\0", " ").split()
    found = (split_tokens(word) for word in words if any(character.isalnum() for character in word))
    return tuple(found)[:MAX_WORDS]


def split_tokens(text: str) -> Tokens:
    """The tokens of `text` as the index holds them."""
    words: list[str] = []
    within = False
    for character in text:
        if _is_token_character(character):
            if not within:
                words.append("")
            words[-1] += _fold_character(character)
            within = True
        elif character not in _ACCENTS:
            within = False
    return tuple(words)


def _matches_search(record: RequestRecord, phrases: tuple[Tokens, ...]) -> bool:
    if not phrases:  # the search has no letters or digits
        return False
    columns = [split_tokens(str(value)) for name in SEARCHED if (value := getattr(record, name))]
    *whole, last = phrases
    return all(any(_contains_phrase(column, phrase, prefix=False) for column in columns) for phrase in whole) and any(
        _contains_phrase(column, last, prefix=True) for column in columns
    )


def _contains_phrase(column: Tokens, phrase: Tokens, *, prefix: bool) -> bool:
    length = len(phrase)
    for start in range(len(column) - length + 1):
        part = column[start : start + length]
        if part == phrase or (prefix and part[:-1] == phrase[:-1] and part[-1].startswith(phrase[-1])):
            return True
    return False


def _is_token_character(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Co"


def _fold_character(character: str) -> str:
    base, *marks = list(unicodedata.normalize("NFD", character))
    if marks and base.isascii() and all(unicodedata.category(mark) == "Mn" for mark in marks):
        return base.lower()
    for form in (character.casefold(), character.lower()):
        if len(form) == 1:
            return form
    return character
