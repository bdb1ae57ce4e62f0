"""What is known of Claude Code on this computer: the program, and who it is signed in as."""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from server.backends.claude_cli.backend import ClaudeCliBackend
from server.backends.claude_cli.transport.locate import locate
from server.backends.claude_cli.transport.probe import Probe, probe
from server.core.errors import BackendError, TrayError, as_tray_error
from server.core.events import CliChanged
from tray_app.context import Context


@dataclass(frozen=True, slots=True)
class ClaudeReport:
    """The program, and what it says of itself. `problem` is why it cannot be run, if it cannot.

    `signed_in` is None until it has been asked.
    """

    path: Path | None = None
    version: str = ""
    signed_in: bool | None = None
    account: Mapping[str, Any] = field(default_factory=dict)
    problem: TrayError | None = None


class ClaudeWatch(QObject):
    """Keeps the latest report. It follows the server while that runs, and asks the CLI itself when told to."""

    changed = Signal()
    """The report, or whether somebody is looking."""

    def __init__(self, context: Context, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.report: ClaudeReport | None = None
        self._context = context
        self._check: asyncio.Task[Any] | None = None
        self._program = _program_settings(context)
        context.bridge.cli_changed.connect(self._use_server_report)
        context.settings_changed.connect(self._discard_outdated)

    @property
    def is_checking(self) -> bool:
        """Whether the CLI is being asked now."""
        return self._check is not None

    async def check_again(self, *, after_sign_in: bool = False) -> None:
        """Ask again. Whoever comes while somebody is looking gets that answer, except after signing in.

        Processes that were parked before a sign-in may know of no account: they are replaced.
        """
        while self._check is not None:
            looking = self._check
            await asyncio.wait([looking])
            if not after_sign_in:
                return
        if after_sign_in and (cli := self._context.server.cli) is not None:
            cli.pool.drop_spares()
        self._check = looking = self._context.run(self._run_check(), name="ask claude who it is")
        self.changed.emit()
        await asyncio.wait([looking])

    async def _run_check(self) -> None:
        try:
            self.report = await inspect_claude(self._context)
        except Exception as error:
            # Known to be unknown: whoever waits for a report must not ask for ever.
            self.report = ClaudeReport(problem=as_tray_error(error))
            raise
        finally:
            self._check = None
            self.changed.emit()

    def _use_server_report(self, state: CliChanged) -> None:
        """The server has asked the CLI by itself: it started, or the CLI was updated, removed or put back."""
        # Whoever is asking now gets an answer that is newer.
        if self._check is None:
            self.report = _report_from_event(state)
            self.changed.emit()

    def _discard_outdated(self) -> None:
        """Another program, or another way to run it, was set: what is known is of the one before."""
        if (program := _program_settings(self._context)) != self._program:
            self._program = program
            self.report = None
            self.changed.emit()


def _program_settings(context: Context) -> tuple[Path | None, bool]:
    return context.settings.claude_path, context.settings.load_user_settings


def _report_from_event(state: CliChanged) -> ClaudeReport:
    if state.path is None:
        return ClaudeReport(problem=BackendError(state.problem, hint=state.hint))
    return ClaudeReport(Path(state.path), state.version or "", state.signed_in, state.account)


async def inspect_claude(context: Context) -> ClaudeReport:
    """Find the CLI and ask it."""
    try:
        path = await asyncio.to_thread(locate, context.settings.claude_path)
    except BackendError as error:
        return ClaudeReport(problem=error)
    cli = context.server.cli
    try:
        found = await (_probe_by_server(cli) if cli is not None else _probe_program(context, path))
    except BackendError as error:
        return ClaudeReport(path, problem=error)
    if found is None:
        return ClaudeReport(path)
    return ClaudeReport(path, found.version, found.signed_in, found.account)


async def _probe_by_server(cli: ClaudeCliBackend) -> Probe | None:
    if _is_first_probe_running(cli):
        # It is being asked already.
        await cli.probed()
    else:
        await cli.refresh()
    if (problem := _problem_of(cli)) is not None:
        raise problem
    return await cli.probed()


def _is_first_probe_running(cli: ClaudeCliBackend) -> bool:
    status = cli.status()
    return status.ready and "version" not in status.facts


def _problem_of(cli: ClaudeCliBackend) -> BackendError | None:
    """Why the program cannot be run. Where its version is known, what is amiss is who is signed in."""
    status = cli.status()
    return None if status.ready or "version" in status.facts else BackendError(status.detail)


async def _probe_program(context: Context, path: Path) -> Probe:
    settings = context.settings
    with tempfile.TemporaryDirectory(prefix="dragoman-") as directory:
        return await probe(path, Path(directory), os.environ, load_user_settings=settings.load_user_settings)


def account_name(account: Mapping[str, Any]) -> str:
    """Who is signed in: the mail address, with the organisation where the CLI names one; empty if neither."""
    parts = [account.get("email"), account.get("organization")]
    return ", ".join(str(part) for part in parts if part)
