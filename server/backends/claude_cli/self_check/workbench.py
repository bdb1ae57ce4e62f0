"""The place where a CLI is checked: temporary folders, no account, and loopback as its API."""

import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import psutil

from server.backends.claude_cli.self_check.api_stub import open_stub
from server.backends.claude_cli.self_check.driven_process import DrivenProcess
from server.backends.claude_cli.transport.channel import Channel
from server.backends.claude_cli.transport.command_line import build_command, build_environment

DUMMY_KEY = "sk-ant-self-check"
LOCAL_VARIABLES = frozenset(
    {
        "PATH", "LANG", "LANGUAGE", "TZ", "SHELL", "USER", "LOGNAME",
        "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "PROGRAMDATA", "PROGRAMFILES",
        "PROGRAMFILES(X86)", "USERNAME", "USERDOMAIN", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE",
    }
)  # fmt: skip
"""Variables of the outer environment that a checked CLI gets: none that leads to an account, a proxy or a keyring."""
DEVICE_ID = "0" * 64
NICENESS = 10
SILENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Workbench:
    """A CLI under check, and the new folder for its files.

    `silence_seconds` is the longest wait for the CLI's next line. `gate` is awaited before each process.
    """

    program: Path
    folder: Path
    outer: Mapping[str, str] = field(repr=False)
    silence_seconds: float = SILENCE_SECONDS
    gate: Callable[[], Awaitable[None]] | None = None

    @property
    def work(self) -> Path:
        """The working directory of all processes: the CLI names it to the model, so requests differ without it."""
        return self.folder / "work"

    def add_home(self, *, key: str | None = DUMMY_KEY) -> "Home":
        """Create a home folder for one process. Raises OSError.

        Processes do not share one: what is killed while it writes its configuration leaves a damaged file.
        """
        self.work.mkdir(parents=True, exist_ok=True)
        home = Home(self, Path(tempfile.mkdtemp(dir=self.folder, prefix="home-")), key)
        for path in (home.config, home.temporary):
            path.mkdir()
        # Each new configuration would get a device id of its own, which is a part of each request.
        home.write_config(".claude.json", {"userID": DEVICE_ID, "hasCompletedOnboarding": True})
        return home

    def start_process(self, **variables: str) -> AbstractAsyncContextManager[DrivenProcess]:
        """Start a process in a new home, see `Home.start_process`."""
        return self.add_home().start_process(**variables)


@dataclass(frozen=True, slots=True)
class Home:
    """A user's home folder, made up for the check. Without `key` the configuration decides the account."""

    bench: Workbench
    path: Path
    key: str | None

    @property
    def config(self) -> Path:
        """Claude Code's configuration folder."""
        return self.path / ".claude"

    @property
    def temporary(self) -> Path:
        """The folder for temporary files."""
        return self.path / "tmp"

    def write_config(self, name: str, value: Any) -> None:
        """Write a JSON file into the configuration folder. Raises OSError."""
        write_file(self.config / name, orjson.dumps(value))

    def environment(self, url: str, variables: Mapping[str, str]) -> dict[str, str]:
        """The environment of a process, built as for any other, whose API is at `url`."""
        kept = {name: value for name, value in self.bench.outer.items() if name.upper() in LOCAL_VARIABLES}
        homes = dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"), str(self.path))
        homes |= dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(self.temporary))
        account = {"ANTHROPIC_API_KEY": self.key} if self.key else {}
        # Whatever the CLI asks of other hosts ends at the stub, which refuses it.
        proxies = {"HTTP_PROXY": url, "HTTPS_PROXY": url, "NO_PROXY": "127.0.0.1"}
        made = {**kept, **homes, **account, **proxies, "CLAUDE_CONFIG_DIR": str(self.config), "ANTHROPIC_BASE_URL": url}
        return {**build_environment(made), **variables}

    @asynccontextmanager
    async def start_process(self, **variables: str) -> AsyncIterator[DrivenProcess]:
        """Start a process, whose API is a stub of its own, and end both. Raises `CliNotFound` and OSError."""
        if self.bench.gate is not None:
            await self.bench.gate()
        async with open_stub() as stub:
            channel = await Channel.open(
                build_command(self.bench.program),
                self.environment(stub.url, variables),
                self.bench.work,
                on_limits=lambda limits: None,
                on_death=lambda: None,
            )
            try:
                _lower_priority(channel.process.pid)
                yield DrivenProcess(stub, channel, self.bench.silence_seconds)
            finally:
                channel.process.kill()
                await channel.process.stop()


def write_file(path: Path, content: bytes) -> None:
    """Write a private file, with its folders. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)


def _lower_priority(pid: int) -> None:
    """Let requests have the processor first."""
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        if sys.platform == "win32":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        elif process.nice() < NICENESS:
            process.nice(NICENESS)
