"""When the self-check runs: once for each program, in the background, while no request does."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from server.backends.claude_cli.facilities import Facilities, Facility
from server.backends.claude_cli.self_check.findings import describe_findings
from server.backends.claude_cli.self_check.run import remove_leftover_checks, run_self_check
from server.backends.claude_cli.self_check.verdict import Verdict, proven_facilities
from server.backends.claude_cli.self_check.verdict_file import VERDICTS, CheckRecord, VerdictFile
from server.core.events import CliChecked
from server.core.tasks import spawn

log = logging.getLogger(__name__)

FOLDER = "self-check"
"""Name in the data directory of the folder for the files of a run."""
QUIET_SECONDS = 10.0
"""Time without a request after which the check begins."""
MAX_DELAY_SECONDS = 600.0
"""Time after which it begins even on a busy server; it then has a low priority."""
POLL_SECONDS = 0.25
MAX_PAUSES = 120
"""Longest wait for running requests before each of its processes: 30 s."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """The program of the latest probe."""

    path: Path
    version: str


class SelfCheck:
    """Keeps `facilities` as the verdicts on the current program say.

    `data_dir` has the verdicts. `is_busy` says whether requests run; `on_change` gets each `CliChecked`.
    """

    def __init__(
        self,
        facilities: Facilities,
        data_dir: Path,
        outer: Mapping[str, str],
        *,
        is_busy: Callable[[], bool],
        on_change: Callable[[CliChecked], None],
    ) -> None:
        self._facilities = facilities
        facilities.on_withdrawal = self._publish
        self._data_dir = data_dir
        self._outer = outer
        self._is_busy = is_busy
        self._on_change = on_change
        self._file = VerdictFile(data_dir / VERDICTS)
        self._subject: _Subject | None = None
        self._verdicts: Mapping[Facility, Verdict] = {}
        self._is_new = False
        self._signed_in = False
        self._checking: asyncio.Task[None] | None = None

    async def begin(self, program: Path) -> None:
        """Use the verdicts on a program that was checked before, and remove what killed checks have left."""
        await asyncio.to_thread(remove_leftover_checks, self._data_dir / FOLDER)
        record = await asyncio.to_thread(self._file.find_by_file, program)
        if record is not None:
            self._use_record(record, is_new=False)

    def examine(self, program: Path, version: str, *, signed_in: bool) -> None:
        """Judge the program that was just probed; the check runs in the background if it is not known."""
        subject = _Subject(program, version)
        self._signed_in = signed_in
        if subject == self._subject:
            self._publish()
            return
        if self._subject is not None:
            self.forget()
        self._subject = subject
        self._checking = spawn(self._examine(subject, after=self._checking), name="check claude")

    def forget(self) -> None:
        """Use nothing that is not documented until the next `examine`: the program has changed."""
        self._cancel()
        self._subject = None
        self._verdicts = {}
        self._facilities.replace_proven(())
        self._on_change(CliChecked())

    async def stop(self) -> None:
        """Cancel a running check, and wait until its processes and files are gone."""
        self._cancel()
        if self._checking is not None:
            await asyncio.wait([self._checking])

    def _cancel(self) -> None:
        if self._checking is not None:
            self._checking.cancel()

    async def _examine(self, subject: _Subject, after: asyncio.Task[None] | None) -> None:
        if after is not None:
            # Cancelled, but its processes may not have ended yet.
            await asyncio.wait([after])
        try:
            program, record = await asyncio.to_thread(self._file.identify, subject.path, subject.version)
            is_known = record is not None and record.is_final
            if record is None or not record.is_final:
                await self._wait_until_quiet()
                record = CheckRecord.after_run(program, await self._run(subject.path), record)
        except OSError as error:
            log.warning(
                "Claude Code %s cannot be checked, so it is driven without fast paths: %s", subject.version, error
            )
            return
        self._use_record(record, is_new=not is_known)
        if record.program != program or not is_known:
            await self._save(replace(record, program=program))

    async def _save(self, record: CheckRecord) -> None:
        try:
            await asyncio.to_thread(self._file.save, record)
        except OSError as error:
            log.warning("the verdicts on Claude Code cannot be saved, so it is checked at each start: %s", error)

    async def _run(self, path: Path) -> Mapping[Facility, Verdict]:
        began = time.monotonic()
        verdicts = await run_self_check(path, self._data_dir / FOLDER, self._outer, gate=self._pause)
        log.info("checked what this Claude Code does, in %.1f s", time.monotonic() - began)
        for facility, verdict in verdicts.items():
            if not verdict.proven:
                log.warning("Claude Code's %s was not proven: %s", facility, verdict.reason)
        return verdicts

    def _use_record(self, record: CheckRecord, *, is_new: bool) -> None:
        # The same verdicts again, once the program's version is known: what was withdrawn since stays off.
        if record.verdicts != self._verdicts:
            self._verdicts = record.verdicts
            self._is_new = is_new
            self._facilities.replace_proven(proven_facilities(record.verdicts))
        self._publish()

    def _publish(self) -> None:
        if self._verdicts:
            signed_in, is_new = self._signed_in, self._is_new
            self._on_change(describe_findings(self._verdicts, self._facilities, signed_in=signed_in, is_new=is_new))

    async def _wait_until_quiet(self) -> None:
        now = quiet_since = time.monotonic()
        deadline = now + MAX_DELAY_SECONDS
        while now < deadline and now - quiet_since < QUIET_SECONDS:
            await asyncio.sleep(POLL_SECONDS)
            now = time.monotonic()
            if self._is_busy():
                quiet_since = now

    async def _pause(self) -> None:
        """Let running requests end before the next process is started."""
        for _ in range(MAX_PAUSES):
            if not self._is_busy():
                return
            await asyncio.sleep(POLL_SECONDS)
