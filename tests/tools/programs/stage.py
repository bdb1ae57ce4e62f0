"""Environment of one program: a temporary home, the server on the simulator, the client from the Clients page."""

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from server.secrets.key_store import KEY_PREFIX
from tests.environment import made_environment, simulated_account
from tests.simulator import Simulator
from tests.tools.bench.scene import listening
from tray_app.clients.backups import Backups
from tray_app.clients.catalogue import CLIENTS
from tray_app.clients.client import Client, Places
from tray_app.clients.config_file import apply_change, prepare_change, read_state
from tray_app.clients.connection import Connection

MODEL = "sonnet"
NOWHERE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
HERE = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
"""A proxy that does not exist, for programs that could reach the network otherwise."""


@dataclass(frozen=True)
class Stage:
    """A home, a working directory, the programs on PATH, and a dedicated server."""

    home: Path
    programs: Path | None
    simulator: Simulator
    connection: Connection
    environment: Mapping[str, str]
    log: Path

    @property
    def work(self) -> Path:
        """The directory that the program is started in."""
        return self.home / "work"

    def configure(self, client: Client) -> None:
        """Write the client's file as "Configure for me" does."""
        assert client.configuration is not None
        places = Places(self.home, self.environment, sys.platform)
        backups = Backups(self.home / "backups")
        apply_change(prepare_change(client, client.configuration, self.connection, places), backups, at=time.time())
        after = read_state(client, self.connection, places, backups)
        assert after is not None
        assert after.state.kind == "configured"

    def requests(self) -> list[dict[str, Any]]:
        """The server's records of the requests so far, oldest first, with their bodies."""
        headers = {"authorization": f"Bearer {self.connection.secret}"}
        with httpx2.Client(base_url=self.connection.url, headers=headers, timeout=60, trust_env=False) as http:
            newest_first = http.get("/api/requests", params={"limit": 100}).raise_for_status().json()["items"]
            return [http.get(f"/api/requests/{record['id']}").json() for record in reversed(newest_first)]


def client_of(client_id: str) -> Client:
    """A client of the Clients page."""
    return next(client for client in CLIENTS if client.id == client_id)


@contextlib.contextmanager
def staged(home: Path, programs: Path | None, claude: Path, *, alone: bool) -> Iterator[Stage]:
    """Make a stage with its server; `programs` precedes PATH. Without `alone` the network is reachable."""
    key = KEY_PREFIX + secrets.token_urlsafe(24)
    with Simulator() as simulator:
        base = made_environment(home, os.environ)
        ours = {"DRAGOMAN_API_KEY": key, "DRAGOMAN_KEY_STORAGE": "memory"}
        # Some programs can send no key.
        ours |= {"DRAGOMAN_LOG_BODIES": "true", "DRAGOMAN_KEYLESS_ACCESS": "true"}
        command = [sys.executable, "-m", "server", "serve", "--port", "0", "--claude-path", str(claude)]
        command += ["--data-dir", str(home / "data"), "--config-dir", str(home / "tray-config")]
        log = home / "server.log"
        with listening(command, base | simulated_account(simulator.url) | ours, log) as server:
            # A shell keeps PWD, and some programs take it for where they are.
            environment = (
                base | {"PWD": str(home / "work"), "TERM": "dumb", "NO_COLOR": "1"} | ({} if alone else NOWHERE | HERE)
            )
            if programs is not None:
                environment["PATH"] = os.pathsep.join([str(programs), environment.get("PATH", "")])
            stage = Stage(home, programs, simulator, Connection(server.url, key, MODEL), environment, log)
            stage.work.mkdir()
            yield stage
