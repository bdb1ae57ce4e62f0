"""`key add`, `key list` and `key revoke` as processes, beside a running server."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from server.cli.arguments import parse_arguments
from server.cli.client_key_arguments import given_rules
from server.core.records import RequestRecord
from server.secrets import KeyStore
from server.secrets.storage import FileStorage
from server.store import requests
from server.store.database import open_database
from tests.cli.processes import run, serving, status


def test_a_key_is_made_listed_and_revoked(tmp_path: Path) -> None:
    folder = ("--data-dir", str(tmp_path))
    made = run("key", "add", "zed", "--model", "opus", "--per-minute", "5", *folder)
    assert made.returncode == 0, made.stderr
    assert re.fullmatch(r"dgm-[\w-]{43}\n", made.stdout)
    assert "not shown again" in made.stderr
    listed = run("key", "list", *folder)
    heading, row = listed.stdout.splitlines()
    assert heading.split()[:2] == ["NAME", "LAST"]
    assert re.fullmatch(r"zed +never +- +- +never +default opus, 5/minute", row)
    assert made.stdout.strip() not in listed.stdout
    assert "already" in run("key", "add", "Zed", *folder).stderr
    revoked = run("key", *folder, "revoke", "ZED")
    assert (revoked.returncode, revoked.stdout) == (0, "")
    assert "refused from now on" in revoked.stderr
    assert "no named keys" in run("key", "list", *folder).stderr
    again = run("key", "revoke", "zed", *folder)
    assert again.returncode == 1
    assert "no key named 'zed'" in again.stderr


def test_a_running_server_takes_and_refuses_a_key_at_once(tmp_path: Path) -> None:
    folder = ("--data-dir", str(tmp_path))
    with serving(*folder) as server:
        models = f"{server.url}/v1/models"
        assert status(models, "dgm-wrong") == 401
        key = run("key", "add", "zed", *folder).stdout.strip()
        assert (status(models, key), status(f"{server.url}/api/requests", key)) == (200, 403)
        run("key", "revoke", "zed", *folder)
        assert status(models, key) == 401


def test_the_list_shows_what_was_used(tmp_path: Path) -> None:
    folder = ("--data-dir", str(tmp_path))
    run("key", "add", "zed", *folder)
    now = datetime.now()
    with_key = {"key_id": _only_id(tmp_path), "backend": "claude_code", "status": "ok", "output_tokens": 7}
    records = [
        RequestRecord("r1", now.timestamp(), "/v1/messages", "c", input_tokens=15, cost_usd=0.25, **with_key),
        RequestRecord("r2", (now - timedelta(days=20)).timestamp(), "/v1/messages", "c", **with_key),
        RequestRecord("r3", (now - timedelta(days=40)).timestamp(), "/v1/messages", "c", **with_key),
    ]
    connection = open_database(tmp_path / "history.db").connection
    requests.write_records(connection, records)
    connection.close()
    listed = run("key", "list", *folder).stdout
    assert f"{now:%Y-%m-%d %H:%M}  1 requests, 22 tokens, $0.25  2 requests, 29 tokens, $0.25  never" in listed


def _only_id(directory: Path) -> str:
    from asyncio import run as run_async

    (key,) = run_async(KeyStore(FileStorage(directory), directory=directory).clients.list_keys())
    return key.id


def test_without_a_lasting_place_nothing_is_made() -> None:
    result = run("key", "add", "zed", DRAGOMAN_KEY_STORAGE="memory")
    assert (result.returncode, result.stdout) == (1, "")
    assert "memory only" in result.stderr


def test_the_arguments_become_rules() -> None:
    words = (
        "key add zed --model opus --effort low --models opus,haiku --append-system Brief --per-minute 3 "
        "--tokens-a-day 1000 --usd-a-day 0.5 --concurrent 2 --expires 30d"
    )
    rules = given_rules(parse_arguments(words.split())[1])
    expires = datetime.fromtimestamp(rules.pop("expires_at"))
    assert timedelta(days=29, hours=23) < expires - datetime.now() <= timedelta(days=30)
    assert rules == {
        "model": "opus", "effort": "low", "models": ("opus", "haiku"), "requests_a_minute": 3, "tokens_a_day": 1000,
        "usd_a_day": 0.5, "concurrent": 2, "system": "Brief", "system_position": "append",
    }  # fmt: skip


def test_a_date_lasts_until_its_end() -> None:
    rules = given_rules(parse_arguments(["key", "add", "zed", "--expires", "2999-12-31"])[1])
    assert datetime.fromtimestamp(rules["expires_at"]) == datetime(3000, 1, 1)


@pytest.mark.parametrize("place", [["--data-dir", "d", "list"], ["list", "--data-dir", "d"]])
def test_the_folder_may_stand_on_either_side(place: list[str]) -> None:
    assert parse_arguments(["key", *place])[1].data_dir == "d"


@pytest.mark.parametrize(
    "arguments",
    [
        ["add"],
        ["add", "zed", "--per-minute", "many"],
        ["add", "zed", "--expires", "soon"],
        ["add", "zed", "--expires", "2001-01-01"],
        ["add", "zed", "--expires", "0d"],
        ["add", "zed", "--system", "a", "--append-system", "b"],
        ["revoke"],
        ["dance"],
        ["--rotate", "list"],
    ],
)
def test_usage_errors(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_arguments(["key", *arguments])
    assert ended.value.code == 2


@pytest.mark.parametrize("arguments", [["--effort", "extreme"], ["--per-minute", "0"], ["--usd-a-day", "-1"]])
def test_rules_that_cannot_be_are_one_clear_message(tmp_path: Path, arguments: list[str]) -> None:
    result = run("key", "add", "zed", *arguments, "--data-dir", str(tmp_path))
    assert (result.returncode, result.stdout) == (1, "")
    assert "A client key cannot have" in result.stderr
    assert "Traceback" not in result.stderr
