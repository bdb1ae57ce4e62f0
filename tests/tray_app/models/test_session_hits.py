import pytest

from tray_app.models.sessions.blocks import Heading
from tray_app.models.sessions.hits import blocks_with_hits, find_hits, fold_text, hits_pattern
from tray_app.models.sessions.markdown import Code, Prose


def found(search, text):
    return [text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le") for start, end in hits(search, text)]


def hits(search, text):
    pattern = hits_pattern(search)
    return [] if pattern is None else list(find_hits(pattern, text))


@pytest.mark.parametrize(
    ("search", "text", "words"),
    [
        ("cache", "The Cache and the caches", ["Cache", "cache"]),  # the last word is a prefix
        ("the cache", "The caches, other then", ["The", "cache"]),  # the others are whole words
        ("cafe", "Café CAFÉ", ["Café", "CAFÉ"][:2]),
        ("foo-bar", "foo_bar foo bar foobar", ["foo_bar", "foo bar"]),
        ("c", "😀 c 😀 C", ["c", "C"]),  # characters of two UTF-16 units
        ("über", "Uber über", ["Uber", "über"]),
        ("a.b(", "a.b( axb", ["a.b"]),
        ("***", "***", []),
        ("", "text", []),
        ("привет", "Привет, мир", ["Привет"]),
    ],
)
def test_words_are_found_as_the_index_finds_them(search, text, words):
    assert found(search, text) == words


def test_no_more_hits_than_can_be_drawn():
    pattern = hits_pattern("a")
    assert len(list(find_hits(pattern, "a " * 1000, limit=10))) == 10


def test_a_folded_text_is_as_long_as_the_text():
    text = "İstanbul ﬁne ß 😀 é"
    assert len(fold_text(text)) == len(text)


def test_the_blocks_with_hits():
    blocks = [Heading("user", 0), Prose("Nothing"), Prose("a Needle"), Code("needle = 1", "", None)]
    assert blocks_with_hits(hits_pattern("needle"), blocks) == [2, 3]
