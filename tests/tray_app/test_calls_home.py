"""The program talks to this computer alone, unless the user has switched on or clicked what says otherwise."""

import ast
import ipaddress
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.simulator import Simulator
from tests.waiting import until

ROOT = Path(__file__).parents[2]
FEED_HOST = "updates.test"
PAGES = ("overview", "requests", "sessions", "clients", "settings")
API_KEY = "dgm-the-key-of-this-test"

# Audit events: https://docs.python.org/3/library/audit_events.html. The feed is there in both runs: only the setting
# makes the difference. A day passes in a few milliseconds.
PROGRAM = f"""
import os, sys, time
calls = open(os.environ["CALLS"], "a", buffering=1)

def plain(host):
    return host.decode() if isinstance(host, bytes) else host

def note(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        if isinstance(arguments[1], tuple):
            print(repr(plain(arguments[1][0])), file=calls)
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        print(repr(plain(arguments[0])), file=calls)
        if plain(arguments[0]) == "{FEED_HOST}":
            raise OSError("this test has no such host")

sys.addaudithook(note)
from tray_app.updates import feed
feed.find_release_feed = lambda: feed.ReleaseFeed("http://{FEED_HOST}/list", "https://{FEED_HOST}/o/n")
from tray_app.updates import check
check.FIRST_MS, check.EVERY_MS, check.DAY_SECONDS = 1, 5, 0
from tray_app.__main__ import main
sys.exit(main(sys.argv[1:]))
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """The file with the hosts that the program has looked up or connected to."""
    file = tmp_path / "calls"
    file.touch()
    return file


@pytest.fixture
def start(tmp_path: Path, calls: Path, claude_environment: dict[str, str], cli_path: Path) -> Iterator[Start]:
    """Starts the program, its window included, with its defaults but for the port and the folders."""
    started: list[subprocess.Popen[str]] = []
    errors = (tmp_path / "stderr").open("a")

    def start(*options: str, **environment: str) -> "subprocess.Popen[str]":
        folders = ["--data-dir", str(tmp_path / "data"), "--config-dir", str(tmp_path / "config")]
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *options, "--port", "0", *folders, "--claude-path", str(cli_path)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env=claude_environment
            | {"CALLS": str(calls), "QT_QPA_PLATFORM": "offscreen", "DRAGOMAN_API_KEY": API_KEY}
            | environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    errors.close()


def read_calls(calls: Path) -> set[Any]:
    """The hosts that were called; None is this computer."""
    return {ast.literal_eval(line) for line in calls.read_text().splitlines()}


def is_here(host: Any) -> bool:
    return host in (None, "", "localhost") or ipaddress.ip_address(host).is_loopback


def connected_elsewhere(program: "subprocess.Popen[str]") -> list[Any]:
    """Connections of the program's processes, Claude Code among them, to other computers. Qt's own would be here."""
    found = []
    parent = psutil.Process(program.pid)
    for process in (parent, *parent.children(recursive=True)):
        try:
            connections = process.net_connections()
        except psutil.Error:  # it has ended
            continue
        found += [entry for entry in connections if entry.raddr and not is_here(entry.raddr.ip)]
    return found


def address_of(program: "subprocess.Popen[str]") -> str:
    assert program.stdout is not None
    line = program.stdout.readline().strip()
    assert line.startswith("listening on "), line
    return line.removeprefix("listening on ")


def test_with_its_defaults_the_program_calls_nobody(start: Start, calls: Path, simulator: Simulator) -> None:
    program = start()  # with the guide
    url = address_of(program)
    for page in PAGES:
        shown = start("--page", page)  # a second start, which the running program shows that page for
        assert shown.wait(60) == 0
        assert connected_elsewhere(program) == []
    body = {"model": "haiku", "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"authorization": f"Bearer {API_KEY}"}
    answer = httpx2.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=120)
    assert answer.status_code == 200, answer.text
    assert connected_elsewhere(program) == []
    assert program.poll() is None
    assert [host for host in read_calls(calls) if not is_here(host)] == []


async def test_the_hook_would_see_a_call(start: Start, calls: Path) -> None:
    program = start("--hidden", DRAGOMAN_CHECK_UPDATES="true")
    address_of(program)
    await until(lambda: FEED_HOST in read_calls(calls))
    assert program.poll() is None


def test_the_server_alone_never_checks(start: Start, calls: Path) -> None:
    # The setting is the window's.
    url = address_of(start("serve", DRAGOMAN_CHECK_UPDATES="true"))
    for _ in range(20):
        assert httpx2.get(f"{url}/health", timeout=60).status_code in (200, 503)
    assert [host for host in read_calls(calls) if not is_here(host)] == []
