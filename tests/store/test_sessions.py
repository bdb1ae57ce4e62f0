"""Finding, listing, changing and deleting rows of sessions."""

import pytest

from server.core.errors import InvalidRequest, NotFound
from server.store import requests, saving, sessions
from server.store.expiry import Expiry
from server.store.paging import Where
from server.store.removal import Removed
from server.store.sessions import SESSIONS
from tests.store.conversations import delete, exchange, files_with, record

NOW = Expiry(now=1000.0, ttl=100.0)


def save(connection, session_id, *texts, at=1000.0, **more):
    return saving.save_exchange(connection, Expiry(at, 100.0), exchange(*texts, **more), session_id=session_id)


def chain(connection, *names):
    """Save a session of these checkpoints in turn; returns its id."""
    for at, name in enumerate(names):
        texts = [f"text {number}" for number in range(2 * at + 2)]
        session = saving.save_exchange(connection, NOW, exchange(*texts), name, explicit=False, prefix=2 * at)
    return session


def ids(connection, moment=NOW, **options):
    page = sessions.list_summaries(connection, moment, **{"search": None, "cursor": None, "limit": 50, **options})
    return [item.id for item in page.items]


class TestFinding:
    @pytest.mark.parametrize("session_id", ["nobody", "", "\udcff", "a" * 1000, "\0"])
    def test_an_unknown_id(self, connection, session_id):
        save(connection, "s", "a", "b")
        assert sessions.load_session(connection, NOW, session_id) is None

    def test_an_expired_one_is_not_found(self, connection):
        save(connection, "s", "a", "b", at=900.0)
        assert sessions.load_session(connection, Expiry(999.9, 100.0), "s")
        assert sessions.load_session(connection, NOW, "s") is None
        assert sessions.load_session(connection, Expiry(1000.0, None), "s").summary.expires_at is None


class TestListing:
    def test_the_last_used_comes_first(self, connection):
        for name, at in (("b", 950.0), ("c", 990.0), ("a", 950.0)):
            save(connection, name, "x", at=at)
        assert ids(connection) == ["c", "b", "a"]

    def test_expired_ones_are_left_out(self, connection):
        save(connection, "old", "x", at=900.0)
        save(connection, "new", "x", at=950.0)
        save(connection, "kept", "x", at=800.0)
        connection.execute("UPDATE sessions SET pinned = 1 WHERE id = 'kept'")
        assert ids(connection) == ["new", "kept"]
        assert sessions.list_summaries(connection, NOW, search="x", cursor=None, limit=1).total == 2
        assert ids(connection, Expiry(1000.0, None)) == ["new", "old", "kept"]

    def test_pages_with_uses_in_between(self, connection):
        for number in range(10):
            save(connection, f"s{number}", "x", at=950.0 + number)
        first = sessions.list_summaries(connection, NOW, search=None, cursor=None, limit=4)
        save(connection, "s3", "x", "y", at=999.0)
        save(connection, "new", "x", at=998.0)
        second = sessions.list_summaries(connection, NOW, search=None, cursor=first.next_cursor, limit=50)
        assert [item.id for item in (*first.items, *second.items)] == [
            "s9",
            "s8",
            "s7",
            "s6",
            "s5",
            "s4",
            "s2",
            "s1",
            "s0",
        ]
        assert second.next_cursor is None

    def test_a_search_has_pages_too(self, connection):
        for number in range(6):
            save(connection, f"s{number}", "even" if number % 2 == 0 else "odd", at=950.0 + number)
        first = sessions.list_summaries(connection, NOW, search="even", cursor=None, limit=2)
        assert first.total == 3
        assert ids(connection, search="even", cursor=first.next_cursor) == ["s0"]

    def test_what_was_deleted_or_rewritten_is_not_found_any_more(self, connection):
        save(connection, "s", "first words", "answer")
        save(connection, "s", "second words", "answer")
        assert ids(connection, search="first") == []
        assert ids(connection, search="second") == ["s"]
        sessions.set_title(connection, NOW, "s", "third")
        assert ids(connection, search="third") == ["s"]
        sessions.delete_rows(connection, Where())
        for search in ("first", "second", "third", "answer"):
            assert ids(connection, search=search) == []

    @pytest.mark.parametrize("cursor", [(), (990.0, "s")])
    def test_no_list_is_sorted(self, connection, cursor):
        where, after = NOW.live_sessions(), Where()
        if cursor:
            after.add_condition("(last_used_at, id) < (?, ?)", *cursor)
        sql = f"EXPLAIN QUERY PLAN {SESSIONS.page_sql(where, after)}"
        steps = [row["detail"] for row in connection.execute(sql, [*where.parameters, *after.parameters, 50])]
        counted, _, listed = [step for step in steps if " sessions " in step]
        assert "USING COVERING INDEX sessions_by_use" in counted
        assert "USING COVERING INDEX sessions_by_use" in listed
        # One page is sorted at the end, and nothing else.
        assert [step for step in steps if "TEMP B-TREE" in step] == ["USE TEMP B-TREE FOR ORDER BY"]


