"""Opening database files in every state."""

import os
import shutil
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from server import __version__
from server.core.errors import DatabaseTooNew, DatabaseUnusable
from server.store import saving, sessions
from server.store.damage import mark_suspect, side_path
from server.store.database import open_database
from server.store.expiry import Expiry
from server.store.migrate import shipped_migrations, user_version
from server.store.search_index import find_named_index, search_indexes, unusable_indexes
from tests.store.conversations import exchange
from tests.systems import posix_only

posix = posix_only("file modes")

NOW = Expiry(now=1000.0, ttl=None)
NEWEST = shipped_migrations()[-1].number


def rights(file):
    return file.stat().st_mode & 0o777


def snapshot(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def fill(path, count=3):
    with closing(open_database(path).connection) as connection:
        for number in range(count):
            saving.save_exchange(
                connection, NOW, exchange(f"question {number}", "answer " * 200), session_id=f"s{number}"
            )


def titles(connection):
    page = sessions.list_summaries(connection, NOW, search=None, cursor=None, limit=200)
    return sorted(item.title for item in page.items)


@contextmanager
def unfinished(path, statement):
    """Create a database whose last commit is only in the write-ahead log, as after a kill."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(statement)
        yield


@posix
def test_a_new_database_is_private_whatever_the_umask(path):
    before = os.umask(0)
    try:
        with closing(open_database(path).connection) as connection:
            saving.save_exchange(connection, NOW, exchange("a", "b"), "s")
            found = {file.name: rights(file) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert found == {"history.db": 0o600, "history.db-wal": 0o600, "history.db-shm": 0o600}
    assert rights(path.parent) == 0o700


@posix
def test_an_existing_database_becomes_private(path):
    fill(path)
    path.chmod(0o644)
    with closing(open_database(path).connection) as connection:
        saving.save_exchange(connection, NOW, exchange("a", "b"), "s")
        assert {rights(file) for file in path.parent.iterdir()} == {0o600}


def test_how_a_database_is_run(connection):
    def pragma(name):
        return connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert pragma("journal_mode") == "wal"
    assert pragma("foreign_keys") == 1
    assert pragma("secure_delete") == 1
    assert pragma("synchronous") == 1
    assert pragma("auto_vacuum") == 2
    assert pragma("busy_timeout") == 5000


def test_an_empty_file_is_a_new_database(path):
    path.parent.mkdir()
    path.touch()
    with closing(open_database(path).connection) as connection:
        assert titles(connection) == []


def test_what_was_stored_is_there_again(path):
    fill(path)
    opened = open_database(path)
    with closing(opened.connection) as connection:
        assert titles(connection) == ["question 0", "question 1", "question 2"]
    assert opened.notice is None


def test_what_a_killed_process_left_in_the_write_ahead_log_is_there(path, tmp_path):
    fill(path)
    copy = tmp_path / "copy" / path.name
    with unfinished(path, "UPDATE sessions SET title = 'late'"):
        shutil.copytree(path.parent, copy.parent)
    with closing(open_database(copy).connection) as connection:
        assert titles(connection) == ["late"] * 3


class TestTooNew:
    @pytest.fixture
    def newer(self, path):
        fill(path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 99")
        return path

    def refused(self, path):
        before = snapshot(path.parent)
        with pytest.raises(DatabaseTooNew) as caught:
            open_database(path)
        assert snapshot(path.parent).keys() == before.keys()
        # The -shm is an index of the -wal that every reader may rewrite.
        now = {name: held for name, held in snapshot(path.parent).items() if not name.endswith("-shm")}
        assert now == {name: before[name] for name in now}
        return caught.value

    def test_it_is_left_untouched(self, newer):
        assert [file.name for file in newer.parent.iterdir()] == [newer.name]
        error = self.refused(newer)
        assert (error.found, error.known) == (99, NEWEST)
        assert str(newer) in error.message
        assert error.hint

    @posix
    def test_rights_are_left_untouched(self, newer):
        newer.chmod(0o644)
        self.refused(newer)
        assert rights(newer) == 0o644

    @pytest.mark.parametrize("lost", [(), ("-shm",)])
    def test_a_version_that_is_only_in_the_write_ahead_log_counts(self, path, tmp_path, lost):
        fill(path)
        copy = tmp_path / "copy" / path.name
        with unfinished(path, "PRAGMA user_version = 99"):
            shutil.copytree(path.parent, copy.parent)
        for suffix in lost:
            side_path(copy, suffix).unlink()
        assert copy.read_bytes()[60:64] == NEWEST.to_bytes(4, "big")
        assert self.refused(copy).found == 99

    def test_it_says_which_version_wrote_it(self, newer):
        with closing(sqlite3.connect(newer)) as connection, connection:
            connection.execute("INSERT INTO meta VALUES ('written_by', '7.8.9')")
        error = self.refused(newer)
        assert "7.8.9" in error.message
        assert __version__ in error.message


def test_another_programs_database_is_refused_and_left_untouched(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE sessions (x)")
    before = snapshot(path.parent)
    with pytest.raises(DatabaseUnusable, match="another program"):
        open_database(path)
    assert snapshot(path.parent) == before


class TestWhileAnotherProcessWorks:
    """Other processes open and close the file at the same time: the last to close it removes its side files."""

    @pytest.mark.parametrize("looks", [1, 2])
    def test_a_side_file_goes_away_while_it_is_looked_at(self, path, monkeypatch, caplog, looks):
        fill(path)
        side = side_path(path, "-journal")
        side.touch()
        side.chmod(0o666)
        left = [None] * looks
        look = Path.stat

        def goes_away(file, **options):
            found = look(file, **options)
            if file == side and left:
                left.pop()
                if not left:
                    side.unlink()
            return found

        monkeypatch.setattr(Path, "stat", goes_away)
        with closing(open_database(path).connection) as connection:
            assert len(titles(connection)) == 3
        assert not left
        assert "others may read" not in caplog.text

    def test_what_looks_damaged_without_a_lock_is_not_set_aside(self, path, tmp_path, monkeypatch):
        fill(path)
        torn = tmp_path / "torn"
        torn.write_bytes(path.read_bytes()[:100] + b"\xff" * 8000)
        files = iter([torn])
        monkeypatch.setattr(
            "server.store.inspection._connect_uri", lambda file, mode: sqlite3.connect(next(files, file))
        )
        opened = open_database(path)
        assert next(files, None) is None
        with closing(opened.connection) as connection:
            assert len(titles(connection)) == 3
        assert opened.notice is None


class TestDamaged:
    @pytest.fixture
    def sound(self, path):
        fill(path)
        return path.read_bytes()

    @pytest.mark.parametrize(
        "damage",
        [
            lambda whole: b"This is not a database. " * 400,
            lambda whole: os.urandom(64) + whole[64:],
            lambda whole: os.urandom(100) + whole[100:],
            lambda whole: whole[:50],
            lambda whole: whole[:100],
            lambda whole: whole[:5000],
            lambda whole: whole[: len(whole) // 2],
            lambda whole: whole[:-4096],
            lambda whole: whole[:100] + b"\xff" * 8 + whole[108:],
            lambda whole: whole[:4096] + b"\xff" * 3 * 4096 + whole[4 * 4096 :],
        ],
    )
    def test_it_is_set_aside_and_a_new_one_made(self, path, sound, damage):
        damaged = damage(sound)
        path.write_bytes(damaged)
        opened = open_database(path)
        with closing(opened.connection) as connection:
            assert titles(connection) == []
            saving.save_exchange(connection, NOW, exchange("new", "life"), "s")
        (aside,) = [file for file in path.parent.iterdir() if ".damaged-" in file.name]
        assert aside.read_bytes() == damaged
        assert str(aside) in opened.notice
        again = open_database(path)
        again.connection.close()
        assert again.notice is None

    def test_no_flipped_page_keeps_the_program_from_starting(self, path, sound):
        for start in range(0, len(sound), 4096):
            flipped = bytes(byte ^ 0xA5 for byte in sound[start : start + 4096])
            path.write_bytes(sound[:start] + flipped + sound[start + 4096 :])
            opened = open_database(path)
            with closing(opened.connection) as connection:
                # A free page or text alone does not damage the structure.
                assert opened.notice or len(titles(connection)) == 3

    def test_its_write_ahead_log_goes_with_it(self, path, sound):
        path.write_bytes(b"x" * 5000)
        side_path(path, "-wal").write_bytes(b"y" * 100)
        open_database(path).connection.close()
        asides = {file.name.rpartition("-")[2]: file for file in path.parent.iterdir() if ".damaged-" in file.name}
        assert asides["wal"].read_bytes() == b"y" * 100
        assert len(asides) == 2

    def test_a_second_one_does_not_overwrite_the_first(self, path):
        path.parent.mkdir()
        for content in (b"first " * 100, b"second " * 100, b"third " * 100):
            path.write_bytes(content)
            open_database(path).connection.close()
            path.unlink()
        contents = {file.read_bytes()[:5] for file in path.parent.iterdir() if ".damaged-" in file.name}
        assert contents == {b"first", b"secon", b"third"}


INDEX_DAMAGE = {
    "blocks": "UPDATE message_search_data SET block = x'0000' WHERE id > 10",
    "no blocks": "DELETE FROM message_search_data WHERE id > 10",
    "structure": "UPDATE message_search_data SET block = x'ffff' WHERE id = 10",
    "averages": "UPDATE message_search_data SET block = x'' WHERE id = 1",
    "empty": "DELETE FROM message_search_data",
    "pages": "DELETE FROM message_search_idx",
    "sizes": "UPDATE message_search_docsize SET sz = x'ff'",
    "version": "UPDATE message_search_config SET v = 99 WHERE k = 'version'",
    "no version": "DELETE FROM message_search_config",
    "no table": "DROP TABLE message_search_data",
    "no pages": "DROP TABLE message_search_idx",
}


class TestDamagedSearchIndex:
    """The indexed rows are sound: the index is rebuilt, and the file not set aside."""

    @pytest.fixture(params=INDEX_DAMAGE)
    def damaged(self, path, request):
        fill(path)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(INDEX_DAMAGE[request.param])
        return path

    def found(self, path, search):
        opened = open_database(path)
        with closing(opened.connection) as connection:
            assert opened.notice is None
            assert titles(connection) == ["question 0", "question 1", "question 2"]
            assert connection.execute("PRAGMA quick_check").fetchone()[0] == "ok"
            return sessions.list_summaries(connection, NOW, search=search, cursor=None, limit=10).total

    def test_it_is_rebuilt_once_work_has_met_it(self, damaged):
        mark_suspect(damaged)
        assert self.found(damaged, "answer") == 3
        assert [file.name for file in damaged.parent.iterdir()] == [damaged.name]

    @pytest.mark.parametrize(
        "damage", ["blocks", "no blocks", "empty", "version", "no version", "no table", "no pages"]
    )
    def test_what_the_check_finds_is_rebuilt_at_once(self, path, damage):
        fill(path)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(INDEX_DAMAGE[damage])
        if sqlite3.sqlite_version_info < (3, 44):  # its check does not look into search indexes
            mark_suspect(path)
        assert self.found(path, "answer") == 3

    def test_every_index_can_be_rebuilt(self, path):
        fill(path)
        with closing(open_database(path).connection) as connection:
            indexes = search_indexes(connection)
            assert sorted(indexes) == ["message_search", "request_search", "title_search"]
            for index in indexes:
                connection.execute(f"DELETE FROM {index}_config")  # noqa: S608
        assert self.found(path, "question") == 3
        with closing(open_database(path).connection) as connection:
            saving.save_exchange(connection, NOW, exchange("question 3", "later"), "s3")
            assert sessions.list_summaries(connection, NOW, search="later", cursor=None, limit=10).total == 1

    def test_a_migration_finds_it_rebuilt(self, path):
        first = shipped_migrations()[:1]
        with closing(open_database(path, migrations=first).connection) as connection:
            connection.execute("DELETE FROM request_search_config")
        with closing(open_database(path).connection) as connection:
            assert user_version(connection) == NEWEST
            connection.execute("SELECT count(*) FROM request_search WHERE status MATCH 'x'")

    @pytest.mark.parametrize("damage", INDEX_DAMAGE)
    def test_damage_of_another_kind_beside_it_is_damage_to_the_file(self, path, damage):
        fill(path)
        with closing(sqlite3.connect(path)) as connection:
            with connection:
                connection.execute(INDEX_DAMAGE[damage])
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            query = "SELECT rootpage FROM sqlite_master WHERE name = 'sessions_by_use'"
            root = connection.execute(query).fetchone()[0]
        whole = path.read_bytes()
        path.write_bytes(whole[: (root - 1) * 4096] + b"\xff" * 4096 + whole[root * 4096 :])
        opened = open_database(path)
        with closing(opened.connection) as connection:
            assert titles(connection) == []
        assert opened.notice

    def test_a_lock_is_not_taken_for_damage(self, path):
        fill(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN IMMEDIATE")
            with (
                closing(sqlite3.connect(path, timeout=0)) as connection,
                pytest.raises(sqlite3.OperationalError, match="locked"),
            ):
                unusable_indexes(connection)


@pytest.mark.parametrize(
    ("finding", "index"),
    [
        ('fts5: corruption found reading blob 137438953473 from table "message_search"', "message_search"),
        ("malformed inverted index for FTS5 table main.title_search", "title_search"),
        ("unable to validate the inverted index for FTS5 table main.title_search: out of memory", "title_search"),
        ("NULL value in message_search_data.block", "message_search"),
        ("NULL value in messages.text", None),
        ("wrong # of entries in index message_search_2", None),
        ("*** in database main ***\nTree 12 page 34 cell 5: Rowid 7 out of order", None),
    ],
)
def test_which_index_a_finding_is_about(finding, index):
    assert find_named_index(finding, ["title_search", "message_search"]) == index


class TestUnusable:
    @posix
    def test_without_rights(self, tmp_path):
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o000)
        migrations = shipped_migrations()  # read beforehand: other users may not be able to read the checkout
        root = os.geteuid() == 0  # rights do not bind root
        if root:
            os.seteuid(65534)
        try:
            with pytest.raises(DatabaseUnusable, match="access is denied") as caught:
                open_database(folder / "history.db", migrations=migrations)
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o700)
        assert "access" in caught.value.hint
        assert list(folder.iterdir()) == []

    def test_a_folder_in_its_place(self, path):
        path.mkdir(parents=True)
        with pytest.raises(DatabaseUnusable) as caught:
            open_database(path)
        assert caught.value.hint

    def test_a_file_in_the_place_of_its_folder(self, path):
        path.parent.touch()
        with pytest.raises(DatabaseUnusable):
            open_database(path)

    def test_locked_by_another_program(self, path):
        fill(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN IMMEDIATE")
            other.execute("UPDATE sessions SET title = title")
            other.execute("COMMIT")
            before = path.read_bytes()
            with pytest.raises(DatabaseUnusable, match="locked") as caught:
                open_database(path, busy_timeout=0.01)
            assert path.read_bytes() == before
        assert "Close the program" in caught.value.hint
        open_database(path).connection.close()
