"""The log: the content of console and file, redaction, and files that cannot be written."""

import io
import json
import logging
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic
import pytest
import structlog

from server import logs
from server.config.settings import Settings
from server.logs import configure_logs, log_file
from tests.systems import posix_only

KEY = "dgm-" + "k" * 43
log = logging.getLogger("server.somewhere")


@pytest.fixture(autouse=True)
def put_logging_back() -> Iterator[None]:
    """Restores the handlers and levels of the process, which `configure_logs` changes."""
    loggers = [logging.getLogger(name) for name in ("", *logs.OWN_LOGGERS)]
    levels = [logger.level for logger in loggers]
    yield
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()
    logs._remove_handlers()
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def configured(tmp_path: Path, **settings: Any) -> io.StringIO:
    console = io.StringIO()
    configure_logs(Settings(data_dir=tmp_path, **settings), console=console)
    return console


def lines(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log_file(tmp_path).read_text().splitlines()]


def test_both_hold_message_fields_and_request_id(tmp_path: Path) -> None:
    console = configured(tmp_path)
    structlog.contextvars.bind_contextvars(request_id="req_1")
    log.info("served %d requests", 3, extra={"client": "an editor"})
    (line,) = lines(tmp_path)
    assert {name: line[name] for name in ("event", "level", "logger", "client", "request_id")} == {
        "event": "served 3 requests",
        "level": "info",
        "logger": "server.somewhere",
        "client": "an editor",
        "request_id": "req_1",
    }
    assert line["timestamp"].endswith("Z")
    assert "served 3 requests" in console.getvalue()
    assert "client='an editor'" in console.getvalue()
    assert "request_id=req_1" in console.getvalue()
    assert "\x1b" not in console.getvalue()


def test_structlogs_own_loggers_write_the_same(tmp_path: Path) -> None:
    configured(tmp_path)
    structlog.get_logger("server.other").warning("gone", code=3, api_key="abc")
    (line,) = lines(tmp_path)
    assert (line["event"], line["code"], line["api_key"], line["logger"]) == (
        "gone",
        3,
        "[redacted]",
        "server.other",
    )


def test_secrets_reach_neither(tmp_path: Path) -> None:
    console = configured(tmp_path)
    log.info("key %s", KEY, extra={"headers": {"x-api-key": "plain-secret", "n": [KEY]}})
    try:
        raise RuntimeError(f"refused {KEY}")
    except RuntimeError:
        log.exception("failed")
    for text in (console.getvalue(), log_file(tmp_path).read_text()):
        assert "failed" in text
        assert "RuntimeError: refused dgm-[redacted]" in text
        assert "k" * 43 not in text
        assert "plain-secret" not in text


DIARY = "my diary"


def _with_prompts() -> None:
    class Body(pydantic.BaseModel):
        size: int

    log.info("a turn", extra={"prompt": DIARY, "messages": [{"content": DIARY}], "turns": 2})
    try:
        Body.model_validate({"size": DIARY})
    except pydantic.ValidationError:
        log.exception("wrong")


def test_prompts_are_not_in_the_log(tmp_path: Path) -> None:
    console = configured(tmp_path)
    _with_prompts()
    assert lines(tmp_path)[0]["prompt"] == "[8 characters]"
    assert lines(tmp_path)[0]["turns"] == 2
    assert "input_type=str" in lines(tmp_path)[1]["exception"]
    assert DIARY not in console.getvalue() + log_file(tmp_path).read_text()


def test_prompts_are_in_the_log_when_asked_for(tmp_path: Path) -> None:
    configured(tmp_path, log_prompts=True)
    _with_prompts()
    assert lines(tmp_path)[0]["prompt"] == DIARY
    assert f"input_value={DIARY!r}" in lines(tmp_path)[1]["exception"]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", ["server d", "server i", "server w", "other i", "other w"]),
        ("info", ["server i", "server w", "other w"]),
        ("warning", ["server w", "other w"]),
        ("error", ["other w"]),
    ],
)
def test_levels(tmp_path: Path, level: str, expected: list[str]) -> None:
    configured(tmp_path, log_level=level)
    for name in ("server", "other"):
        logger = logging.getLogger(name)
        logger.debug("%s d", name)
        logger.info("%s i", name)
        logger.warning("%s w", name)
    assert [line["event"] for line in lines(tmp_path)] == expected


def test_uvicorn_is_heard_but_for_streams_that_were_left_on_purpose(tmp_path: Path) -> None:
    configured(tmp_path)
    uvicorn = logging.getLogger("uvicorn.error")
    uvicorn.error("ASGI callable returned without completing response.")
    uvicorn.error("Exception in ASGI application", extra={"color_message": "x"})
    (line,) = lines(tmp_path)
    assert (line["event"], "color_message" in line) == ("Exception in ASGI application", False)


def test_configuring_again_replaces(tmp_path: Path) -> None:
    first = configured(tmp_path / "a")
    second = configured(tmp_path / "b")
    log.info("once")
    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1
    assert len(lines(tmp_path / "b")) == 1


def test_the_file_rotates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_FILE_BYTES", 1000)
    configured(tmp_path)
    for number in range(100):
        log.info("number %d", number)
    names = sorted(path.name for path in log_file(tmp_path).parent.iterdir())
    assert names == ["server.log", *(f"server.log.{number}" for number in range(1, 5))]
    assert lines(tmp_path)[-1]["event"] == "number 99"


@posix_only("Windows has no file modes")
def test_every_file_is_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_FILE_BYTES", 200)
    configured(tmp_path)
    for number in range(5):
        log.info("number %d", number)
    folder = log_file(tmp_path).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_without_a_log_directory_the_console_is_enough(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file in its place")
    console = configured(tmp_path)
    log.info("still here")
    assert "the log file cannot be written" in console.getvalue()
    assert "still here" in console.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logs").mkdir()
    log_file(tmp_path).symlink_to("/dev/full")
    console = configured(tmp_path)
    for number in range(3):
        log.info("number %d", number)
    assert console.getvalue().count("can no longer be written") == 1
    assert "number 2" in console.getvalue()
    # Closing flushes the lines that could not be written; logging must not print a traceback for them.
    assert capsys.readouterr().err == ""
