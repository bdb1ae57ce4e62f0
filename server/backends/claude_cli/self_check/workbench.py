"""The place where a CLI is checked: temporary folders, no account, and loopback as its API."""

import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import psutil

from server.backends.claude_cli.chat.conversation import Conversation, LaunchOptions
from server.backends.claude_cli.self_check.api_stub import ApiStub, open_stub
from server.backends.claude_cli.self_check.verdict import NotProven
from server.backends.claude_cli.transport.channel import Channel
from server.backends.claude_cli.transport.command_line import build_command, build_environment
from server.backends.claude_cli.transport.wire import Streamed
from server.core.messages import MessageFold, MessagesRequest, StreamEvent

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


@dataclass(frozen=True, slots=True)
class Workbench:
    """A CLI under check, and the folder for its files, which is created anew for every run."""

    program: Path
    folder: Path
    outer: Mapping[str, str] = field(repr=False)

    def add_home(self, name: str, *, key: str | None = DUMMY_KEY) -> "Home":
        """Create a home folder with an empty configuration. Raises OSError."""
        home = Home(self, self.folder / name, key)
        for path in (home.config, home.work, home.temporary):
            path.mkdir(parents=True)
        # Two processes that start at once in a new home would make up two device ids, and differ in each request.
        home.write_config(".claude.json", {"userID": DEVICE_ID, "hasCompletedOnboarding": True})
        return home


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
    def work(self) -> Path:
        """The processes' working directory."""
        return self.path / "work"

    @property
    def temporary(self) -> Path:
        """The folder for temporary files."""
        return self.path / "tmp"

    def write_config(self, name: str, value: Any) -> None:
        """Write a JSON file into the configuration folder. Raises OSError."""
        file = self.config / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(orjson.dumps(value))
        file.chmod(0o600)

    def environment(self, url: str, variables: Mapping[str, str]) -> dict[str, str]:
        """The environment of a process, built as for any other, whose API is at `url`."""
        kept = {name: value for name, value in self.bench.outer.items() if name.upper() in LOCAL_VARIABLES}
        homes = dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"), str(self.path))
        homes |= dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(self.temporary))
        account = {"ANTHROPIC_API_KEY": self.key} if self.key else {}
        made = {**kept, **homes, **account, "CLAUDE_CONFIG_DIR": str(self.config), "ANTHROPIC_BASE_URL": url}
        return {**build_environment(made), **variables}

    @asynccontextmanager
    async def open_conversation(self, **variables: str) -> AsyncIterator["CheckedConversation"]:
        """Start a process as the pool does, and end it. Raises the errors of `Conversation.start`."""
        async with open_stub() as stub:
            launch = LaunchOptions(
                build_command(self.bench.program), self.environment(stub.url, variables), self.work, stub.url
            )
            conversation = await Conversation.start(launch, on_change=lambda: None, on_limits=lambda limits: None)
            try:
                _lower_priority(conversation.process.pid)
                yield CheckedConversation(stub, conversation)
            finally:
                conversation.kill()
                await conversation.stop()

    @asynccontextmanager
    async def open_channel(self, **variables: str) -> AsyncIterator[tuple[ApiStub, Channel]]:
        """Start a process of which only the protocol is driven, and end it. Raises `CliNotFound`."""
        async with open_stub() as stub:
            channel = await Channel.open(
                build_command(self.bench.program),
                self.environment(stub.url, variables),
                self.work,
                on_limits=lambda limits: None,
                on_death=lambda: None,
            )
            try:
                _lower_priority(channel.process.pid)
                yield stub, channel
            finally:
                channel.process.kill()
                await channel.process.stop()


@dataclass(frozen=True, slots=True)
class CheckedConversation:
    """A conversation, and the stub that its process talks to."""

    stub: ApiStub
    conversation: Conversation

    async def ask(self, request: MessagesRequest) -> "Answer":
        """Run a turn. Raises the errors of `Conversation.stream_answer`, and `NotProven` if no API request came."""
        sent_before = len(self.stub.requests)
        self.conversation.claim(request)
        answer = Answer()
        async for event in self.conversation.stream_answer(request):
            answer.events.append(event)
            answer.fold.feed(event)
        if len(self.stub.requests) != sent_before + 1:
            raise NotProven(f"a turn made {len(self.stub.requests) - sent_before} requests to the API instead of one")
        return answer


@dataclass(frozen=True, slots=True)
class Answer:
    """The events of an answer, and their fold."""

    events: list[StreamEvent] = field(default_factory=list)
    fold: MessageFold = field(default_factory=MessageFold)


def streamed_events(items: list[Any]) -> list[StreamEvent]:
    """The stream events among a turn's items."""
    return [item.event for item in items if isinstance(item, Streamed)]


def _lower_priority(pid: int) -> None:
    """Let requests have the processor first."""
    with contextlib.suppress(psutil.Error, OSError):
        psutil.Process(pid).nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else NICENESS)
