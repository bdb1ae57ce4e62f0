"""The Claude Code CLI as a `Backend`."""

import asyncio
import functools
import logging
import time
from collections.abc import Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from server.backends.base import BackendStatus
from server.backends.claude_cli.account_fit import fit_to_account
from server.backends.claude_cli.chat.conversation import Conversation, LaunchOptions
from server.backends.claude_cli.chat.likely_setup import RecentSetups
from server.backends.claude_cli.chat.parameters import likely_flags
from server.backends.claude_cli.facilities import Facilities, Facility
from server.backends.claude_cli.pool.pool import Pool, PoolCounts, PoolLimits
from server.backends.claude_cli.self_check.schedule import SelfCheck
from server.backends.claude_cli.transport.command_line import build_command, build_environment
from server.backends.claude_cli.transport.leftovers import remove_leftovers
from server.backends.claude_cli.transport.probe import Probe, run_probe
from server.backends.claude_cli.transport.user_settings import config_directory, read_user_settings
from server.backends.claude_cli.transport.watch import CliWatch
from server.backends.claude_cli.transport.wire import Result
from server.backends.optional_tools import Answering, RefusedTools, stream_with_optional_tools
from server.backends.paused_answers import stream_past_pauses
from server.core.errors import BackendError, DragomanError, NotSignedIn, ProcessDied, SetupError, UpstreamFailed
from server.core.events import CliChanged, CliChecked, Event, EventBus, PlanWindowsChanged, PoolChanged, SessionsDeleted
from server.core.messages import Events, MessagesRequest
from server.core.tasks import spawn
from server.models.info import ModelInfo, ReportedLimits, with_limits

log = logging.getLogger(__name__)

PROBE_STOP_SECONDS = 5.0
SIGN_IN_PROBE_SECONDS = 15.0
WATCH_SECONDS = 5.0
"""Interval between checks of the CLI's program and login files."""
DEGRADED_PROBE_SECONDS = 60.0
"""Interval between probes of a CLI that cannot serve: the computer may have been asleep, or too busy."""


@dataclass(frozen=True, slots=True)
class CliConfig:
    """Configuration for running the CLI.

    `directory` is private and empty, because the CLI tells the model where it runs. `outer` is the environment from
    which the processes get an allowlist of variables. `checks` is the folder for the self-check's files; without it
    none runs, and no fast path is used.
    """

    directory: Path
    outer: Mapping[str, str]
    claude_path: Path | None = None
    load_user_settings: bool = False
    limits: PoolLimits = field(default_factory=PoolLimits)
    checks: Path | None = None


