"""Checkpoints, from the first answer to the end of their session."""

import json
import sqlite3
from contextlib import closing

import pytest

from server.core.transcript import conversation_digest, split_prefix
from server.store import checkpoints, saving, sessions
from server.store.database import open_database
from server.store.expiry import UNDO_SECONDS, Expiry
from server.store.migrate import list_backups, migrate_database, shipped_migrations
from tests.store.conversations import delete, exchange, purge

NOW = Expiry(now=1000.0, ttl=100.0)
EXPIRED = Expiry(now=1100.0, ttl=100.0)
HELLO = ("hi", "hello")


def save_by_id(connection, name, *texts, moment=NOW, **options):
    """Save under an explicit id; returns the session's id."""
    return saving.save_exchange(connection, moment, exchange(*texts, **options), name)


def save_without_id(connection, name, *texts, moment=NOW, **options):
    """Save a whole history without an id, with `name` for the answer; returns the session's id."""
    said = exchange(*texts, **options)
    before, _ = split_prefix(said.messages[:-1])
    return saving.save_exchange(connection, moment, said, name, explicit=False, prefix=len(before))


def texts_of(connection, name, moment=NOW):
    found = sessions.load_session(connection, moment, name)
    return None if found is None else [message["content"][0]["text"] for message in found.messages]


def listed(connection, moment=NOW):
    """Return the number of messages of each session."""
    page = sessions.list_summaries(connection, moment, search=None, cursor=None, limit=50)
    return {summary.id: summary.turns for summary in page.items}


@pytest.fixture
def session(connection):
    """Return the id of a session of four messages, with the checkpoints `first` and `second`."""
    save_without_id(connection, "first", *HELLO)
    return save_without_id(connection, "second", *HELLO, "c", "d")


def test_a_session_keeps_its_id(connection, session):
    assert save_without_id(connection, "third", *HELLO, *"cdef") == session
    assert listed(connection) == {session: 6}
    assert sessions.load_summary(connection, NOW, "first") == sessions.load_session(connection, NOW, session).summary


def test_no_checkpoint_is_the_session_itself(connection, session):
    """Another client may continue the session; the first client's id must not find its messages."""
    assert session not in {"first", "second"}
    assert texts_of(connection, "first") == [*HELLO]
    assert texts_of(connection, session) == [*HELLO, "c", "d"]
    assert sessions.load_session(connection, NOW, "first").summary.id == session


@pytest.mark.parametrize(
    ("name", "texts", "stays", "found"),
    [
        pytest.param("second", (*HELLO, *"cdef"), True, 6, id="at the end"),
        pytest.param("first", (*HELLO, *"xy"), False, 4, id="earlier"),
        pytest.param("second", (*HELLO, *"cx"), False, 4, id="at the end, with another answer"),
        pytest.param("second", ("other", "words"), False, 2, id="at the end, with other words"),
        pytest.param("mine", (*HELLO, *"cdef"), False, 6, id="an id of the client's own"),
    ],
)
def test_continue_by_id(connection, session, name, texts, stays, found):
    others = {other: texts_of(connection, other) for other in ("first", "second") if other != name}
    went_on = save_by_id(connection, name, *texts)
    assert (went_on == session) is stays
    assert listed(connection) == ({session: found} if stays else {session: 4, name: found})
    assert texts_of(connection, name) == [*texts]
    assert {other: texts_of(connection, other) for other in others} == others
    assert save_by_id(connection, name, *texts, "more", "yes") == went_on
    assert texts_of(connection, name) == [*texts, "more", "yes"]
    assert {other: texts_of(connection, other) for other in others} == others


def test_continuing_the_session_appends(connection, session):
    assert save_by_id(connection, session, *HELLO, *"cdef") == session
    assert [texts_of(connection, name) for name in ("first", "second")] == [[*HELLO], [*HELLO, "c", "d"]]


def test_at_the_end_only_what_is_new_is_written(connection, session):
    before = [tuple(row) for row in connection.execute("SELECT * FROM messages")]
    save_by_id(connection, "second", *HELLO, *"cdef")
    assert [tuple(row) for row in connection.execute("SELECT * FROM messages")][:4] == before


def test_the_only_checkpoint_is_no_reason_to_rewrite_what_came_after_it(connection):
    session = save_without_id(connection, "only", *HELLO)
    save_by_id(connection, session, *HELLO, *"cd")
    assert save_by_id(connection, "only", *HELLO, *"xy") == "only"
    assert listed(connection) == {session: 4, "only": 4}
    assert texts_of(connection, session) == [*HELLO, *"cd"]


