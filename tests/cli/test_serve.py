"""`serve` as a process: its output, its access control, and how it ends."""

import json
import shlex
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.config.own_commands import own_command
from server.config.paths import default_config_dir, default_data_dir
from server.config.settings import Settings
from server.hosting.own_address import refuse_own_address
from server.hosting.sockets import open_listener
from tests.cli.processes import rest_of, run, serving, started, status
from tests.systems import posix_only

posix = posix_only("Windows has no such signals")


def test_it_says_where_it_listens_and_where_the_key_is(tmp_path: Path) -> None:
    with serving("--data-dir", str(tmp_path / "my data")) as server:
        assert status(server.url + "/health") == 200
        assert status(server.url + "/api/sessions") == 401
        assert str(tmp_path / "my data" / "secrets.json") in server.second
        command = shlex.split(server.second.rsplit("; '", 1)[1].rsplit("' prints it", 1)[0])
        arguments = command[command.index("key") :]
        assert shlex.join(command) == own_command(*arguments)
        key = run(*arguments).stdout.strip()
        assert key.startswith("dgm-")
        assert key not in server.second
        assert status(server.url + "/api/sessions", key) == 200
        _, out, err = server.stop()
    assert out == ""
    assert key not in err
    assert "Traceback" not in err


def test_a_key_in_memory_is_shown() -> None:
    with serving(DRAGOMAN_KEY_STORAGE="keyring") as server:
        key = server.second.removeprefix("API key: ").split()[0]
        assert status(server.url + "/api/sessions", key) == 200
        assert status(server.url + "/api/sessions", key + "x") == 401
        assert "in memory only" in server.second
        assert "no system keyring" in server.second


def test_a_key_from_the_environment_is_used() -> None:
    with serving(DRAGOMAN_API_KEY="my-own-key") as server:
        assert status(server.url + "/api/sessions", "my-own-key") == 200
        assert "my-own-key" not in server.second
        assert "DRAGOMAN_API_KEY" in server.second


def test_without_authentication_all_are_let_in() -> None:
    with serving("--no-auth") as server:
        assert status(server.url + "/api/sessions") == 200
        assert "not required" in server.second


def test_an_open_server_on_the_network_is_warned_of() -> None:
    with serving("--no-auth", "--host", "0.0.0.0") as server:
        _, _, err = server.stop()
    assert "anyone on the network" in err


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_signals_stop_it_cleanly(name: str) -> None:
    with serving() as server:
        code, out, err = server.stop(signal.Signals[name])
    assert (code, out) == (0, "")
    assert "stopped" in err
    assert "Traceback" not in err
    log = (default_data_dir() / "logs" / "server.log").read_text().splitlines()
    assert json.loads(log[-1])["event"] == "stopped"


