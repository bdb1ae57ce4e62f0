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
from server.backends.claude_cli.transport.locate import locate_cli
from server.backends.claude_cli.transport.probe import Probe, run_probe
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
        self._looking: asyncio.Task[Any] | None = None
        self._program = _program(context)
        context.bridge.cli_changed.connect(self._follow)
        context.settings_changed.connect(self._forget)

    @property
    def looking(self) -> bool:
        """Whether the CLI is being asked now."""
        return self._looking is not None

    async def look(self, *, after_sign_in: bool = False) -> None:
        """Ask again. Whoever comes while somebody is looking gets that answer, except after signing in.

        Processes that were parked before a sign-in may know of no account: they are replaced.
        """
        while self._looking is not None:
            looking = self._looking
            await asyncio.wait([looking])
            if not after_sign_in:
                return
        if after_sign_in and (cli := self._context.server.cli) is not None:
            cli.pool.drop_spares()
        self._looking = looking = self._context.run(self._look(), name="ask claude who it is")
        self.changed.emit()
        await asyncio.wait([looking])

    async def _look(self) -> None:
        try:
            self.report = await look_at_claude(self._context)
        except Exception as error:
            # Known to be unknown: whoever waits for a report must not ask for ever.
            self.report = ClaudeReport(problem=as_tray_error(error))
            raise
        finally:
            self._looking = None
            self.changed.emit()

    def _follow(self, state: CliChanged) -> None:
        """The server has asked the CLI by itself: it started, or the CLI was updated, removed or put back."""
        # Whoever is asking now gets an answer that is newer.
        if self._looking is None:
            self.report = _as_told(state)
            self.changed.emit()

    def _forget(self) -> None:
        """Another program, or another way to run it, was set: what is known is of the one before."""
        if (program := _program(self._context)) != self._program:
            self._program = program
            self.report = None
            self.changed.emit()


def _program(context: Context) -> tuple[Path | None, bool]:
    return context.settings.claude_path, context.settings.load_user_settings


def _as_told(state: CliChanged) -> ClaudeReport:
    if state.path is None:
        return ClaudeReport(problem=BackendError(state.problem, hint=state.hint))
    return ClaudeReport(Path(state.path), state.version or "", state.signed_in, state.account)


async def look_at_claude(context: Context) -> ClaudeReport:
    """Find the CLI and ask it."""
    try:
        path = await asyncio.to_thread(locate_cli, context.settings.claude_path)
    except BackendError as error:
        return ClaudeReport(problem=error)
    cli = context.server.cli
    try:
        found = await (_ask_the_servers(cli) if cli is not None else _ask(context, path))
    except BackendError as error:
        return ClaudeReport(path, problem=error)
    if found is None:
        return ClaudeReport(path)
    return ClaudeReport(path, found.version, found.signed_in, found.account)


async def _ask_the_servers(cli: ClaudeCliBackend) -> Probe | None:
    if _is_new(cli):
        # It is being asked already.
        await cli.wait_for_probe()
    else:
        await cli.probe_cli()
    if (problem := _problem_of(cli)) is not None:
        raise problem
    return await cli.wait_for_probe()


def _is_new(cli: ClaudeCliBackend) -> bool:
    status = cli.status()
    return status.ready and "version" not in status.facts


def _problem_of(cli: ClaudeCliBackend) -> BackendError | None:
    """Why the program cannot be run. Where its version is known, what is amiss is who is signed in."""
    status = cli.status()
    return None if status.ready or "version" in status.facts else BackendError(status.detail)


async def _ask(context: Context, path: Path) -> Probe:
    settings = context.settings
    with tempfile.TemporaryDirectory(prefix="dragoman-") as directory:
        return await run_probe(path, Path(directory), os.environ, load_user_settings=settings.load_user_settings)


def account_name(account: Mapping[str, Any]) -> str:
    """Who is signed in: the mail address, with the organisation where the CLI names one; empty if neither."""
    parts = [account.get("email"), account.get("organization")]
    return ", ".join(str(part) for part in parts if part)