def test_another_system_prompt_does_not_reach_the_other_checkpoints(connection, session):
    assert save_by_id(connection, "second", *HELLO, *"cdef", system=("Other.",)) == "second"
    assert sessions.load_session(connection, NOW, "first").system == ("Be brief.",)


@pytest.mark.parametrize("changed", [exchange("other", "words"), exchange(*HELLO, *"cd", system=("Other.",))])
def test_the_only_checkpoint_takes_its_session_along(connection, changed):
    """Nothing must remain after the client deletes its conversation."""
    session = save_without_id(connection, "only", *HELLO)
    assert saving.save_exchange(connection, NOW, changed, "only") == session
    assert listed(connection) == {session: len(changed.messages)}
    assert list(sessions.load_session(connection, NOW, "only").messages) == changed.messages


class TestTwoClients:
    """Two clients with the same history must not read or change each other's conversation."""

    def test_without_ids(self, connection):
        both = [save_without_id(connection, name, *HELLO) for name in ("a", "b")]
        last = [save_without_id(connection, f"{name}2", *HELLO, name, "yes") for name in ("a", "b")]
        assert set(last) == set(both)
        assert [texts_of(connection, name) for name in ("a", "b")] == [[*HELLO]] * 2
        assert [texts_of(connection, f"{name}2") for name in ("a", "b")] == [
            [*HELLO, name, "yes"] for name in ("a", "b")
        ]

    def test_one_goes_on_without_an_id_and_the_other_by_its_own(self, connection):
        """Both could continue one session: the first to do so gets it."""
        session = save_without_id(connection, "b", *HELLO)
        assert save_without_id(connection, "a", *HELLO, "secret", "yes") == session
        assert save_by_id(connection, "b", *HELLO, "mine", "yes") == "b"
        assert texts_of(connection, "a") == [*HELLO, "secret", "yes"]
        assert texts_of(connection, "b") == [*HELLO, "mine", "yes"]

    def test_a_named_session_is_not_continued_without_its_id(self, connection, session):
        save_by_id(connection, "second", *HELLO, *"cdef")
        other = save_without_id(connection, "a", *HELLO, *"cdef", "secret", "yes")
        assert other != session
        assert listed(connection) == {session: 6, other: 8}
        assert texts_of(connection, "second") == [*HELLO, *"cdef"]

    def test_two_forks_of_one_checkpoint(self, connection, session):
        """The second request came before the first answer."""
        assert save_without_id(connection, "left", *HELLO, *"cd", "left", "yes") == session
        right = save_without_id(connection, "right", *HELLO, *"cd", "right", "yes")
        assert right != session
        assert listed(connection) == {session: 6, right: 6}
        assert save_by_id(connection, "second", *HELLO, *"cd", "third", "yes") == "second"


class TestTheEnd:
    @pytest.mark.parametrize(
        ("deleted", "left"),
        [
            pytest.param(None, {}, id="by the session"),
            pytest.param("second", {}, id="by the checkpoint at its end"),
            pytest.param("first", {"second": 4}, id="an earlier checkpoint goes alone"),
        ],
    )
    def test_deleted(self, connection, session, deleted, left):
        removed = delete(connection, sessions.where_named([deleted or session]), [deleted or session])
        assert {name: len(found) for name in ("first", "second") if (found := texts_of(connection, name))} == left
        assert listed(connection) == dict.fromkeys([session] if left else [], 4)
        assert {*removed.ids, *removed.checkpoint_ids} == ({"first"} if left else {session, "first", "second"})
        assert checkpoints.count_checkpoints(connection, 1) == len(left)

    def test_a_deleted_checkpoint_goes_on_as_a_session_of_its_own(self, connection, session):
        sessions.delete_rows(connection, sessions.where_named([session]))
        assert save_by_id(connection, "second", *HELLO, *"cdef") == "second"
        assert listed(connection) == {"second": 6}

    def test_expired(self, connection, session):
        assert [texts_of(connection, name, EXPIRED) for name in ("first", "second", session)] == [None] * 3
        assert save_by_id(connection, "second", "new", "life", moment=EXPIRED) == "second"
        assert listed(connection, EXPIRED) == {"second": 2}
        assert texts_of(connection, "second", EXPIRED) == ["new", "life"]

    def test_purged(self, connection, path, session):
        purged = purge(connection, path, EXPIRED)
        assert (purged.ids, set(purged.checkpoint_ids)) == ((session,), {"first", "second"})
        assert connection.execute("SELECT count(*) FROM checkpoints").fetchone()[0] == 0

    def test_hidden_and_restored(self, connection, session):
        sessions.hide_rows(connection, NOW, [session])
        assert [texts_of(connection, name) for name in ("first", "second", session)] == [None] * 3
        sessions.restore_rows(connection, [session])
        assert [len(texts_of(connection, name)) for name in ("first", "second", session)] == [2, 4, 4]

    @pytest.mark.parametrize("go_on", [save_by_id, save_without_id])
    def test_continuations_of_a_hidden_end_stay_hidden(self, connection, session, go_on):
        sessions.hide_rows(connection, NOW, [session])
        name = "second" if go_on is save_by_id else "third"
        assert go_on(connection, name, *HELLO, *"cdef") == session
        assert listed(connection) == {}
        sessions.restore_rows(connection, [session])
        assert listed(connection) == {session: 6}

    @pytest.mark.parametrize("name", ["first", "second"])
    def test_another_conversation_is_not_hidden_with_it(self, connection, session, name):
        sessions.hide_rows(connection, NOW, [session])
        assert save_by_id(connection, name, "other", "words") == name
        assert listed(connection) == {name: 2}
        sessions.restore_rows(connection, [session])
        assert listed(connection) == {name: 2, session: 4}

    def test_the_only_checkpoint_of_a_hidden_session(self, connection, path):
        session = save_without_id(connection, "only", *HELLO)
        sessions.hide_rows(connection, NOW, [session])
        assert save_by_id(connection, "only", "other", "words") == "only"
        purge(connection, path, Expiry(NOW.now + UNDO_SECONDS + 1, NOW.ttl))
        assert listed(connection) == {"only": 2}


