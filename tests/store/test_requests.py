"""Rows of the request log."""

import re
from dataclasses import fields, replace

import pytest

from server.core.errors import InvalidRequest
from server.core.records import RequestFilter, RequestRecord, StatisticsBucket
from server.store import requests, saving
from server.store.expiry import Expiry
from server.store.paging import Where
from server.store.requests import REQUESTS
from tests.store.conversations import delete_requests, exchange, record

FULL = RequestRecord(
    id="req_full",
    started_at=1234.5,
    endpoint="/v1/chat/completions",
    client="openai-python/3.54",
    requested_model="gpt-5",
    model="claude-opus-5-5",
    session_id="s1",
    backend="claude_cli",
    stream=True,
    status="error",
    http_status=529,
    ttft=0.03,
    duration=1.5,
    input_tokens=100,
    output_tokens=20,
    cache_read_tokens=80,
    cache_write_tokens=5,
    cost_usd=0.0123,
    stop_reason="end_turn",
    error="Overloaded",
    warnings=("temperature was left out", "seed is not honoured"),
    request_body='{"model": "gpt-5"}',
    response_body="{}",
    request_headers=(("host", "localhost"), ("accept", "*/*"), ("accept", "text/html")),
    key_id="key_1",
    key_name="zed",
)


def ids(connection, **wanted):
    page = requests.list_records(connection, RequestFilter(**wanted), cursor=None, limit=200)
    assert page.total == len(page.items)
    return [item.id for item in page.items]


@pytest.mark.parametrize("stored", [FULL, record()])
def test_every_field_comes_back(connection, stored):
    requests.write_records(connection, [stored])
    assert requests.find_record(connection, stored.id) == stored


def test_the_table_has_a_column_for_every_field(connection):
    columns = [row["name"] for row in connection.execute("PRAGMA table_info(requests)")]
    assert columns == ["number", *(field.name for field in fields(RequestRecord))]
    assert all(getattr(FULL, field.name) is not None for field in fields(RequestRecord))


def test_a_list_leaves_the_bodies_and_the_headers_out(connection):
    requests.write_records(connection, [FULL])
    (item,) = requests.list_records(connection, RequestFilter(), cursor=None, limit=1).items
    assert item == replace(FULL, request_body=None, response_body=None, request_headers=None)


def test_a_later_record_takes_the_place_of_the_earlier(connection):
    started = replace(FULL, status="running", error=None, model=None, duration=None)
    requests.write_records(connection, [started])
    requests.write_records(connection, [replace(started, model="claude-haiku-5-5"), FULL])
    assert requests.find_record(connection, FULL.id) == FULL
    assert ids(connection) == [FULL.id]
    assert ids(connection, search="overloaded") == [FULL.id]
    assert ids(connection, search="haiku") == []


def test_text_that_is_not_utf8_is_stored_all_the_same(connection):
    requests.write_records(
        connection, [record(error="bytes: \udcff", warnings=("\ud800",), request_headers=(("x-a", "\ud800"),))]
    )
    assert requests.find_record(connection, "req_1").error == "bytes: ?"
    assert requests.find_record(connection, "req_1").warnings == ("?",)
    assert requests.find_record(connection, "req_1").request_headers == (("x-a", "?"),)


def test_an_unknown_request(connection):
    assert requests.find_record(connection, "nobody") is None
    assert requests.find_record(connection, "\udcff") is None


def test_filters(connection):
    requests.write_records(
        connection,
        [
            record("a", 10.0, status="ok", session_id="s1"),
            record("b", 20.0, status="error", session_id="s1"),
            record("c", 30.0, status="ok", session_id="s2", error="odd"),
            record("d", 40.0),
        ],
    )
    assert ids(connection) == ["d", "c", "b", "a"]
    assert ids(connection, status="ok") == ["c", "a"]
    assert ids(connection, session_id="s1") == ["b", "a"]
    assert ids(connection, session_id="s1", status="ok") == ["a"]
    assert ids(connection, since=20.0, until=40.0) == ["c", "b"]
    assert ids(connection, search="odd", status="ok", since=5.0) == ["c"]
    assert ids(connection, search="!!") == []
    assert ids(connection, search="error") == ["b"]
    assert ids(connection, session_id="\ud800") == []


def test_a_status_is_found_as_soon_as_it_is_known(connection):
    running = record("a", 10.0)
    requests.write_records(connection, [running, record("b", 20.0, status="ok", http_status=200)])
    assert ids(connection, search="running") == ["a"]
    requests.write_records(connection, [replace(running, status="error", http_status=503)])
    assert ids(connection, search="running") == []
    assert ids(connection, search="error 503") == ["a"]
    assert ids(connection, search="50") == ["a"]


