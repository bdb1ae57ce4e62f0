"""What is understood of a message between two starts, and what is not."""

import json

import pytest

from tray_app.desktop.instance.launch import (
    MAX_LINE_BYTES,
    Launch,
    activation_token,
    decode,
    decode_answer,
    encode,
    encode_answer,
    use_token,
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
def test_what_is_said_is_understood(launch: Launch) -> None:
    line = encode(launch)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert len(line) <= MAX_LINE_BYTES
    assert decode(line) == launch


def test_the_longest_message_keeps_to_the_bound() -> None:
    assert len(encode(Launch("page", "s" * 32, '"' * 1024))) <= MAX_LINE_BYTES


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
def test_garbage_is_invalid(line: bytes) -> None:
    assert decode(line) == "invalid"


@pytest.mark.parametrize("version", [2, 3, 10**30])
def test_a_later_version_is_told_so_whatever_it_holds(version: int) -> None:
    assert decode(json.dumps({"v": version, "command": "teleport"}).encode()) == "unsupported"


def test_fields_that_this_version_does_not_know_are_passed_over() -> None:
    assert decode(b'{"v": 1, "command": "show", "colour": "red"}') == Launch()


@pytest.mark.parametrize("token", ["a\nb", "\x00", "t" * 1025, "ü"])
def test_a_token_that_cannot_be_one_does_not_keep_the_window_from_coming(token: str) -> None:
    assert decode(json.dumps({"v": 1, "command": "show", "token": token}).encode()) == Launch()


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
def test_the_token_is_the_desktops(environment: dict[str, str], token: str) -> None:
    assert activation_token(environment) == token


def test_a_token_is_where_qt_looks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "before")
    use_token("")
    assert activation_token() == "before"
    use_token("after")
    assert activation_token() == "after"


@pytest.mark.parametrize("answer", ["ok", "unsupported", "invalid"])
def test_answers_are_read(answer: str) -> None:
    assert decode_answer(encode_answer(answer)) == answer


@pytest.mark.parametrize("line", [b"", b"nonsense", b"{}", b'{"answer": 1}'])
def test_what_is_no_answer_is_empty(line: bytes) -> None:
    assert decode_answer(line) == ""
