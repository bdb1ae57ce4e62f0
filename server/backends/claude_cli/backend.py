"""The Claude Code CLI as a `Backend`."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.backends.base import BackendStatus, ModelInfo
from server.backends.claude_cli.conversation import Conversation, Launch
from server.backends.claude_cli.environment import command, environment
from server.backends.claude_cli.locate import locate
from server.backends.claude_cli.parameters import likely_flags
from server.backends.claude_cli.pool import Counts, Limits, Pool
from server.backends.claude_cli.probe import Probe, probe
from server.errors import BackendError, NotSignedIn, ProcessDied, TrayError, UpstreamFailed
from server.events import CliChanged, Event, EventBus, PlanWindowsChanged, PoolChanged, SessionsDeleted
from server.messages import Events, MessagesRequest
from server.tasks import spawn

log = logging.getLogger(__name__)

PROBE_STOP_SECONDS = 5.0
ASK_AGAIN_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class CliConfig:
    """How to run the CLI. `directory` is private and empty: the CLI tells the model where it runs.

    `outer` is the environment that the processes may pick from.
    """

    directory: Path
    outer: Mapping[str, str]
    claude_path: Path | None = None
    load_user_settings: bool = False
    limits: Limits = field(default_factory=Limits)


class ClaudeCliBackend:
    """Serves requests with warm CLI processes."""

    name = "claude_code"

    def __init__(self, config: CliConfig, bus: EventBus) -> None:
        self._config = config
        self._bus = bus
        self._pool = Pool(config.limits, self._start_process, self._pool_changed)
        self._probe: Probe | None = None
        self._problem: TrayError | None = None
        self._windows: dict[str, dict[str, Any]] = {}
        self._cli: tuple[Path, int, int] | None = None
        self._counts: Counts | None = None
        self._unsubscribe = bus.subscribe(self._on_event)
        self._probing: asyncio.Task[None] | None = None
        self._stopping = False
        self._expected: dict[str, Any] = {}
        """The settings of the latest request, with which spares are parked: clients seldom change them."""
        self._asked_again = -ASK_AGAIN_SECONDS

    async def start(self) -> None:
        """Park the spares and ask the CLI who it is, both in the background: the server listens meanwhile."""
        self._config.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._pool.open()
        self._probe_again()

    async def stop(self) -> None:
        """End every process."""
        self._stopping = True
        self._unsubscribe()
        await asyncio.gather(self._pool.close(), self._end_probe())

    async def _end_probe(self) -> None:
        """It ends its process by itself, in less than a second; only with a CLI that hangs it has to be told."""
        if self._probing is not None and not self._probing.done():
            await asyncio.wait([self._probing], timeout=PROBE_STOP_SECONDS)
            self._probing.cancel()
            await asyncio.wait([self._probing])

    async def refresh(self) -> None:
        """Ask the CLI again for its version, models and account."""
        try:
            path = locate(self._config.claude_path)
            self._probe = await probe(
                path, self._config.directory, self._config.outer, load_user_settings=self._config.load_user_settings
            )
            self._problem = None
        except BackendError as error:
            log.warning("Claude Code cannot be used: %s", error)
            self._problem = error
        self._tell_cli()

    async def probed(self) -> Probe | None:
        """What the CLI said of itself, waiting for it while it is being asked; None when it could not be asked."""
        if self._probing is not None:
            await asyncio.wait([self._probing])
        return self._probe

    def models(self) -> tuple[ModelInfo, ...]:
        """The models in the CLI's own list; empty until it has answered."""
        return self._probe.models if self._probe else ()

    def status(self) -> BackendStatus:
        """How the CLI is, without asking it."""
        facts: dict[str, Any] = {"processes": _as_facts(self._pool.counts())}
        if self._problem is not None:
            return BackendStatus(False, str(self._problem), facts)
        if self._probe is None:
            return BackendStatus(True, "Claude Code is starting.", facts)
        facts |= {"version": self._probe.version, "signed_in": self._probe.signed_in}
        if not self._probe.signed_in:
            return BackendStatus(False, "Claude Code is not signed in.", facts)
        return BackendStatus(True, "Claude Code is ready.", facts)

    @property
    def plan_windows(self) -> dict[str, dict[str, Any]]:
        """The plan's windows as last heard: name to `utilization` (0..1), `resetsAt` (epoch seconds), `status`."""
        return self._windows

    @property
    def pool(self) -> Pool:
        """The processes, for people to look at."""
        return self._pool

    async def stream(self, request: MessagesRequest) -> Events:
        """Serve `request`. A turn that dies before its first event is begun once more on a fresh process."""
        for attempt in (1, 2):
            conversation = await self._pool.lease(request, fresh=attempt > 1)
            self._expected = likely_flags(request, self._base_url)
            begun = False
            try:
                async with aclosing(conversation.answer(request)) as events:
                    async for event in events:
                        begun = True
                        yield event
                return
            except TrayError as error:
                if begun or attempt > 1 or not _died(error):
                    self._note(error)
                    raise
                log.warning("a turn died before its first event and is begun again: %s", error)

    def _note(self, error: TrayError) -> None:
        if isinstance(error, NotSignedIn) and time.monotonic() - self._asked_again > ASK_AGAIN_SECONDS:
            # A spare may have looked for the login when it was started: the next request gets a new process.
            self._asked_again = time.monotonic()
            self._pool.drop_spares()
            self._probe_again()

    def _probe_again(self) -> None:
        if not self._stopping and (self._probing is None or self._probing.done()):
            self._probing = spawn(self.refresh(), name="probe claude")

    async def _start_process(self) -> Conversation:
        path = locate(self._config.claude_path)
        self._notice_update(path)
        launch = Launch(
            command(path, load_user_settings=self._config.load_user_settings),
            environment(self._config.outer),
            self._config.directory,
            self._base_url,
            self._expected,
        )
        return await Conversation.start(
            launch,
            on_change=self._pool.changed,
            on_limits=self._take_limits,
        )

    @property
    def _base_url(self) -> str | None:
        """Where the CLI finds Anthropic's API; None where that is not ours to say."""
        outer = self._config.outer
        elsewhere = any(name.startswith("CLAUDE_CODE_USE_") for name in outer)
        return None if elsewhere or self._config.load_user_settings else outer.get("ANTHROPIC_BASE_URL", "")

    def _notice_update(self, path: Path) -> None:
        """Ask again who the CLI is when it is another one than before."""
        try:
            stat = path.stat()
        except OSError:
            return  # It vanishes in this moment; starting it will say so.
        cli = (path, stat.st_mtime_ns, stat.st_size)
        if self._cli is not None and self._cli != cli:
            log.info("Claude Code has changed: %s", path)
            self._probe_again()
        self._cli = cli

    def _take_limits(self, info: dict[str, Any]) -> None:
        if windows := info.get("unifiedWindows"):
            self._windows = windows
            self._bus.publish(PlanWindowsChanged(windows))

    def _pool_changed(self) -> None:
        counts = self._pool.counts()
        if counts != self._counts:
            self._counts = counts
            self._bus.publish(PoolChanged(counts.spares, counts.live, counts.busy, counts.queued, counts.memory_bytes))

    def _on_event(self, event: Event) -> None:
        if isinstance(event, SessionsDeleted):
            self._pool.end_sessions(event.session_ids)

    def _tell_cli(self) -> None:
        found, path = self._probe, self._cli
        self._bus.publish(
            CliChanged(
                str(path[0]) if path else None,
                found.version if found else None,
                found.signed_in if found else None,
                found.account if found else {},
            )
        )


def _died(error: TrayError) -> bool:
    """Whether the turn ended without a word of the service: a dead process or a cut connection."""
    return isinstance(error, ProcessDied) or (isinstance(error, UpstreamFailed) and error.upstream_status is None)


def _as_facts(counts: Counts) -> dict[str, int]:
    return {"spares": counts.spares, "live": counts.live, "busy": counts.busy, "queued": counts.queued}
