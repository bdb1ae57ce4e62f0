"""The filter for live rows, compared with the store's."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.core.events import EventBus
from server.core.records import RequestFilter, RequestRecord, RequestStatus
from server.store.store import Store
from tests.soak import examples
from tray_app.models.requests.filter import matches_filter, parse_phrases, split_tokens

PLAIN = RequestRecord(id="req_0", started_at=100.0, endpoint="/v1/chat/completions", client="Continue/1.2.3")
RECORDS = (
    PLAIN,
    replace(PLAIN, id="req_1", started_at=101.0, status="ok", model="claude-opus-5-5", requested_model="gpt-4o"),
    replace(PLAIN, id="req_2", started_at=102.0, status="error", http_status=429, error="The plan's limit is reached."),
    replace(PLAIN, id="req_3", started_at=103.0, status="cancelled", client="Zürich Café/2", session_id="ses_ab12"),
    replace(PLAIN, id="req_4", started_at=104.0, status="ok", backend="anthropic_api", endpoint="/v1/messages"),
    replace(PLAIN, id="req_5", started_at=105.0, status="ok", client="ПРИВЕТ straße ΣΟΦΟΣ", error='say "no"'),
    replace(PLAIN, id="req_6", started_at=106.0, status="ok", key_id="key_1", key_name="Zed"),
)
SEARCHES = (
    None, "", "   ", "continue", "CONT", "cont", "ontinue", "1.2", "2.3", "1.3", "v1/chat", "chat completions",
    "completions chat", "completions/chat", "opus", "opus 5", "opus-5", "5-opus", "claude gpt", "gpt-4", "4o", "zurich",
    "zürich cafe", "Café/2", "cafe\u0301", "ses_ab12", "ses_ab", "ses_a 12", "привет", "прив", "STRASSE", "straße",
    "σοφος", "σοφοσ", '"', '"no"', "say \"no", "-", "_ -", "req_", "req_1", "plan's", "plan s limit", "limit is",
    "is limit", "429", "42", "error 429", "error", "cancelled", "ok", "run", "anthropic", "api_", "messages\0v1",
    "nothing such", "* opus", "opus*", "NEAR(opus)",
)  # fmt: skip
FILTERS = (
    *(RequestFilter(search=search) for search in SEARCHES),
    *(RequestFilter(status=status) for status in ("running", "ok", "error", "cancelled")),
    RequestFilter(session_id="ses_ab12"),
    RequestFilter(key="Zed"),
    RequestFilter(key="main", status="ok"),
    RequestFilter(key="none such"),
    RequestFilter(since=102.0),
    RequestFilter(until=102.0),
    RequestFilter(status="ok", search="opus", since=101.0, until=101.5),
)


async def test_live_rows_and_the_store_agree(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "history.db", bus=EventBus())
    for record in RECORDS:
        await store.record_request(record)
    found = {wanted: {record.id for record in (await store.list_requests(wanted)).items} for wanted in FILTERS}
    await store.close()
    assert found == {wanted: {record.id for record in RECORDS if matches_filter(record, wanted)} for wanted in FILTERS}
    assert len(set(map(frozenset, found.values()))) > 8  # the cases tell records apart


@pytest.mark.parametrize("status", ["running", "ok", "error", "cancelled"])
def test_a_status_is_that_status_alone(status: RequestStatus) -> None:
    assert {record.status for record in RECORDS if matches_filter(record, RequestFilter(status=status))} == {status}


def test_accents_and_case_make_no_difference() -> None:
    assert split_tokens("Zürich-CAFÉ_cafe\u0301 x\u0305y") == ("zurich", "cafe", "cafe", "x", "y")
    assert parse_phrases("Zürich  caf") == (("zurich",), ("caf",))


# Letters and marks of Unicode 6.1, the version that the tokenizer knows.
TEXT = st.text(st.sampled_from("aAbBéÉüñçŁßµſΣσςЙйЁё中あ1٣½_-./:'\"*() \t\u0301\u0305\u0323\u2026€😀"), max_size=12)


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXT)
def test_words_are_tokenized_as_in_sqlite(text: str) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5 (x, tokenize = 'unicode61 remove_diacritics 2')")
    connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab (t, 'instance')")
    connection.execute("INSERT INTO t VALUES (?)", [text])
    found = tuple(row[0] for row in connection.execute("SELECT term FROM v ORDER BY offset"))
    connection.close()
    assert split_tokens(text) == found