class ClaudeCliBackend:
    """Serves requests with warm CLI processes."""

    name = "claude_code"

    def __init__(self, config: CliConfig, bus: EventBus, facilities: Facilities | None = None) -> None:
        self._config = config
        self._bus = bus
        self._facilities = facilities or Facilities()
        self._pool = Pool(config.limits, self._start_process, self._publish_pool)
        self._self_check = self._make_self_check(config)
        self._findings: CliChecked | None = None
        # The facilities with which the latest process was started; None before the first.
        self._started_with: frozenset[Facility] | None = None
        self._probe: Probe | None = None
        self._problem: DragomanError | None = None
        self._plan_windows: dict[str, dict[str, Any]] = {}
        # By id, of all models that have answered since the start. The list of models does not have them.
        self._model_limits: dict[str, ReportedLimits] = {}
        self._watch = self._make_watch(config)
        self._counts: PoolCounts | None = None
        self._unsubscribe = bus.subscribe(self._on_event)
        self._probing: asyncio.Task[None] | None = None
        # Set again while a probe runs if its answer may be outdated; it is then repeated.
        self._probe_due = False
        # One probe at a time: the answer of an older one must not replace that of a newer one.
        self._probe_lock = asyncio.Lock()
        self._probed_at = 0.0
        self._published: CliChanged | None = None
        # The service refused the login of the last request. The CLI itself still reports to be signed in.
        self._login_refused = False
        self._watching: asyncio.Task[None] | None = None
        self._stopping = False
        # Settings of the latest request. Spares are parked with them, since clients seldom change them.
        self._expected_flags: dict[str, Any] = {}
        self._recent_setups = RecentSetups()
        self._sign_in_probed_at = -SIGN_IN_PROBE_SECONDS
        self._base_url: str | None = ""
        self._own_betas = ""
        self._refused_tools = RefusedTools()

    async def start(self) -> None:
        """Start spares and a probe in the background. May raise SetupError."""
        try:
            self._config.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(
                f"The directory {self._config.directory} cannot be created: {error.strerror or error}.",
                hint="Check the permissions of its parent folder and the free space, then restart the server.",
            ) from error
        spawn(asyncio.to_thread(self._remove_leftovers), name="remove leftovers")
        await self._begin_self_check()
        self._pool.open()
        self._probe_again()
        self._watching = spawn(self._watch_forever(), name="watch claude")

    def _remove_leftovers(self) -> None:
        """Remove the files of processes whose server was killed."""
        removed = remove_leftovers(config_directory(self._config.outer), self._config.directory)
        if removed:
            log.info("removed the files of %d Claude Code processes of a killed server", removed)

    def _make_self_check(self, config: CliConfig) -> SelfCheck | None:
        if config.checks is None:
            return None
        return SelfCheck(
            self._facilities, config.checks, config.outer, is_busy=self._is_busy, on_change=self._use_findings
        )

    async def _begin_self_check(self) -> None:
        """Read the verdicts before the first process is started, which gets its variables by them."""
        if self._self_check is not None:
            # A missing program is reported by the probe.
            with suppress(BackendError):
                await self._self_check.begin(self._watch.locate())

    def _is_busy(self) -> bool:
        counts = self._pool.counts()
        return bool(counts.busy or counts.queued)

    def _use_findings(self, findings: CliChecked) -> None:
        if self._started_with not in (None, self._facilities.usable()):
            # A process gets its variables, and is made ready for changes of its system prompt, at its start.
            self._pool.drop_spares()
        before, self._findings = self._findings, findings
        if findings == before:
            return
        if before is None or findings.shortcomings != before.shortcomings:
            for one in findings.shortcomings:
                log.warning("%s %s", one.message, one.hint)
        self._bus.publish(findings)

    def configure(self, config: CliConfig) -> None:
        """Apply another configuration.

        New bounds apply at once. If the way to run the CLI changes, spares and idle conversations are replaced, busy
        ones finish, and the CLI is probed again.
        """
        before, self._config = self._config, config
        if config.limits != before.limits:
            self._pool.set_limits(config.limits)
        if replace(config, limits=before.limits) != before:
            config.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._watch = self._make_watch(config)
            self._expected_flags = {}
            self._pool.renew_processes()
            self._probe_again()

    async def stop(self) -> None:
        """End every process."""
        self._stopping = True
        self._unsubscribe()
        if self._watching is not None:
            self._watching.cancel()
        checking = [self._self_check.stop()] if self._self_check is not None else []
        await asyncio.gather(self._pool.close(), self._end_probe(), *checking)

    async def _end_probe(self) -> None:
        """Wait for a running probe; cancel it if the CLI hangs."""
        if self._probing is not None and not self._probing.done():
            await asyncio.wait([self._probing], timeout=PROBE_STOP_SECONDS)
            self._probing.cancel()
            await asyncio.wait([self._probing])

    async def probe_cli(self) -> None:
        """Query version, models and account; publish `CliChanged` if they differ."""
        async with self._probe_lock:
            await self._probe_locked()

    async def _probe_locked(self) -> None:
        config, before = self._config, self._probe
        self._probed_at = time.monotonic()
        try:
            path = self._watch.locate()
            probe = await run_probe(path, config.directory, config.outer, load_user_settings=config.load_user_settings)
        except BackendError as error:
            if str(error) != str(self._problem):
                log.warning("Claude Code cannot be used: %s", error)
            self._problem = error
            self._publish_state(CliChanged(None, None, None, {}, error.message, error.hint))
            return
        self._probe, self._problem = probe, None
        if before is not None and (before.signed_in, before.account) != (probe.signed_in, probe.account):
            # Running processes may continue with the account that they were started with.
            self._pool.renew_processes()
        self._publish_probe(path, probe)
        if self._self_check is not None and not self._stopping:
            self._self_check.examine(path, probe.version, signed_in=probe.signed_in)

    def _publish_probe(self, path: Path, probe: Probe) -> None:
        signed_in = probe.signed_in and not self._login_refused
        self._publish_state(CliChanged(str(path), probe.version, signed_in, probe.account))

    def _publish_state(self, state: CliChanged) -> None:
        if state != self._published:
            self._published = state
            self._bus.publish(state)

    async def wait_for_probe(self) -> Probe | None:
        """Return the latest probe after a running one; None if none succeeded."""
        if self._probing is not None:
            await asyncio.wait([self._probing])
        return self._probe

    def models(self) -> tuple[ModelInfo, ...]:
        """Models listed by the CLI, with the limits that its results have reported; empty until the first probe."""
        listed = self._probe.models if self._probe else ()
        return tuple(with_limits(info, self._model_limits) for info in listed) if self._model_limits else listed

    def _full_model_id(self, model: str) -> str:
        """The id by which the API knows a model; the name itself if the CLI does not list it."""
        name = model.removesuffix("[1m]")
        found = (one for one in self.models() if name in (one.id, one.name) or (name == "default" and one.is_default))
        return next((one.id for one in found), name)

    def status(self) -> BackendStatus:
        """Status as of the latest probe and request."""
        pool = self._pool.counts()
        processes = {"spares": pool.spares, "live": pool.live, "busy": pool.busy, "queued": pool.queued}
        facts: dict[str, Any] = {"processes": processes}
        if self._problem is not None:
            return BackendStatus(False, str(self._problem), facts)
        if self._probe is None:
            return BackendStatus(True, "Claude Code is starting.", facts)
        facts |= {"version": self._probe.version, "signed_in": self._probe.signed_in}
        if not self._probe.signed_in:
            return BackendStatus(False, "Claude Code is not signed in.", facts)
        if self._login_refused:
            return BackendStatus(False, "Claude Code's sign-in has ended or was refused.", facts)
        return BackendStatus(True, "Claude Code is ready.", facts)

    @property
    def plan_windows(self) -> dict[str, dict[str, Any]]:
        """The plan's windows as last reported, see `PlanWindowsChanged`."""
        return self._plan_windows

    @property
    def pool(self) -> Pool:
        """The process pool."""
        return self._pool

    async def stream(self, request: MessagesRequest) -> Events:
        """Serve `request`, without optional tools that the API refuses."""
        account = self._probe.account if self._probe else {}
        request, warnings = fit_to_account(request, account)
        answering = Answering(self.name, str(account), warnings)
        serve = functools.partial(stream_past_pauses, self._serve)
        stream = stream_with_optional_tools(serve, request, self._refused_tools, answering)
        async with aclosing(stream) as events:
            async for event in events:
                yield event

    async def _serve(self, request: MessagesRequest) -> Events:
        """Serve `request`; retry a turn once that dies before its first event."""
        for attempt in (1, 2):
            conversation = await self._pool.lease(request, fresh=attempt > 1)
            if not request.is_one_off:
                self._expected_flags = likely_flags(request, self._base_url, self._own_betas)
                self._recent_setups.note(request)
            begun = False
            try:
                async with aclosing(conversation.stream_answer(request)) as events:
                    async for event in events:
                        if not begun:
                            begun = True
                            self._set_login_refused(refused=False)
                        yield event
                return
            except DragomanError as error:
                if begun or attempt > 1 or not _is_retryable(error):
                    self._handle_failure(error)
                    raise
                log.warning("a turn died before its first event and is retried: %s", error)

    def _handle_failure(self, error: DragomanError) -> None:
        if isinstance(error, NotSignedIn) and time.monotonic() - self._sign_in_probed_at > SIGN_IN_PROBE_SECONDS:
            # Spares may have read the login when they were started: the next request gets a new process.
            self._sign_in_probed_at = time.monotonic()
            self._pool.drop_spares()
            self._probe_again()
        if isinstance(error, NotSignedIn) and error.refused:
            self._set_login_refused(refused=True)

    def _set_login_refused(self, *, refused: bool) -> None:
        if refused == self._login_refused:
            return
        self._login_refused = refused
        if self._probe is not None and self._published is not None and self._published.path is not None:
            self._publish_probe(Path(self._published.path), self._probe)

    def _login_changed(self) -> None:
        self._login_refused = False
        self._probe_again()

    def _probe_again(self) -> None:
        self._probe_due = True
        if not self._stopping and (self._probing is None or self._probing.done()):
            self._probing = spawn(self._probe_while_due(), name="probe claude")

    async def _probe_while_due(self) -> None:
        while self._probe_due and not self._stopping:
            self._probe_due = False
            await self.probe_cli()

    async def _watch_forever(self) -> None:
        """Detect changes of the CLI's program and login without a request."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                self._check_cli()
            except Exception:
                log.exception("checking Claude Code failed")

    def _check_cli(self) -> None:
        self._watch.check_files()
        if self._is_degraded and time.monotonic() - self._probed_at > DEGRADED_PROBE_SECONDS:
            self._probe_again()

    def _make_watch(self, config: CliConfig) -> CliWatch:
        return CliWatch(
            config.claude_path, config.outer, on_program=self._program_changed, on_login=self._login_changed
        )

    def _program_changed(self) -> None:
        log.info("the Claude Code program was changed or removed")
        if self._self_check is not None:
            self._self_check.forget()
        self._pool.drop_spares()
        self._probe_again()

    @property
    def _is_degraded(self) -> bool:
        """Whether it cannot serve. This may pass without any event."""
        return self._problem is not None or (self._probe is not None and not self._probe.signed_in)

    async def _start_process(self) -> Conversation:
        path = self._watch.locate()
        user = read_user_settings(self._config.outer) if self._config.load_user_settings else None
        self._started_with = self._facilities.usable()
        fast_deltas = Facility.FAST_DELTAS in self._started_with
        variables = build_environment(self._config.outer, user, fast_deltas=fast_deltas)
        self._base_url = _find_base_url(variables)
        self._own_betas = variables.get("ANTHROPIC_BETAS", "")
        launch = LaunchOptions(
            build_command(path, user),
            variables,
            self._config.directory,
            self._base_url,
            self._recent_setups.likely(self._expected_flags),
            full_model_id=self._full_model_id,
            facilities=self._facilities,
        )
        return await Conversation.start(
            launch,
            on_change=self._pool.handle_change,
            on_limits=self._update_plan_windows,
            on_result=self._learn_limits,
        )

    def _learn_limits(self, result: Result) -> None:
        self._model_limits.update(result.limits)

    def _update_plan_windows(self, info: dict[str, Any]) -> None:
        if windows := info.get("unifiedWindows"):
            self._plan_windows = windows
            self._bus.publish(PlanWindowsChanged(windows))

    def _publish_pool(self) -> None:
        counts = self._pool.counts()
        if counts != self._counts:
            self._counts = counts
            self._bus.publish(PoolChanged(counts.spares, counts.live, counts.busy, counts.queued, counts.memory_bytes))

    def _on_event(self, event: Event) -> None:
        if isinstance(event, SessionsDeleted):
            self._pool.end_sessions(event.session_ids)


def _find_base_url(variables: Mapping[str, str]) -> str | None:
    """Address of Anthropic's API in this environment; None for another service."""
    elsewhere = any(name.startswith("CLAUDE_CODE_USE_") for name in variables)
    return None if elsewhere else variables.get("ANTHROPIC_BASE_URL", "")


def _is_retryable(error: DragomanError) -> bool:
    """Whether the service sent no response: a dead process or a cut connection."""
    return isinstance(error, ProcessDied) or (isinstance(error, UpstreamFailed) and error.upstream_status is None)
