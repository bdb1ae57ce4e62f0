"""A logged request as a curl command."""

import json
import shlex
from dataclasses import replace
from itertools import pairwise

import pytest

from server.store.types import RequestRecord
from tests.tray_app.models.request_records import record
from tray_app.models.request_curl import as_curl

URL = "http://127.0.0.1:8000"


def words(command: str) -> list[str]:
    return shlex.split(command)


def headers(command: str) -> list[str]:
    found = words(command)
    return [value for name, value in pairwise(found) if name == "-H"]


def data(command: str) -> str:
    found = words(command)
    return found[found.index("--data-binary") + 1]


def test_the_command_has_url_key_headers_and_body() -> None:
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": 'it\'s $HOME `ls` "x" \\ ü\n'}]})
    logged = replace(
        record(1),
        stream=True,
        request_body=body,
        request_headers=(
            ("host", "127.0.0.1:8000"),
            ("content-length", "99"),
            ("authorization", "[redacted]"),
            ("x-session-id", "it's mine"),
            ("x-stainless-os", "Linux"),
            ("x-long", "[9000 characters]"),
        ),
    )
    command = as_curl(logged, URL)
    assert words(command)[:3] == ["curl", "-sSN", f"{URL}/v1/chat/completions"]
    assert headers(command) == [
        "Authorization: Bearer $CLAUDE_CODE_TRAY_KEY",
        "content-type: application/json",
        "x-session-id: it's mine",
    ]
    assert data(command) == body
    # The shell has to fill in the key, and nothing of the body.
    assert '"Authorization: Bearer $CLAUDE_CODE_TRAY_KEY"' in command
    assert command.count("\n") == 4 + body.count("\n")
    assert all(line.endswith(" \\") for line in command.split("\n")[:4])


@pytest.mark.parametrize(
    ("endpoint", "field"),
    [
        ("/v1/chat/completions", "messages"),
        ("/v1/messages", "messages"),
        ("/v1/responses", "input"),
        ("/v1/completions", "prompt"),
    ],
)
def test_without_a_logged_body_a_short_one_of_the_same_kind_is_sent(endpoint: str, field: str) -> None:
    asked: RequestRecord = replace(record(1, "running"), endpoint=endpoint, stream=True)
    sent = json.loads(data(as_curl(asked, URL)))
    assert sent["model"] == "gpt-4o"
    assert sent["stream"] is True
    assert sent[field]


def test_anthropics_endpoint_is_given_its_own_headers() -> None:
    command = as_curl(replace(record(1), endpoint="/v1/messages"), URL)
    assert headers(command) == [
        "x-api-key: $CLAUDE_CODE_TRAY_KEY",
        "content-type: application/json",
        "anthropic-version: 2023-06-01",
    ]
    assert json.loads(data(command))["max_tokens"] > 0


def test_no_key_is_sent_where_none_is_required() -> None:
    assert headers(as_curl(record(1), URL, key_required=False)) == ["content-type: application/json"]
