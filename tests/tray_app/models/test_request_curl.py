"""A logged request as a curl command."""

import json
import os
import shlex
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.systems import posix_only
from tests.tray_app.models.request_records import record
from tray_app.models.requests.curl import NOT_RECORDED, as_curl

URL = "http://127.0.0.1:8000"


def words(command: str) -> list[str]:
    return shlex.split(command)


def headers(command: str) -> list[str]:
    found = words(command.removeprefix(NOT_RECORDED))
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
        "Authorization: Bearer $DRAGOMAN_KEY",
        "content-type: application/json",
        "x-session-id: it's mine",
    ]
    assert data(command) == body
    # The shell must expand the key variable and nothing in the body.
    assert '"Authorization: Bearer $DRAGOMAN_KEY"' in command
    assert command.count("\n") == 4 + body.count("\n")
    assert all(line.endswith(" \\") for line in command.split("\n")[:4])


@pytest.mark.parametrize("endpoint", ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/completions"])
def test_without_a_recorded_body_it_says_so_and_sends_no_other_text(endpoint: str) -> None:
    command = as_curl(replace(record(1, "running"), endpoint=endpoint, stream=True), URL)
    comments, _, rest = command.partition("curl ")
    assert all(line.startswith("# ") for line in comments.splitlines())
    assert "not recorded" in comments
    assert "log_bodies" in comments
    assert data(f"curl {rest}") == "@body.json"
    assert "hello" not in command.lower()


@posix_only("a shell of POSIX")
def test_a_shell_sends_the_file(tmp_path: Path) -> None:
    (tmp_path / "curl").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "curl").chmod(0o700)
    command = as_curl(record(1), URL)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-2:] == ["--data-binary", "@body.json"]
    assert ran.stderr == ""


def test_anthropics_endpoint_is_given_its_own_headers() -> None:
    command = as_curl(replace(record(1), endpoint="/v1/messages"), URL)
    assert headers(command) == [
        "x-api-key: $DRAGOMAN_KEY",
        "content-type: application/json",
        "anthropic-version: 2023-06-01",
    ]


def test_no_key_is_sent_where_none_is_required() -> None:
    assert headers(as_curl(record(1), URL, key_required=False)) == ["content-type: application/json"]
