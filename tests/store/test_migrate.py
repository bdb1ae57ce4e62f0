"""Schema migrations."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from server.core.errors import DatabaseUnusable
from server.core.records import RequestFilter
from server.core.transcript import conversation_digest
from server.store import requests, saving, sessions
from server.store.database import open_database
from server.store.expiry import Expiry
from server.store.migrate import (
    Migration,
    list_backups,
    migrate_database,
    shipped_migrations,
    transaction,
    user_version,
)
from tests.store.conversations import exchange
from tests.systems import posix_only

NOW = Expiry(now=1000.0, ttl=None)
SHIPPED = shipped_migrations()
NEXT = Migration(
    SHIPPED[-1].number + 1,
    """-- A comment; with a semicolon.
    ALTER TABLE sessions ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue';
    CREATE TRIGGER painted AFTER INSERT ON sessions BEGIN
        UPDATE sessions SET colour = 'red; dark' WHERE number = new.number;
    END;
    """,
)
BROKEN = Migration(NEXT.number, "CREATE TABLE half (x);\nINSERT INTO nowhere VALUES (1);\n")


def schema(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()


def save_one(path):
    with closing(open_database(path).connection) as connection:
        saving.save_exchange(connection, NOW, exchange("question", "answer"), session_id="kept")


def test_the_numbers_have_no_gap():
    assert [migration.number for migration in SHIPPED] == list(range(1, len(SHIPPED) + 1))


@pytest.mark.parametrize("version", range(len(SHIPPED)))
def test_every_older_version_becomes_the_newest(tmp_path, version):
    older, new = tmp_path / "older.db", tmp_path / "new.db"
    with closing(sqlite3.connect(older, isolation_level=None)) as connection:
        migrate_database(connection, older, SHIPPED[:version])
        assert user_version(connection) == version
    open_database(older).connection.close()
    open_database(new).connection.close()
    assert schema(older) == schema(new)


def test_sessions_of_the_first_version_go_on(path):
    """Sessions with client-chosen ids continue only by id; others by their history too."""
    old = exchange("a", "b")
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate_database(connection, path, SHIPPED[:1])
        for number, name in enumerate(("mine", "ses_1"), start=1):
            connection.execute(
                "INSERT INTO sessions VALUES (?, ?, 'a', 0, 'ide', 'opus', ?, 1, 1, 0, ?, ?, 2, 2, 0, 0)",
                [
                    number,
                    name,
                    json.dumps(old.system),
                    conversation_digest(old.system, old.messages),
                    conversation_digest((), old.messages),
                ],
            )
            connection.executemany(
                "INSERT INTO messages (session, position, role, text, created_at, content) VALUES (?, ?, ?, '', 1, ?)",
                [(number, at, said["role"], json.dumps(said["content"])) for at, said in enumerate(old.messages)],
            )
    longer = exchange("a", "b", "c", "d")
    with closing(open_database(path).connection) as connection:
        session = sessions.load_summary(connection, NOW, "ses_1").id
        assert saving.save_exchange(connection, NOW, longer, "ses_2", explicit=False, prefix=2) == session
        assert saving.save_exchange(connection, NOW, longer, "ses_3", explicit=False, prefix=2) != session
        saving.save_exchange(connection, NOW, longer, "mine")
        for name in ("mine", "ses_2", "ses_3"):
            assert list(sessions.load_session(connection, NOW, name).messages) == list(longer.messages)
        assert list(sessions.load_session(connection, NOW, "ses_1").messages) == list(old.messages)


def test_requests_of_before_are_found_by_their_status(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate_database(connection, path, SHIPPED[:4])
        connection.execute(
            "INSERT INTO requests (id, started_at, client, endpoint, stream, status, http_status, warnings)"
            " VALUES ('req_1', 1.0, 'aider', '/v1/messages', 1, 'error', 503, '[]')"
        )
    with closing(open_database(path).connection) as connection:
        found = requests.list_records(connection, RequestFilter(search="aider 503"), cursor=None, limit=10)
        assert [record.id for record in found.items] == ["req_1"]
        connection.execute("INSERT INTO request_search (request_search, rank) VALUES ('integrity-check', 1)")


def test_a_migration_keeps_what_is_there(path):
    save_one(path)
    with closing(open_database(path, migrations=[*SHIPPED, NEXT]).connection) as connection:
        assert user_version(connection) == NEXT.number
        assert sessions.load_session(connection, NOW, "kept").messages[0]["content"][0]["text"] == "question"
        saving.save_exchange(connection, NOW, exchange("new"), session_id="new")
        colours = connection.execute("SELECT id, colour FROM sessions ORDER BY id").fetchall()
    assert [tuple(row) for row in colours] == [("kept", "blue"), ("new", "red; dark")]


@posix_only("file modes")
def test_the_database_is_copied_before_a_migration(path):
    save_one(path)
    open_database(path, migrations=[*SHIPPED, NEXT]).connection.close()
    (backup,) = list_backups(path)
    assert backup.name == f"{path.name}.before-v{NEXT.number}"
    assert backup.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(backup)) as connection:
        assert user_version(connection) == SHIPPED[-1].number
        assert connection.execute("SELECT id FROM sessions").fetchall() == [("kept",)]


def test_no_copy_is_made_without_need(path):
    save_one(path)
    open_database(path).connection.close()
    assert list_backups(path) == []


def test_a_migration_that_fails_changes_nothing(path):
    save_one(path)
    before = schema(path)
    with pytest.raises(DatabaseUnusable, match="nowhere"):
        open_database(path, migrations=[*SHIPPED, BROKEN])
    assert schema(path) == before
    with closing(open_database(path).connection) as connection:
        assert sessions.load_session(connection, NOW, "kept")


def test_processes_that_open_an_old_database_at_once_migrate_it_once(path):
    save_one(path)

    def open_newest(_):
        with closing(open_database(path, migrations=[*SHIPPED, NEXT]).connection) as connection:
            return user_version(connection)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(open_newest, range(8))) == [NEXT.number] * 8
    (backup,) = list_backups(path)
    with closing(sqlite3.connect(backup)) as connection:
        assert user_version(connection) == SHIPPED[-1].number


def test_a_transaction_is_undone_when_it_fails(connection):
    def fail():
        with transaction(connection):
            connection.execute("INSERT INTO meta VALUES ('a', 'b')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert connection.execute("SELECT count(*) FROM meta").fetchone()[0] == 0
    assert not connection.in_transaction
