"""Texts of the request details pane."""

import json
from dataclasses import replace

import pytest

from tests.tray_app.models.request_records import START, record
from tray_app.models.requests.detail import (
    MAX_CHARACTERS,
    MAX_LINE,
    find_advice,
    first_token_share,
    format_body,
    summary_pairs,
    timing_pairs,
    usage_pairs,
)


def test_json_is_laid_out_and_other_text_left_as_it_is() -> None:
    laid_out = format_body('{"a":[1,"ü"]}')
    assert (laid_out.shown_text, laid_out.language, laid_out.note) == (
        '{\n  "a": [\n    1,\n    "ü"\n  ]\n}',
        "json",
        "",
    )
    assert format_body("data: x").shown_text == "data: x"


def test_a_large_body_is_cut_with_a_note_and_can_be_copied_whole() -> None:
    text = json.dumps({"lines": ["x" * 100] * 10_000})
    large = format_body(text)
    assert len(large.shown_text) <= MAX_CHARACTERS
    assert json.loads(large.full_text) == json.loads(text)
    assert (large.note, large.language) == ("Showing only the beginning of 1.1 MB.", "")


def test_a_long_line_is_cut_alone() -> None:
    long = format_body(json.dumps({"a": "x" * (MAX_LINE + 1000), "b": 1}))
    assert max(map(len, long.shown_text.split("\n"))) < MAX_LINE + 100
    assert long.shown_text.endswith('"b": 1\n}')
    assert (long.note, len(long.full_text) > MAX_LINE + 1000) == ("Long lines are shortened.", True)


def test_what_is_not_known_is_left_out() -> None:
    running = record(1, "running")
    assert dict(summary_pairs(running)) == {
        "Endpoint": "/v1/chat/completions",
        "Client": "Continue/1.2",
        "Requested model": "gpt-4o",
        "Streamed": "no",
        "Request id": "req_000001",
    }
    assert dict(timing_pairs(running, START + 4)).keys() == {"Received", "Running for"}
    assert usage_pairs(running) == []
    assert first_token_share(running) is None


def test_timing_tokens_and_cost() -> None:
    done = replace(
        record(1, "ok"),
        output_tokens=320,
        cache_read_tokens=1000,
        cost_usd=0.042,
        backend="claude_code",
        http_status=200,
    )
    times = dict(timing_pairs(done, START + 99))
    del times["Received"]
    assert times == {
        "Time to first token": "400 ms", "Generation": "1.6 s", "Duration": "2.0 s", "Output speed": "200 tokens/s"
    }  # fmt: skip
    assert dict(usage_pairs(done)) == {
        "Tokens in": "1,200",
        "Read from cache": "1,000",
        "Tokens out": "320",
        "Estimated cost (list prices)": "$0.042",
    }
    assert first_token_share(done) == pytest.approx(0.2)
    assert dict(summary_pairs(done))["Backend"] == "Claude Code"


@pytest.mark.parametrize(
    ("status", "page"), [(401, "overview"), (403, "overview"), (404, "settings"), (429, "overview"), (503, "guide")]
)
def test_an_error_leads_to_the_page_with_its_remedy(status: int, page: str) -> None:
    found = find_advice(replace(record(1, "error"), http_status=status, backend="claude_code"))
    assert found is not None
    assert (found.page, bool(found.text), bool(found.label)) == (page, True, True)


@pytest.mark.parametrize(
    ("status", "endpoint", "page", "setting"),
    [
        (401, "/v1/messages", "clients", None),
        (403, "/v1/messages", "settings", "allowed_hosts"),
        (404, "/v1/embeddings", "clients", None),
        (404, "/v1/models/none", "settings", "aliases"),
        (413, "/v1/messages", "settings", "max_body_bytes"),
        (429, "/v1/messages", "settings", "rate_limit"),
    ],
)
def test_a_refusal_leads_to_its_remedy(status: int, endpoint: str, page: str, setting: str | None) -> None:
    found = find_advice(replace(record(1, "error"), http_status=status, endpoint=endpoint, backend=None))
    assert found is not None
    assert (found.page, found.details.get("setting")) == (page, setting)


def test_refusals_in_one_row_are_counted() -> None:
    assert "Refused" not in dict(summary_pairs(record(1, "error")))
    assert dict(summary_pairs(replace(record(1, "error"), count=1200)))["Refused"] == "1,200 times in a row"


@pytest.mark.parametrize("status", ["ok", "running", "cancelled"])
def test_there_is_no_advice_where_nothing_failed(status: str) -> None:
    assert find_advice(replace(record(1), status=status, http_status=401)) is None