def test_deleting_by_filter(connection):
    requests.write_records(
        connection, [record(f"r{at}", float(at), status="ok" if at % 2 else "error") for at in range(10)]
    )
    assert delete_requests(connection, requests.where_filter(RequestFilter(status="error"))) == 5
    assert ids(connection) == ["r9", "r7", "r5", "r3", "r1"]
    assert delete_requests(connection, requests.where_filter(RequestFilter(search="r7"))) == 1
    assert delete_requests(connection, requests.where_filter(RequestFilter())) == 4
    assert ids(connection) == []
    assert ids(connection, search="r9") == []


def test_requests_that_a_crash_left_running_are_ended(connection):
    requests.write_records(connection, [record("a"), record("b", status="ok"), record("c", error="was slow")])
    assert requests.mark_interrupted(connection) == 2
    ended = requests.find_record(connection, "a")
    assert (ended.status, ended.error) == ("error", "The server was stopped while this request was running.")
    assert requests.find_record(connection, "b") == record("b", status="ok")
    assert requests.find_record(connection, "c").error == "was slow"
    assert ids(connection, search="stopped while") == ["a"]


@pytest.mark.parametrize(
    "wanted",
    [
        RequestFilter(),
        RequestFilter(status="error"),
        RequestFilter(since=1.0),
        RequestFilter(since=1.0, until=2.0),
        RequestFilter(status="ok", since=1.0, until=2.0),
    ],
)
@pytest.mark.parametrize("cursor", [(), (5.0, "r")])
def test_no_list_is_sorted_or_scanned(connection, wanted, cursor):
    where, after = requests.where_filter(wanted), Where()
    if cursor:
        after.add_condition("(started_at, id) < (?, ?)", *cursor)
    _, counted, listed = steps_on_requests(connection, where, after)
    assert "USING COVERING INDEX" in counted
    assert listed.startswith("SEARCH" if cursor or wanted != RequestFilter() else "SCAN")
    assert "USING COVERING INDEX requests_by_" in listed


def steps_on_requests(connection, where, after):
    """Return how the rows of the page are read, and in what way the matches are counted and listed before."""
    sql = f"EXPLAIN QUERY PLAN {REQUESTS.page_sql(where, after)}"
    steps = [row["detail"] for row in connection.execute(sql, [*where.parameters, *after.parameters, 50])]
    # One page is sorted at the end, and nothing else.
    assert [step for step in steps if "TEMP B-TREE" in step] == ["USE TEMP B-TREE FOR ORDER BY"]
    counted, read, listed = [step for step in steps if " requests " in step]
    assert read == "SEARCH requests USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN"
    return read, counted, listed


@pytest.mark.parametrize("wanted", [RequestFilter(session_id="s"), RequestFilter(session_id="s", since=1.0)])
def test_a_sessions_requests_are_found_by_an_index(connection, wanted):
    where = requests.where_filter(wanted)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {REQUESTS.page_sql(where, Where())}", [*where.parameters, 50])
    steps = [row["detail"] for row in plan]
    assert sum(step.startswith("SEARCH requests USING COVERING INDEX requests_by_session") for step in steps) == 2
    assert not any(re.match("SCAN (requests|sessions|checkpoints)", step) for step in steps)


def test_what_was_answered_with_a_checkpoint_is_the_sessions(connection):
    now = Expiry(1000.0, None)
    session = saving.save_exchange(connection, now, exchange("a", "b"), "ses_1", explicit=False)
    saving.save_exchange(connection, now, exchange("a", "b", "c", "d"), "ses_2", explicit=False, prefix=2)
    requests.write_records(
        connection, [record(f"r{number}", float(number), session_id=f"ses_{number}") for number in (1, 2, 3)]
    )
    assert ids(connection, session_id=session) == ["r2", "r1"]
    assert ids(connection, session_id="ses_1") == ["r1"]


def test_statistics(connection):
    requests.write_records(
        connection,
        [
            record("before", 99.0, input_tokens=1),
            record("a", 100.0, input_tokens=10, output_tokens=5, cache_read_tokens=4, cost_usd=0.5, status="ok"),
            record("b", 159.9, input_tokens=20, output_tokens=5, status="error"),
            record("c", 220.0),
            record("after", 300.0, input_tokens=1),
        ],
    )
    assert requests.sum_by_bucket(connection, since=100.0, until=300.0, bucket_seconds=60.0) == [
        StatisticsBucket(100.0, 2, 1, 30, 10, 4, 0.5),
        StatisticsBucket(220.0, 1, 0, 0, 0, 0, 0.0),
    ]


@pytest.mark.parametrize("length", [0, -1, float("nan")])
def test_statistics_of_no_time_are_refused(connection, length):
    with pytest.raises(InvalidRequest) as caught:
        requests.sum_by_bucket(connection, since=0.0, until=1.0, bucket_seconds=length)
    assert caught.value.param == "bucket_seconds"


def test_a_condition_is_sql_and_its_parameters_are_not():
    where = Where()
    where.add_condition("id = ?", "'; DROP TABLE requests; --")
    assert where.sql == " WHERE id = ?"
