"""kill -9 at any statement loses no acknowledged write and leaves a file that opens."""

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from server.store import checkpoints, sessions
from server.store.database import open_database
from server.store.expiry import Expiry
from server.store.responses import load_chain
from server.store.search_index import search_indexes
from tests.systems import posix_only

pytestmark = posix_only("signals")

ROOT = Path(__file__).parents[2]
NOW = Expiry(now=1000.0, ttl=None)


def run_until_killed(path, statements):
    """Return the lines that the process wrote before it was killed."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.store.killed_process", str(path), str(statements)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    return process.stdout.splitlines()


def acknowledged(lines):
    """Return the acknowledged number of messages of each session."""
    counts = {}
    for line in lines:
        match line.split():
            case ["saved", name, count]:
                counts[name] = int(count)
            case ["deleted", name]:
                del counts[name]
    return counts


def assert_responses_are_whole(connection):
    """Each with its session, its items and those before it."""
    ids = [row["id"] for row in connection.execute("SELECT id FROM responses")]
    for response_id in ids:
        items = load_chain(connection, NOW, response_id).items
        assert len(items) == len(sessions.load_session(connection, NOW, response_id).messages)
    unnamed = "SELECT count(*) FROM checkpoints WHERE id GLOB '*-[12]' AND id NOT IN (SELECT id FROM responses)"
    assert connection.execute(unnamed).fetchone()[0] == 0
    unused = "SELECT count(*) FROM item_contents WHERE number NOT IN (SELECT content FROM response_items)"
    assert connection.execute(unused).fetchone()[0] == 0


def stored(path):
    opened = open_database(path)
    assert opened.notice is None
    with closing(opened.connection) as connection:
        assert_responses_are_whole(connection)
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        for index in search_indexes(connection):
            connection.execute(f"INSERT INTO {index} ({index}) VALUES ('integrity-check')")  # noqa: S608
        sql = "SELECT id FROM sessions WHERE explicit UNION SELECT id FROM checkpoints"
        ids = [row["id"] for row in connection.execute(sql)]
        unnamed = connection.execute("SELECT number FROM sessions WHERE NOT explicit").fetchall()
        assert all(
            checkpoints.count_checkpoints(connection, row["number"]) for row in unnamed
        )  # no unreachable session
        return {name: len(sessions.load_session(connection, NOW, name).messages) for name in ids}


def assert_nothing_lost(lines, before, path):
    kept = {**before, **acknowledged(lines)}
    found = stored(path)
    assert set(found.values()) <= {2, 4}  # no partial save
    # The statement that killed the process may or may not have been committed.
    undone = {name for name in kept if name not in found}
    more = {name for name in found if found[name] != kept.get(name)}
    assert len(undone | more) <= 1
    assert all(found[name] > kept.get(name, 0) for name in more)
    return found


@pytest.mark.parametrize("statements", [1, 2, 3, 5, 8, 10, 12, 16, 25, 40, 60, 75, 90])
def test_killed_while_the_database_is_made(path, statements):
    lines = run_until_killed(path, statements)
    assert_nothing_lost(lines, {}, path)


def test_killed_again_and_again(path):
    found = {}
    for statements in (250, 251, 253, 302, 433, 600, 877, 1434):
        lines = run_until_killed(path, statements)
        assert lines[0] == "opened"
        found = assert_nothing_lost(lines, found, path)
    assert len(found) > 5
