"""Build full-text queries: every word must occur, the last may be a prefix.

The terms are FTS5 strings (https://www.sqlite.org/fts5.html#full_text_query_syntax), in which only the quote is
special, so that no input is a syntax error.
"""

import re

MAX_CHARACTERS = 1000
MAX_WORDS = 32
"""Limits on one search; the rest of the input is ignored."""

_LETTER_OR_DIGIT = re.compile(r"[^\W_]")


def search_terms(search: str) -> list[str]:
    """Return an FTS5 expression for each word of `search` with a letter or digit."""
    text = storable_text(search[:MAX_CHARACTERS]).replace("\0", " ")  # FTS5 ends its query at a NUL
    words = [word for word in text.split() if _LETTER_OR_DIGIT.search(word)][:MAX_WORDS]
    terms = ['"' + word.replace('"', '""') + '"' for word in words]
    if terms:
        terms[-1] += "*"
    return terms


def storable_text(text: str) -> str:
    """Replace each lone surrogate, which SQLite does not take, by a question mark.

    Surrogates represent bytes that are not UTF-8, as in paths and process output.
    """
    return text.encode("utf-8", "replace").decode()
