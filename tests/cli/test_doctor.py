"""`doctor` as a process: its checks, hints and exit code."""

import json
import os
import socket
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server.backends.claude_cli.account_check import account_kind, report_verdicts
from server.backends.claude_cli.facilities import Facility
from server.backends.claude_cli.self_check.verdict import Verdict
from server.backends.claude_cli.self_check.verdict_file import VERDICTS, CheckRecord, FileState, Program, VerdictFile
from server.backends.claude_cli.transport.probe import Probe
from server.config.paths import default_config_dir
from server.hosting.sockets import open_listener
from tests.cli.processes import run, serving
from tests.ports import kept_port
from tests.systems import posix_only

# A generous timeout: the server under test may be slow, and the duration is not what is tested.
PATIENT = """
import sys
from server.hosting import port_check
from server.__main__ import main
port_check.ASK_SECONDS = 60
sys.exit(main(sys.argv[1:]))
"""


class Diagnosis:
    """Run `doctor --json`; return its results by check."""

    def __init__(self, *arguments: str, program: Sequence[str] = ("-m", "server"), **variables: str) -> None:
        result = run("doctor", "--json", *arguments, program=program, **variables)
        assert "Traceback" not in result.stderr, result.stderr
        self.code = result.returncode
        said = json.loads(result.stdout)
        self.ok = said["ok"]
        self.checks: dict[str, dict[str, Any]] = {check["name"]: check for check in said["checks"]}

    def status(self, name: str) -> str:
        return str(self.checks[name]["status"])

    def text(self, name: str) -> str:
        return f"{self.checks[name]['detail']} {self.checks[name]['hint']}"


@pytest.fixture
def signed_in(claude_environment: Mapping[str, str], cli_path: Path) -> dict[str, str]:
    """Environment variables for an account and for the path of Claude Code."""
    account = {name: value for name, value in claude_environment.items() if os.environ.get(name) != value}
    return account | {"DRAGOMAN_CLAUDE_PATH": str(cli_path), "DRAGOMAN_PORT": "0"}