OLDER = {"ses_2": (*HELLO, *"cd"), "ses_4": (*HELLO, *"ef"), "mine": HELLO}


class TestOfAnOlderVersion:
    """Before migration 7, a session had the id of its last answer, and earlier answers' ids as former ids."""

    @pytest.fixture
    def older(self, path):
        path.parent.mkdir()
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            migrate_database(connection, path, shipped_migrations()[:6])
            for number, (name, texts) in enumerate(OLDER.items(), start=1):
                self.add(connection, number, name, exchange(*texts))
            connection.executemany("INSERT INTO former_ids VALUES (?, ?, ?)", [("ses_1", 1, 2), ("ses_3", 2, 2)])
            connection.execute("UPDATE sessions SET explicit = 1, pinned = 1 WHERE id IN ('ses_4', 'mine')")
        return path

    def add(self, connection, number, name, said):
        connection.execute(
            "INSERT INTO sessions (number, id, title, client, model, system, created_at, last_used_at, digest,"
            " history_digest, turn_count, message_count) VALUES (?, ?, 't', 'ide', 'm', ?, 1, ?, ?, ?, ?, ?)",
            [
                *(number, name, json.dumps(said.system), NOW.now, conversation_digest(said.system, said.messages)),
                *(conversation_digest((), said.messages), len(said.messages), len(said.messages)),
            ],
        )
        connection.executemany(
            "INSERT INTO messages (session, position, role, text, created_at, content) VALUES (?, ?, ?, '', 1, ?)",
            [(number, at, message["role"], json.dumps(message["content"])) for at, message in enumerate(said.messages)],
        )

    def test_the_ids_that_clients_have_find_the_same(self, older):
        with closing(open_database(older).connection) as connection:
            found = {name: texts_of(connection, name) for name in ("ses_1", "ses_2", "ses_3", "ses_4", "mine")}
            assert found == {"ses_1": [*HELLO], "ses_3": [*HELLO]} | {name: [*texts] for name, texts in OLDER.items()}

    def test_it_is_copied_before(self, older):
        open_database(older).connection.close()
        assert [backup.name for backup in list_backups(older)] == [
            f"{older.name}.before-v{shipped_migrations()[-1].number}"
        ]

    def test_they_go_on(self, older):
        with closing(open_database(older).connection) as connection:
            unnamed = sessions.load_summary(connection, NOW, "ses_2").id
            assert set(listed(connection)) == {unnamed, "ses_4", "mine"}
            assert save_by_id(connection, "ses_1", *HELLO, "x", "y") == "ses_1"
            assert save_by_id(connection, "mine", *HELLO, "x", "y") == "mine"
            assert save_by_id(connection, "ses_4", *HELLO, *"efgh") == "ses_4"
            assert save_without_id(connection, "ses_5", *HELLO, *"cd", "x", "y") == unnamed
            assert texts_of(connection, "ses_2") == [*HELLO, *"cd"]
            assert save_by_id(connection, "ses_2", *HELLO, *"cdef") == "ses_2"
            assert len(listed(connection)) == 5
