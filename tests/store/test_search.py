"""User input is never a syntax error, and finds what the user means."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.records import RequestFilter
from server.store import requests, saving, sessions
from server.store.database import open_database
from server.store.expiry import Expiry
from server.store.search import search_terms, storable_text
from tests.store.conversations import exchange, record

NOW = Expiry(now=1000.0, ttl=None)
OPERATORS = ["AND", "OR", "NOT", "NEAR", "NEAR(a b)", "(", ")", '"', '""', "'", "*", "^", ":", "-", "+", "{", "}", "\0"]
HOSTILE = st.lists(st.one_of(st.sampled_from([*OPERATORS, "text:", "title"]), st.text(), st.characters())).map(" ".join)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    path = tmp_path_factory.mktemp("search") / "history.db"
    with closing(open_database(path).connection) as connection:
        saving.save_exchange(
            connection, NOW, exchange("Wie heißt der Käse?", "It is called Gruyère."), session_id="cheese"
        )
        saving.save_exchange(connection, NOW, exchange("foo_bar-baz C++", "def main(): pass"), session_id="code")
        saving.save_exchange(connection, NOW, exchange("Привет мир", "don't panic"), session_id="hello")
        sessions.set_title(connection, NOW, "hello", "Greetings NOT commands")
        requests.write_records(connection, [record("req_abc123", client="Zed/1.2", error="Overloaded: try again")])
        yield connection


def found(connection, search):
    page = sessions.list_summaries(connection, NOW, search=search, cursor=None, limit=10)
    return {item.id for item in page.items}


@given(search=st.one_of(HOSTILE, st.text(st.characters(codec=None))))
def test_no_input_is_an_error(filled, search):
    found(filled, search)
    requests.list_records(filled, RequestFilter(search=search), cursor=None, limit=10)


@given(search=HOSTILE)
def test_every_term_is_an_expression_of_its_own(search):
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE texts USING fts5 (text)")
        for term in search_terms(search):
            connection.execute("SELECT * FROM texts WHERE texts MATCH ?", [term]).fetchall()


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ("kase", {"cheese"}),
        ("KÄSE", {"cheese"}),
        ("gruy", {"cheese"}),
        ("gruy called", set()),  # only the last word may be the start of one
        ("called gruy", {"cheese"}),
        ("käse gruyère", {"cheese"}),  # in different messages
        ("käse panic", set()),
        ("foo_bar-baz", {"code"}),
        ("bar-b", {"code"}),
        ("C++", {"code", "cheese", "hello"}),  # words that begin with c
        ("main()", {"code"}),
        ('"def', {"code"}),
        ("def -- main", {"code"}),
        ("привет", {"hello"}),
        ("don't", {"hello"}),
        ("greetings panic", {"hello"}),  # in the title and in a message
        ("NOT commands", {"hello"}),
        ("--", set()),
        ('"', set()),
        ("", {"cheese", "code", "hello"}),
        ("  ", {"cheese", "code", "hello"}),
    ],
)
def test_what_is_found(filled, search, ids):
    assert found(filled, search) == ids


@pytest.mark.parametrize("search", ["zed", "req_abc", "abc123", "overl", "Overloaded zed/1", "claude-opus", "nobody"])
def test_what_requests_are_found(filled, search):
    page = requests.list_records(filled, RequestFilter(search=search), cursor=None, limit=10)
    assert page.total == len(page.items) == (0 if search in {"claude-opus", "nobody"} else 1)


def test_a_long_search_has_limits():
    assert len(search_terms("a " * 400)) == 32
    assert search_terms("b" * 5000) == ['"' + "b" * 1000 + '"*']


@given(st.text(st.characters(codec=None)))
def test_storable_text_can_be_stored(text):
    assert storable_text(text).encode("utf-8").decode() == storable_text(text)
    assert len(storable_text(text)) == len(text)