def test_extra_ports_and_access_without_a_key_are_reported(signed_in: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, kept_port() as free:
        taken = other.getsockname()[1]
        found = Diagnosis(**signed_in, DRAGOMAN_EXTRA_PORTS=f"{taken}, {free}", DRAGOMAN_KEYLESS_ACCESS="true")
    assert found.code == 0, "the server works without them"
    assert found.status(f"extra port {taken}") == "warn"
    assert "change extra_ports" in found.text(f"extra port {taken}")
    assert found.status(f"extra port {free}") == "ok"
    assert found.status("API key") == "warn"
    assert "any program on this computer" in found.text("API key")


def test_all_is_well(signed_in: dict[str, str], cli_path: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    found = Diagnosis("--data-dir", str(data), **signed_in)
    assert (found.code, found.ok) == (0, True)
    assert {name: check["status"] for name, check in found.checks.items()} == {
        "settings": "ok",
        "Claude Code": "ok",
        "account": "ok",
        "self-check": "ok",
        "API key": "ok",
        "Anthropic API key": "ok",
        "port": "ok",
        "database": "ok",
    }
    assert str(cli_path) in found.text("Claude Code")
    assert "ANTHROPIC_API_KEY" in found.text("account")
    assert not data.exists(), "looking changes nothing"


def test_the_text_has_a_line_for_each_check(signed_in: dict[str, str]) -> None:
    result = run("doctor", **signed_in)
    assert result.returncode == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["ok"] * 8
    assert "version 2." in result.stdout


def test_nobody_is_signed_in(signed_in: dict[str, str], cli_path: Path) -> None:
    found = Diagnosis(**signed_in | {"ANTHROPIC_API_KEY": ""})
    assert (found.code, found.ok, found.status("account")) == (1, False, "fail")
    assert f"{cli_path} auth login" in found.text("account"), "it is not on PATH under its name alone"
    assert found.status("Claude Code") == "ok"


def test_there_is_no_claude(tmp_path: Path) -> None:
    found = Diagnosis("--claude-path", str(tmp_path / "claude"), "--port", "0")
    assert (found.code, found.status("Claude Code")) == (1, "fail")
    assert str(tmp_path / "claude") in found.text("Claude Code")
    assert found.checks["Claude Code"]["hint"]


@pytest.mark.parametrize("path", ["/" + "a" * 300, "/dev/null/claude"])
def test_a_path_that_cannot_be_looked_at(path: str) -> None:
    found = Diagnosis("--claude-path", path, "--port", "0")
    assert (found.code, found.status("Claude Code")) == (1, "fail")
    assert "claude_path" in found.checks["Claude Code"]["hint"]


@posix_only("a script as the program")
def test_what_is_called_claude_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "claude").write_text("#!/bin/sh\necho I am a cow >&2\nexit 3\n")
    (tmp_path / "claude").chmod(0o755)
    found = Diagnosis("--claude-path", str(tmp_path / "claude"), "--port", "0")
    assert (found.code, found.status("Claude Code")) == (1, "fail")


def test_no_keyring_is_worth_a_warning(signed_in: dict[str, str]) -> None:
    found = Diagnosis(**signed_in | {"DRAGOMAN_KEY_STORAGE": "keyring"})
    assert (found.code, found.status("API key")) == (0, "warn")
    assert "in memory only" in found.text("API key")


def test_a_damaged_file_of_secrets_fails(signed_in: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    found = Diagnosis("--data-dir", str(tmp_path), **signed_in)
    assert (found.code, found.status("API key")) == (1, "fail")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "missing or not signed in"),
        ({"DRAGOMAN_FALLBACK_ON_PLAN_LIMIT": "true"}, "plan is used up"),
        ({"DRAGOMAN_ANTHROPIC_FALLBACK": "false"}, "not used"),
    ],
)
def test_an_anthropic_key_is_known_of_but_not_shown(
    signed_in: dict[str, str], tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    key = "sk-ant-made-up-for-the-doctor-0123456789"
    assert "none stored" in Diagnosis("--data-dir", str(tmp_path), **signed_in).text("Anthropic API key")
    run("key", "--anthropic", "--data-dir", str(tmp_path), stdin=key)
    found = Diagnosis("--data-dir", str(tmp_path), **signed_in, **variables)
    assert found.status("Anthropic API key") == "ok"
    assert found.text("Anthropic API key").startswith("stored")
    assert said in found.text("Anthropic API key")
    assert key not in str(found.checks)


async def test_the_holder_of_the_port_is_named(signed_in: dict[str, str]) -> None:
    with await open_listener("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        found = Diagnosis("--port", port, **signed_in)
    assert (found.code, found.status("port")) == (1, "fail")
    assert f"(process {os.getpid()})" in found.text("port")
    assert "--port" in found.text("port")


def test_our_own_server_on_the_port_is_well(signed_in: dict[str, str]) -> None:
    with serving() as server:
        found = Diagnosis("--port", server.url.rsplit(":", 1)[1], program=("-c", PATIENT), **signed_in)
    assert (found.code, found.status("port")) == (0, "ok")
    assert "running" in found.text("port")


@pytest.mark.parametrize(
    ("statement", "content", "said"),
    [
        ("PRAGMA user_version = 9999", None, "newer"),
        (None, b"no database at all" * 500, "cannot be read"),
    ],
)
def test_a_database_that_cannot_be_used_fails(
    signed_in: dict[str, str], tmp_path: Path, statement: str | None, content: bytes | None, said: str
) -> None:
    path = tmp_path / "history.db"
    if content is not None:
        path.write_bytes(content)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE x (y)")
            connection.execute(str(statement))
    before = path.read_bytes()
    found = Diagnosis("--data-dir", str(tmp_path), **signed_in)
    assert (found.code, found.status("database")) == (1, "fail")
    assert said in found.text("database")
    assert path.read_bytes() == before


def test_a_data_directory_that_is_a_file_fails(signed_in: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    found = Diagnosis("--data-dir", str(tmp_path / "data"), **signed_in)
    assert (found.code, found.status("database")) == (1, "fail")


def test_a_database_in_use_is_well(signed_in: dict[str, str]) -> None:
    with serving():
        found = Diagnosis(**signed_in)
    assert found.status("database") == "ok"
    assert "version " in found.text("database")


@pytest.mark.parametrize(("text", "status"), [("port = many", "fail"), ("shiny = 1", "warn"), ("port = 0", "ok")])
def test_the_settings_file_is_looked_at(signed_in: dict[str, str], text: str, status: str) -> None:
    default_config_dir().mkdir(parents=True)
    (default_config_dir() / "settings.toml").write_text(text)
    found = Diagnosis(**signed_in)
    assert found.status("settings") == status
    assert found.code == (1 if status == "fail" else 0)
    assert str(default_config_dir()) in found.text("settings")


PROVEN = Verdict(True)
FAILED = Verdict(False, "it differs")


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({}, "ok", "all fast paths"),
        ({Facility.RECYCLE: FAILED}, "warn", "reuse of processes (it differs)"),
        ({Facility.FAST_DELTAS: FAILED}, "warn", "fast streaming (it differs)"),
        ({Facility.ISOLATION: FAILED}, "fail", "your own settings"),
        ({Facility.ISOLATION: FAILED}, "fail", "claude_path"),
        ({Facility.TOOLS: Verdict(False, "no answer", conclusive=False)}, "ok", "all fast paths"),
        ({Facility.SIGN_IN: FAILED}, "ok", "all fast paths"),
    ],
    ids=["all", "one process each", "slow", "shortcoming", "remedy", "inconclusive", "another way to sign in"],
)
def test_the_verdicts_of_the_self_check_are_reported(changed: dict[Facility, Verdict], status: str, said: str) -> None:
    program = Program("2.1", "", FileState("claude", 1, 1, 1))
    record = CheckRecord(program, dict.fromkeys(Facility, PROVEN) | changed)
    check = report_verdicts(record, Probe("2.1", signed_in=True))
    assert check.status == status
    assert said in f"{check.detail} {check.hint}"
    assert "not run yet" in report_verdicts(record, Probe("2.2", signed_in=True)).detail


def test_a_servers_verdicts_are_read_from_its_folder(signed_in: dict[str, str], cli_path: Path, tmp_path: Path) -> None:
    assert "not run yet" in Diagnosis("--data-dir", str(tmp_path), **signed_in).text("self-check")
    version = run_claude(cli_path, signed_in)
    program, _ = VerdictFile(tmp_path / VERDICTS).identify(cli_path, version)
    VerdictFile(tmp_path / VERDICTS).save(CheckRecord(program, {Facility.TOOLS: FAILED}))
    found = Diagnosis("--data-dir", str(tmp_path), **signed_in)
    assert (found.code, found.status("self-check")) == (1, "fail")
    assert "tools do not work" in found.text("self-check")


def run_claude(cli_path: Path, variables: Mapping[str, str]) -> str:
    """Its version."""
    said = subprocess.run([cli_path, "--version"], env={**os.environ, **variables}, check=True, stdout=subprocess.PIPE)
    return said.stdout.decode().split()[0]


@pytest.mark.parametrize(
    ("account", "words"),
    [
        ({"subscriptionType": "max", "tokenSource": "claude.ai"}, "a plan (max)"),
        ({"apiKeySource": "ANTHROPIC_API_KEY", "apiProvider": "firstParty"}, "an API key (ANTHROPIC_API_KEY)"),
        ({"apiKeySource": "none", "tokenSource": "CLAUDE_CODE_OAUTH_TOKEN"}, "with CLAUDE_CODE_OAUTH_TOKEN"),
        ({"apiProvider": "bedrock"}, "through bedrock"),
        ({}, "signed in"),
    ],
)
def test_the_kind_of_account_is_said(account: dict[str, str], words: str) -> None:
    assert words in account_kind(account)
