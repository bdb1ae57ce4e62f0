"""The state of Claude Code on this computer: program, version and account."""

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
from server.core.errors import BackendError, DragomanError, as_dragoman_error
from server.core.events import CliChanged
from tray_app.context import Context


@dataclass(frozen=True, slots=True)
class ClaudeReport:
    """The program and its account. `problem` is why the program cannot run.

    `signed_in` is None until the CLI has been queried.
    """

    path: Path | None = None
    version: str = ""
    signed_in: bool | None = None
    account: Mapping[str, Any] = field(default_factory=dict)
    problem: DragomanError | None = None


class ClaudeWatch(QObject):
    """Keeps the latest report, from the running server or from `check_again`."""

    changed = Signal()
    """The report or `is_checking` has changed."""

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
        """Whether a query of the CLI is running."""
        return self._check is not None

    async def check_again(self, *, after_sign_in: bool = False) -> None:
        """Query the CLI. Concurrent calls share one query, except after signing in.

        Spare processes started before a sign-in may have no account, so they are replaced.
        """
        # A query that began before the sign-in may report no account: wait for it, then query again.
        while self._check is not None:
            await asyncio.wait([self._check])
            if not after_sign_in:
                return
        if after_sign_in and (cli := self._context.server.cli) is not None:
            cli.pool.drop_spares()
        self._check = check = self._context.run(self._run_check(), name="query claude")
        self.changed.emit()
        await asyncio.wait([check])

    async def _run_check(self) -> None:
        try:
            self.report = await inspect_claude(self._context)
        except Exception as error:
            # Without a report, views that wait for one would query again and again.
            self.report = ClaudeReport(problem=as_dragoman_error(error))
            raise
        finally:
            self._check = None
            self.changed.emit()

    def _use_server_report(self, state: CliChanged) -> None:
        """Take the server's report: it started, or the CLI was replaced or removed."""
        # A query that is running now will return a newer report.
        if self._check is None:
            self.report = _report_from_event(state)
            self.changed.emit()

    def _discard_outdated(self) -> None:
        """Drop the report if the settings now run another program, or run it otherwise."""
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
    """Locate the CLI and query it."""
    try:
        path = await asyncio.to_thread(locate_cli, context.settings.claude_path)
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
        # The server's first query is still running.
        await cli.wait_for_probe()
    else:
        await cli.probe_cli()
    if (problem := _problem_of(cli)) is not None:
        raise problem
    return await cli.wait_for_probe()


def _is_first_probe_running(cli: ClaudeCliBackend) -> bool:
    status = cli.status()
    return status.ready and "version" not in status.facts


def _problem_of(cli: ClaudeCliBackend) -> BackendError | None:
    """Return why the program cannot run. A known version means that it can."""
    status = cli.status()
    return None if status.ready or "version" in status.facts else BackendError(status.detail)


async def _probe_program(context: Context, path: Path) -> Probe:
    settings = context.settings
    with tempfile.TemporaryDirectory(prefix="dragoman-") as directory:
        return await run_probe(path, Path(directory), os.environ, load_user_settings=settings.load_user_settings)


def account_name(account: Mapping[str, Any]) -> str:
    """The account's email address and organization, as far as the CLI names them."""
    parts = [account.get("email"), account.get("organization")]
    return ", ".join(str(part) for part in parts if part)
