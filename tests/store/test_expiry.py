"""Purges, and purges after a clock was set."""

import os

import pytest

from server.core.records import RequestFilter
from server.store import expiry, requests, saving, sessions
from server.store.damage import side_path
from server.store.expiry import Expiry
from server.store.removal import Removed
from tests.store.conversations import exchange, files_with, record
from tests.store.conversations import purge as purge_by

TTL = 100.0


def save(connection, session_id, at, *texts):
    saving.save_exchange(connection, Expiry(at, TTL), exchange(*(texts or ("a", "b"))), session_id=session_id)


def purge(connection, path, now, ttl=TTL):
    return purge_by(connection, path, Expiry(now, ttl))


def stored(connection):
    return {row["id"] for row in connection.execute("SELECT id FROM sessions")}


def logged(connection):
    return {item.id for item in requests.list_records(connection, RequestFilter(), cursor=None, limit=50).items}


def test_the_expired_go_and_the_others_stay(connection, path):
    for name, at in (("old", 899.0), ("due", 900.0), ("young", 901.0)):
        save(connection, name, at)
    assert set(purge(connection, path, 1000.0).ids) == {"old", "due"}
    assert stored(connection) == {"young"}
    assert connection.execute("SELECT count(*) FROM messages").fetchone()[0] == 2


def test_use_keeps_a_session(connection, path):
    save(connection, "s", 900.0)
    save(connection, "s", 950.0, "a", "b", "c", "d")
    assert purge(connection, path, 1000.0).ids == ()
    assert purge(connection, path, 1050.0).ids == ("s",)


def test_the_pinned_stay(connection, path):
    save(connection, "s", 900.0)
    sessions.set_pinned(connection, Expiry(900.0, TTL), "s", True)
    assert purge(connection, path, 9e9).ids == ()
    sessions.set_pinned(connection, Expiry(9e9, TTL), "s", False)
    assert purge(connection, path, 9e9).ids == ("s",)


def test_without_a_ttl_everything_stays(connection, path):
    save(connection, "s", 0.0)
    requests.write_records(connection, [record("r", 0.0, status="ok")])
    assert purge(connection, path, 9e9, ttl=None) == Removed((), ())
    assert (stored(connection), logged(connection)) == ({"s"}, {"r"})


def test_a_new_ttl_holds_for_what_is_there(connection, path):
    save(connection, "s", 900.0)
    assert purge(connection, path, 950.0).ids == ()
    assert purge(connection, path, 950.0, ttl=10.0).ids == ("s",)


def test_requests_go_with_the_same_ttl(connection, path):
    requests.write_records(
        connection,
        [
            record("old", 900.0, status="ok"),
            record("running", 900.0),
            record("young", 901.0, status="ok"),
        ],
    )
    purge(connection, path, 1000.0)
    assert logged(connection) == {"running", "young"}


def test_a_clock_that_was_set_back_keeps_nothing_for_ever(connection, path):
    save(connection, "s", 5_000_000.0)
    requests.write_records(connection, [record("r", 5_000_000.0, status="ok")])
    assert purge(connection, path, 1000.0).ids == ()
    assert sessions.load_session(connection, Expiry(1000.0, TTL), "s").summary.last_used_at == 1000.0
    assert purge(connection, path, 1099.0) == Removed((), ())
    assert purge(connection, path, 1100.0) == Removed(("s",), ())
    assert logged(connection) == set()


def test_nothing_of_the_expired_stays_on_the_disk(connection, path):
    save(connection, "s", 900.0, "the password is xyzzyplugh", "noted: xyzzyplugh")
    requests.write_records(
        connection, [record("r", 900.0, status="ok", error="frobnicate", response_body="xyzzyplugh")]
    )
    save(connection, "young", 990.0, "hello", "there")
    assert files_with(path.parent, "xyzzyplugh")
    assert files_with(path.parent, "frobnicate")
    purge(connection, path, 1000.0)
    assert files_with(path.parent, "xyzzyplugh") == []
    assert files_with(path.parent, "frobnicate") == []


@pytest.mark.parametrize(("ttl", "stays"), [(TTL, {"young"}), (None, {"young", "old"})])
def test_old_copies_of_the_database_go_too(connection, path, ttl, stays):
    copies = {"old": side_path(path, ".before-v2"), "young": side_path(path, ".before-v3")}
    for name, modified in (("old", 900.0), ("young", 901.0)):
        copies[name].touch()
        os.utime(copies[name], (modified, modified))
    purge(connection, path, 1000.0, ttl)
    assert {name for name, copy in copies.items() if copy.exists()} == stays


def test_a_copy_that_another_process_removes_meanwhile_is_gone(connection, path, monkeypatch):
    here, gone = side_path(path, ".before-v2"), side_path(path, ".before-v3.part-x")
    here.touch()
    os.utime(here, (900.0, 900.0))
    monkeypatch.setattr(expiry, "list_backups", lambda _: [gone, here])
    purge(connection, path, 1000.0)
    assert not here.exists()
