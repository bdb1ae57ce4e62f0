"""Sums by client key, backend and day."""

from dataclasses import replace
from datetime import datetime, timedelta

from server.core.records import KeyUsage, RequestRecord
from server.store import requests
from server.store.usage import ALL_USAGE, UsageFilter, first_of_last_days, read_usage, sum_by_key
from tests.store.conversations import delete_requests

NOON = datetime(2026, 5, 20, 12).timestamp()
DAY = 86400.0


def ended(request_id: str = "r1", *, at: float = NOON, key: str | None = "key_1", **changes: object) -> RequestRecord:
    values = {"input_tokens": 100, "output_tokens": 20, "cost_usd": 0.5, "backend": "claude_code", "status": "ok"}
    return RequestRecord(request_id, at, "/v1/messages", "c", key_id=key, key_name=key, **{**values, **changes})


def running(record: RequestRecord) -> RequestRecord:
    return replace(record, status="running", input_tokens=None, output_tokens=None, cost_usd=None)


def test_a_request_counts_once_when_it_ends(connection):
    requests.write_records(connection, [running(ended())])
    assert sum_by_key(connection) == {}
    requests.write_records(connection, [ended()])
    requests.write_records(connection, [ended()])
    assert sum_by_key(connection) == {"key_1": KeyUsage(1, 120, 0.5, NOON)}


def test_one_that_is_written_at_its_end_alone_counts_too(connection):
    requests.write_records(connection, [ended()])
    assert sum_by_key(connection)["key_1"].requests == 1


def test_an_id_that_a_client_uses_again_hides_nothing(connection):
    for second in range(3):
        requests.write_records(connection, [ended(at=NOON + second)])
    assert sum_by_key(connection) == {"key_1": KeyUsage(3, 360, 1.5, NOON + 2)}


def test_sums_outlive_the_requests(connection):
    requests.write_records(connection, [ended("r1"), ended("r2")])
    assert delete_requests(connection, requests.where_filter(requests.RequestFilter())) == 2
    assert sum_by_key(connection)["key_1"].requests == 2


def test_what_a_guard_refused_has_no_backend_and_does_not_count(connection):
    requests.write_records(connection, [ended(backend=None, status="error")])
    assert sum_by_key(connection) == {}


def test_an_interrupted_request_counts(connection):
    requests.write_records(connection, [running(ended())])
    requests.mark_interrupted(connection)
    assert sum_by_key(connection) == {"key_1": KeyUsage(1, 0, 0.0, NOON)}


def test_keys_backends_and_days_are_told_apart(connection):
    records = [
        ended("r1", key="key_1"),
        ended("r2", key="key_2", backend="anthropic_api"),
        ended("r3", key=None),
        ended("r4", key="key_1", at=NOON - DAY),
    ]
    requests.write_records(connection, records)
    today = datetime.fromtimestamp(NOON).date()

    def counts(wanted: UsageFilter) -> dict[str, int]:
        return {key: usage.requests for key, usage in sum_by_key(connection, wanted).items()}

    assert counts(ALL_USAGE) == {"key_1": 2, "key_2": 1, "": 1}
    assert counts(UsageFilter(since=today)) == {"key_1": 1, "key_2": 1, "": 1}
    assert counts(UsageFilter(since=today, backend="anthropic_api")) == {"key_2": 1}
    assert counts(UsageFilter(key_id="")) == {"": 1}
    assert counts(UsageFilter(since=today + timedelta(days=1))) == {}


def test_a_day_is_one_of_local_time(connection):
    before, after = datetime(2026, 5, 19, 23, 59, 59).timestamp(), datetime(2026, 5, 20, 0, 0, 0).timestamp()
    requests.write_records(connection, [ended("r1", at=before), ended("r2", at=after)])
    days = [row["day"] for row in connection.execute("SELECT day FROM usage_by_day ORDER BY day")]
    assert days == ["2026-05-19", "2026-05-20"]


async def test_a_file_that_a_server_has_open_is_read_without_a_change(store, path):
    await store.record_request(running(ended("r1")))
    await store.record_request(ended("r2"))
    assert (await store.usage_by_key())["key_1"].requests == 1
    assert read_usage(path, ALL_USAGE, UsageFilter(backend="other")) == [{"key_1": KeyUsage(1, 120, 0.5, NOON)}, {}]
    found = await store.get_request("r1")
    assert found is not None
    assert found.status == "running"


def test_a_missing_or_an_old_file_has_no_sums(tmp_path, path, connection):
    assert read_usage(tmp_path / "missing.db", ALL_USAGE) == [{}]
    connection.execute("PRAGMA user_version = 8")
    assert read_usage(path, ALL_USAGE) == [{}]


def test_the_last_days_include_today():
    today = datetime.fromtimestamp(NOON).date()
    assert first_of_last_days(today, 1) == today
    assert first_of_last_days(today, 30) == today - timedelta(days=29)
