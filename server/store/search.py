"""Full-text queries of what a person types: every word has to occur, and the last may be the start of a word.

The terms are FTS5 strings (https://www.sqlite.org/fts5.html#full_text_query_syntax), in which nothing but the
quote has a meaning, so that no input is a syntax error.
"""

import re

MAX_CHARACTERS = 1000
MAX_WORDS = 32
"""Limits to the work of one search; what goes beyond them is not looked at."""

_LETTER_OR_DIGIT = re.compile(r"[^\W_]")


def search_terms(search: str) -> list[str]:
    """An FTS5 expression for each word of `search`; none if it holds nothing that can be searched for."""
    text = storable_text(search[:MAX_CHARACTERS]).replace("\0", " ")  # FTS5 ends its query at a NUL
    words = [word for word in text.split() if _LETTER_OR_DIGIT.search(word)][:MAX_WORDS]
    terms = ['"' + word.replace('"', '""') + '"' for word in words]
    if terms:
        terms[-1] += "*"
    return terms


def storable_text(text: str) -> str:
    """`text` with a question mark for each lone surrogate, which SQLite does not take.

    They stand for bytes that are not UTF-8, as in a path or in what a process wrote.
    """
    return text.encode("utf-8", "replace").decode()
