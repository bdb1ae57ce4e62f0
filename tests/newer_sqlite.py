"""Pytest plugin: run the tests on pysqlite3's SQLite, with `pytest -p tests.newer_sqlite tests/store`.

Python takes SQLite from the system, and some systems have one from before 3.44, whose checks look into fewer tables.
"""

import sys

import pysqlite3
import pytest

WANTED = (3, 44)

sys.modules["sqlite3"] = pysqlite3
sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2


def pytest_report_header() -> str:
    return f"SQLite: {pysqlite3.sqlite_version}"


def pytest_collection_finish() -> None:
    """Refuse to run tests that would prove nothing."""
    from server.store import database

    if database.sqlite3 is not pysqlite3:
        raise pytest.UsageError("the store was imported before the newer SQLite was put into its place")
    if pysqlite3.sqlite_version_info < WANTED:
        raise pytest.UsageError(f"pysqlite3 carries SQLite {pysqlite3.sqlite_version}, which is older than 3.44")