async def test_a_port_in_use_is_one_clear_message() -> None:
    with await open_listener("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        result = run("serve", "--port", port)
    assert (result.returncode, result.stdout) == (1, "")
    assert f"dragoman: Port {port} on 127.0.0.1 is in use" in result.stderr
    assert "--port" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("upstream", ["http://127.0.0.1:4321", "http://LOCALHOST:4321/v1", "http://[::1]:4321"])
def test_claude_code_is_not_sent_back_to_this_server(upstream: str) -> None:
    result = run("serve", "--port", "4321", ANTHROPIC_BASE_URL=upstream)
    assert (result.returncode, result.stdout) == (1, "")
    assert upstream in result.stderr
    assert "Unset it" in result.stderr


@pytest.mark.parametrize("upstream", ["", "http://127.0.0.1:4322", "https://gateway.example:8000", "http://x:port"])
def test_claude_code_may_be_sent_elsewhere(upstream: str) -> None:
    refuse_own_address(Settings(), {"ANTHROPIC_BASE_URL": upstream})


def test_a_database_of_a_newer_version_is_one_clear_message_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE x (y); PRAGMA user_version = 9999;")
    before = path.read_bytes()
    result = run("serve", "--port", "0", "--data-dir", str(tmp_path))
    assert (result.returncode, result.stdout) == (1, "")
    assert "dragoman: " in result.stderr
    assert "newer" in result.stderr
    assert "Traceback" not in result.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize("level", ["info", "error"])
def test_a_damaged_database_that_was_set_aside_is_told_on_the_terminal(tmp_path: Path, level: str) -> None:
    (tmp_path / "history.db").write_bytes(b"nonsense " * 1000)
    with serving("--data-dir", str(tmp_path), DRAGOMAN_LOG_LEVEL=level) as server:
        _, _, err = server.stop()
    (copy,) = tmp_path.glob("history.db.damaged-*")
    assert err.count(f"set aside as {copy}") == 1


def test_a_broken_settings_file_is_one_clear_message() -> None:
    default_config_dir().mkdir(parents=True)
    path = default_config_dir() / "settings.toml"
    path.write_text("port = many")
    result = run("serve")
    assert (result.returncode, result.stdout) == (1, "")
    assert str(path) in result.stderr
    assert "Traceback" not in result.stderr


def test_settings_of_a_newer_version_are_warned_of() -> None:
    default_config_dir().mkdir(parents=True)
    (default_config_dir() / "settings.toml").write_text("shiny = true\napi_key_required = false")
    with serving() as server:
        assert status(server.url + "/api/sessions") == 200
        _, _, err = server.stop()
    assert "unknown settings: shiny" in err


@posix
def test_a_reader_that_went_away_does_not_stop_it() -> None:
    with started("-m", "server", "serve", "--port", "0") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        for line in process.stderr:
            if "listening on" in line:
                url = line.split("listening on ")[1].split()[0]
                break
        assert status(url + "/health") == 200
        process.terminate()
        err = process.stderr.read()
        assert process.wait(120) == 0
    assert "BrokenPipe" not in err


SCRIPT = """
import asyncio, sys
from server.cli.serve import serve_until_stopped
from server.core.events import StateChanged
from server.secrets import KeyStore
from server.secrets.storage import MemoryStorage
from server.config.settings import Settings

class Hosted:
    def __init__(self, mode, bus):
        self.mode = mode
        bus.subscribe(self.on_event)
    def on_event(self, event):
        if self.mode == "ends by itself" and isinstance(event, StateChanged) and event.state == "running":
            self.end_server()
    async def app(self, scope, receive, send): raise RuntimeError("nobody asks")
    def cancel_requests(self): pass
    async def start(self):
        if self.mode == "slow start":
            await self.hang("starting")
    async def stop(self):
        if self.mode == "slow stop":
            await self.hang("stopping")
        print("stopped well", flush=True)
    async def hang(self, word):
        print(word, flush=True)
        await asyncio.Event().wait()
    def end_server(self):
        next(task for task in asyncio.all_tasks() if task.get_name() == "http server").cancel()

async def main():
    async def host(settings, bus): return Hosted(sys.argv[1], bus)
    return await serve_until_stopped(Settings(port=0), host, KeyStore(MemoryStorage()))

sys.exit(asyncio.run(main()))
"""


def read_until(process: object, word: str) -> None:
    for line in process.stdout:  # type: ignore[attr-defined]
        if line.strip() == word or line.startswith(f"{word} "):
            return
    pytest.fail(f"{word!r} was not said")


@posix
def test_a_signal_ends_a_start_that_hangs() -> None:
    with started("-c", SCRIPT, "slow start") as process:
        read_until(process, "starting")
        process.terminate()
        out, err = rest_of(process)
    assert (process.returncode, out) == (0, "stopped well\n")
    assert "Traceback" not in err


@posix
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_a_stop_that_hangs(second: int) -> None:
    with started("-c", SCRIPT, "slow stop") as process:
        read_until(process, "listening")
        process.send_signal(signal.SIGINT)
        read_until(process, "stopping")
        process.send_signal(second)
        out, _ = rest_of(process)
    assert (process.returncode, "stopped well" in out) == (130, False)


def test_a_server_that_ends_by_itself_ends_the_program_with_an_error() -> None:
    with started("-c", SCRIPT, "ends by itself") as process:
        out, err = rest_of(process)
    assert process.returncode == 1
    assert "stopped unexpectedly" in err
    assert out.startswith("listening on")
    assert out.endswith("stopped well\n")