class TestChanging:
    def test_rename(self, connection):
        save(connection, "s", "a", "b")
        assert sessions.set_title(connection, NOW, "s", "  A\nnew \0 title ").title == "A new title"
        assert sessions.load_session(connection, NOW, "s").summary.title == "A new title"

    @pytest.mark.parametrize("title", ["", "  ", "\0\n"])
    def test_an_empty_title_is_refused(self, connection, title):
        save(connection, "s", "a", "b")
        with pytest.raises(InvalidRequest) as caught:
            sessions.set_title(connection, NOW, "s", title)
        assert caught.value.param == "title"

    def test_pin_and_unpin(self, connection):
        save(connection, "s", "a", "b")
        assert sessions.set_pinned(connection, NOW, "s", True).expires_at is None
        assert sessions.load_session(connection, Expiry(9e9, 100.0), "s").summary.pinned
        assert sessions.set_pinned(connection, NOW, "s", False).expires_at == 1100.0
        assert sessions.load_session(connection, Expiry(9e9, 100.0), "s") is None

    @pytest.mark.parametrize("session_id", ["nobody", "expired", "\udcff"])
    def test_of_an_unknown_session(self, connection, session_id):
        save(connection, "expired", "a", "b", at=1.0)
        with pytest.raises(NotFound):
            sessions.set_title(connection, NOW, session_id, "x")
        with pytest.raises(NotFound):
            sessions.set_pinned(connection, NOW, session_id, True)


class TestDeleting:
    def test_messages_go_with_their_session(self, connection):
        save(connection, "s", "a", "b")
        save(connection, "other", "c", "d")
        assert delete(connection, Where(["id = ?"], ["s"])).ids == ("s",)
        assert [row["text"] for row in connection.execute("SELECT text FROM messages")] == ["c", "d"]

    def test_the_bodies_and_headers_of_its_requests_go_too(self, connection):
        save(connection, "s", "a", "b")
        bodies = {"request_body": "{}", "response_body": "{}", "request_headers": (("a", "b"),)}
        requests.write_records(
            connection, [record("r1", session_id="s", **bodies), record("r2", session_id="t", **bodies)]
        )
        delete(connection, Where())
        assert requests.find_record(connection, "r1") == record("r1", session_id="s")
        assert requests.find_record(connection, "r2") == record("r2", session_id="t", **bodies)

    def test_its_checkpoints_go_too(self, connection):
        session = chain(connection, "ses_1", "ses_2", "ses_3")
        bodies = {"request_body": "{}", "response_body": "{}", "request_headers": (("a", "b"),)}
        requests.write_records(
            connection, [record(f"r{number}", session_id=f"ses_{number}", **bodies) for number in (1, 3)]
        )
        removed = delete(connection, Where(["id = ?"], [session]))
        assert removed == Removed((session,), ("ses_1", "ses_2", "ses_3"))
        assert [sessions.load_session(connection, NOW, session_id) for session_id in ("ses_1", "ses_2", "ses_3")] == [
            None
        ] * 3
        assert requests.find_record(connection, "r1") == record("r1", session_id="ses_1")

    def test_a_checkpoint_is_deleted_by_itself(self, connection):
        chain(connection, "ses_1", "ses_2", "ses_3")
        requests.write_records(connection, [record("r", session_id="ses_1", request_body="{}", response_body="{}")])
        assert delete(connection, Where(["FALSE"]), ["ses_1", "nobody"]) == Removed(("ses_1",), ())
        assert sessions.load_session(connection, NOW, "ses_1") is None
        assert len(sessions.load_session(connection, NOW, "ses_2").messages) == 4
        assert requests.find_record(connection, "r") == record("r", session_id="ses_1")

    def test_nothing_of_it_stays_on_the_disk(self, connection, path):
        for number in range(30):
            save(connection, f"s{number}", f"ordinary question {number}", "ordinary answer")
        save(connection, "s", "the password is xyzzyplugh", "noted: xyzzyplugh")
        save(connection, "t", "something", "else")
        assert files_with(path.parent, "xyzzyplugh")
        delete(connection, Where(["id = ?"], ["s"]))
        assert files_with(path.parent, "xyzzyplugh") == []
        assert len(ids(connection, search="ordinary")) == 30

    def test_the_file_becomes_smaller(self, connection, path):
        save(connection, "s", "word " * 200_000)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = path.stat().st_size
        delete(connection, Where())
        assert path.stat().st_size < before / 4
