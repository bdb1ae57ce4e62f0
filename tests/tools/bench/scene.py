"""Environment of the measurements: a temporary home, the simulator and the server as processes."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil

from server.backends.claude_cli.self_check.run import run_self_check
from server.backends.claude_cli.self_check.verdict_file import VERDICTS, CheckRecord, VerdictFile
from server.backends.claude_cli.transport.locate import find_bundled, locate_cli
from server.backends.claude_cli.transport.probe import run_probe
from server.config.paths import write_private
from tests.environment import made_environment, simulated_account
from tests.tools.demo import stop

ROOT = Path(__file__).parents[3]
GROUP: dict[str, Any] = {"creationflags": 0x200} if sys.platform == "win32" else {"process_group": 0}
"""Ctrl-C reaches the benchmark alone, which then ends what it has started."""
CLI_VARIABLES = {
    "ENABLE_TOOL_SEARCH": "false",
    "DISABLE_AUTO_COMPACT": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_MAX_RETRIES": "0",
    "CLAUDE_CODE_DISABLE_CLAUDE_MDS": "1",
}
SERVER_VARIABLES = {
    "DRAGOMAN_RATE_LIMIT": "1000000/minute",
    "DRAGOMAN_API_KEY_REQUIRED": "false",
    "DRAGOMAN_KEY_STORAGE": "memory",
}
"""The limit is kept, so that its cost is part of what is measured, but it is not reached."""
WINDOW_VARIABLES = {"QT_QPA_PLATFORM": "offscreen"}
"""The window is open and is drawn, into memory: no desktop is needed."""
POLL_SECONDS = 0.02
REST_SECONDS = 60.0


def find_claude(given: Path | None) -> Path:
    """The CLI to work with: the pinned one, unless another is asked for. Raises CliNotFound."""
    name = "claude.exe" if sys.platform == "win32" else "claude"
    pinned = (path for path in find_bundled(name) if path.is_file())
    return given or next(pinned, None) or locate_cli()


class NotListening(Exception):
    """A process ended instead of listening."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A process that listens at `url`, `seconds` after it was started. Its standard error goes to `log`."""

    process: "subprocess.Popen[str]"
    url: str
    seconds: float
    log: Path

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def tell(self, line: str) -> Any:
        """Send a line to its standard input, as `desktop.py` expects, and return the reply. Raises NotListening."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        if not (answer := self.process.stdout.readline()):
            raise NotListening(f"no answer to {line}: {_tail(self.log)}")
        return json.loads(answer)


@contextlib.contextmanager
def listening(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[Listening]:
    """A process that says `... listening on URL`, ended at the end of the block.

    Raises NotListening.
    """
    with log.open("w") as errors:
        began = time.perf_counter()
        with subprocess.Popen(
            command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            text=True, **GROUP,
        ) as process:  # fmt: skip
            try:
                assert process.stdout is not None
                _, said, url = process.stdout.readline().partition("listening on ")
                seconds = time.perf_counter() - began
                if not said:
                    raise NotListening(f"{' '.join(command)} does not listen: {_tail(log)}")
                yield Listening(process, url.strip(), seconds, log)
            finally:
                stop(process)


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]


class Server:
    """The server as a process, for those who look after it between the measurements."""

    def __init__(self, process: Listening, client: httpx2.AsyncClient) -> None:
        self.url = process.url
        self.pid = process.pid
        self.process = process
        self._log = process.log
        self._client = client

    async def processes(self) -> dict[str, int]:
        """Number of its CLI processes, by state."""
        counts: dict[str, int] = (await self._backend())["processes"]
        return counts

    async def rest(self) -> None:
        """End all conversations; return when only spares are left.

        Raises TimeoutError, which says what there is instead.
        """
        (await self._client.delete("/api/sessions", params={"all": "true"})).raise_for_status()
        deadline = time.monotonic() + REST_SECONDS
        while not _rests(backend := await self._backend(), children := len(psutil.Process(self.pid).children())):
            if time.monotonic() > deadline:
                state = f"{children} processes, {backend}"
                raise TimeoutError(f"the server did not come to rest: {state}\n{_tail(self._log)}")
            await asyncio.sleep(POLL_SECONDS)

    async def _backend(self) -> dict[str, Any]:
        backend: dict[str, Any] = (await self._client.get("/health")).raise_for_status().json()["backend"]
        return backend


def _rests(backend: Mapping[str, Any], children: int) -> bool:
    # With its version the CLI has answered who it is, for which a process of its own is started at first.
    counts = backend["processes"]
    # After several new conversations at once it keeps more than one spare for a minute.
    return backend["version"] is not None and counts["live"] == 0 and children == counts["spares"] > 0


@dataclass(frozen=True)
class Scene:
    """The simulator at `simulator_url`, the CLI at `claude`, and a `home` for everybody."""

    claude: Path
    home: Path
    simulator_url: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment of processes that work for the simulator."""
        return made_environment(self.home, os.environ) | simulated_account(self.simulator_url)

    @property
    def cli_environment(self) -> dict[str, str]:
        """The environment of a CLI that is driven directly."""
        return self.environment | CLI_VARIABLES

    @property
    def empty_directory(self) -> Path:
        """Directory in which the CLI runs; the CLI describes it to the model."""
        directory = self.home / "empty"
        directory.mkdir(exist_ok=True)
        return directory

    def server_process(
        self, data: str = "data", *, window: bool = False, driven: bool = False
    ) -> contextlib.AbstractContextManager[Listening]:
        """Start the server, or with `window` the application, and wait until it listens. `data` names its directory.

        One that is `driven` shows what it is told to.
        """
        program = ["tests.tools.bench.desktop" if driven else "tray_app"] if window else ["server", "serve"]
        name = f"window-{data}" if window else data
        # Otherwise the check would run in the middle of a measurement, and the processes would change with it.
        write_private(self.home / name / VERDICTS, (self.home / VERDICTS).read_bytes())
        command = [sys.executable, "-m", *program, "--port", "0", "--claude-path", str(self.claude)]
        command += ["--data-dir", str(self.home / name), "--config-dir", str(self.home / f"{name}-config")]
        environment = self.environment | SERVER_VARIABLES | (WINDOW_VARIABLES if window else {})
        return listening(command, environment, self.home / f"{name}.log")

    @contextlib.asynccontextmanager
    async def server(self, *, window: bool = False, driven: bool = False) -> AsyncIterator[Server]:
        """The idle server, with one spare parked."""
        with self.server_process(window=window, driven=driven) as process:
            async with httpx2.AsyncClient(base_url=process.url, timeout=60) as client:
                server = Server(process, client)
                await server.rest()
                yield server


@contextlib.contextmanager
def set_up(claude: Path, home: Path) -> Iterator[Scene]:
    """The scene, with the simulator in a process of its own."""
    command = [sys.executable, "-m", "tests.simulator"]
    environment = made_environment(home, os.environ)
    asyncio.run(_check_claude(claude, home, environment))
    with listening(command, environment, home / "simulator.log") as simulator:
        yield Scene(claude, home, simulator.url)


async def _check_claude(claude: Path, home: Path, environment: Mapping[str, str]) -> None:
    """Write the verdicts on the CLI, as a server that has used it before has them."""
    empty = home / "empty"
    empty.mkdir(exist_ok=True)
    version = (await run_probe(claude, empty, environment)).version
    file = VerdictFile(home / VERDICTS)
    program, _ = file.identify(claude, version)
    file.save(CheckRecord(program, await run_self_check(claude, home / "check", environment)))
