"""The lines between two launches: valid, invalid, and of a later version."""

import json
from dataclasses import asdict

import pytest

from tray_app.desktop.instance.launch import (
    MAX_LINE_BYTES,
    Launch,
    activation_token,
    decode_launch,
    decode_line,
    encode_line,
    set_activation_token,
)


@pytest.mark.parametrize(
    "launch",
    [
        Launch(),
        Launch("show", token="gnome-shell/Terminal/1234-5-host_TIME678"),
        Launch("page", "settings", "t"),
        Launch("none"),
    ],
)
def test_request_survives_the_line(launch: Launch) -> None:
    line = encode_line(**asdict(launch))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert len(line) <= MAX_LINE_BYTES
    assert decode_launch(line) == launch


def test_longest_request_fits_in_a_line() -> None:
    assert len(encode_line(**asdict(Launch("page", "s" * 32, '"' * 1024)))) <= MAX_LINE_BYTES


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"GET / HTTP/1.1\r\n",
        b"\xff\xfe\x00\n",
        b"[" * MAX_LINE_BYTES,
        b"null\n",
        b"[1]\n",
        b"{}\n",
        b'{"v": "1", "command": "show"}\n',
        b'{"v": true, "command": "show"}\n',
        b'{"v": 1.0, "command": "show"}\n',
        b'{"v": 0, "command": "show"}\n',
        b'{"v": 1}\n',
        b'{"v": 1, "command": "format"}\n',
        b'{"v": 1, "command": ["show"]}\n',
        b'{"v": 1, "command": "page"}\n',
        b'{"v": 1, "command": "page", "page": "../etc"}\n',
        b'{"v": 1, "command": "page", "page": 7}\n',
        b'{"v": 1, "command": "show", "token": {}}\n',
    ],
)
def test_invalid_requests(line: bytes) -> None:
    assert decode_launch(line) == "invalid"


@pytest.mark.parametrize("version", [2, 3, 10**30])
def test_any_request_of_a_later_version_is_unsupported(version: int) -> None:
    assert decode_launch(json.dumps({"v": version, "command": "teleport"}).encode()) == "unsupported"


def test_unknown_fields_are_ignored() -> None:
    assert decode_launch(b'{"v": 1, "command": "show", "colour": "red"}') == Launch()


@pytest.mark.parametrize("token", ["a\nb", "\x00", "t" * 1025, "ü"])
def test_invalid_token_is_dropped_and_the_window_shown(token: str) -> None:
    assert decode_launch(json.dumps({"v": 1, "command": "show", "token": token}).encode()) == Launch()


@pytest.mark.parametrize(
    ("environment", "token"),
    [
        ({}, ""),
        ({"XDG_ACTIVATION_TOKEN": "w"}, "w"),
        ({"DESKTOP_STARTUP_ID": "x"}, "x"),
        ({"XDG_ACTIVATION_TOKEN": "w", "DESKTOP_STARTUP_ID": "x"}, "w"),
        ({"XDG_ACTIVATION_TOKEN": "", "DESKTOP_STARTUP_ID": "x"}, "x"),
        ({"XDG_ACTIVATION_TOKEN": "a\nb"}, ""),
    ],
)
def test_token_comes_from_the_desktop(environment: dict[str, str], token: str) -> None:
    assert activation_token(environment) == token


def test_token_is_put_where_qt_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "before")
    set_activation_token("")
    assert activation_token() == "before"
    set_activation_token("after")
    assert activation_token() == "after"


@pytest.mark.parametrize("line", [b"", b"nonsense", b"[1]", b"\xff", b"[" * MAX_LINE_BYTES])
def test_line_that_is_no_object_has_no_fields(line: bytes) -> None:
    assert decode_line(line) == {}
