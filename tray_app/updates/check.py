"""Checks for a new version: when the user asks for one, and once a day if that is switched on."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from packaging.version import Version
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from server import __version__
from server.core.errors import DragomanError
from tray_app.updates import built_in
from tray_app.updates.feed import ReleaseFeed, find_release_feed
from tray_app.updates.fetching import fetch_releases
from tray_app.updates.install_method import InstallMethod, find_install_method
from tray_app.updates.instructions import Instructions, describe_update
from tray_app.updates.releases import Release, newer_releases

if TYPE_CHECKING:
    from tray_app.context import Context

log = logging.getLogger(__name__)

CheckState = Literal["idle", "checking", "done", "failed"]

FIRST_MS = 120_000
"""Milliseconds from the start of the program, or from switching the setting on, to the first automatic check."""
EVERY_MS = 3_600_000
"""Milliseconds between looks at the clock. A timer of a day would not count the computer's sleep."""
DAY_SECONDS = 86_400
LAST_CHECK = "updates/last_check"
CLOSED_VERSION = "updates/closed"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The newer releases, newest first; `latest` is the newest of all that were listed, or None."""

    newer: tuple[Release, ...]
    latest: Version | None


class UpdateCheck(QObject):
    """The checks of this program, and the result of the last one. Never downloads anything."""

    changed = Signal()

    def __init__(
        self,
        context: "Context",
        find_feed: Callable[[], ReleaseFeed | None] = find_release_feed,
        find_method: Callable[[], InstallMethod] = find_install_method,
    ) -> None:
        super().__init__()
        self._context = context
        self._find_feed = find_feed
        self._find_method = find_method
        self.running = Version(__version__)
        self.state: CheckState = "idle"
        self.result: CheckResult | None = None
        self.error: DragomanError | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.VeryCoarseTimer)
        self._timer.timeout.connect(self._check_if_due)
        self._daily = False

    @property
    def feed(self) -> ReleaseFeed | None:
        """The place that is asked; None if this build names none."""
        return self._find_feed()

    @property
    def newest(self) -> Release | None:
        """The newest release that is newer than this version, if the last check found one."""
        return self.result.newer[0] if self.result and self.result.newer else None

    @property
    def last_check(self) -> float | None:
        """Time of the last check, in this run of the program or an earlier one."""
        return self._context.preferences.read_value(LAST_CHECK, 0.0) or None

    @property
    def is_announced(self) -> bool:
        """Whether a new version is known that the user has not closed the message about."""
        closed = self._context.preferences.read_value(CLOSED_VERSION, "")
        return self.newest is not None and closed != str(self.newest.version)

    def close_message(self) -> None:
        """Say no more about the newest release on other pages."""
        if self.newest is not None:
            self._context.preferences.set_value(CLOSED_VERSION, str(self.newest.version))
            self.changed.emit()

    def check_now(self) -> None:
        """Check because the user wants it, unless a check is running."""
        if built_in.UPDATE_CHECKS and self.feed is not None:
            self._start_check(self.feed)

    def cancel_check(self) -> None:
        """Cancel the running check."""
        if self._task is not None:
            self._task.cancel()

    async def find_instructions(self) -> Instructions:
        """Find out how this installation gets the newest release, or this version if there is none."""
        return await asyncio.to_thread(self._describe_update, self.newest)

    def start_daily_checks(self) -> None:
        """Check once a day from now on, while the setting `check_updates` is on."""
        if built_in.UPDATE_CHECKS:
            self._context.settings_changed.connect(self._follow_setting)
            self._follow_setting()

    def stop(self) -> None:
        """End the daily checks."""
        self._timer.stop()

    def _describe_update(self, newest: Release | None) -> Instructions:
        version, tag = (newest.version, newest.tag) if newest else (self.running, "")
        return describe_update(self._find_method(), version, tag)

    def _follow_setting(self) -> None:
        wanted = self._context.settings.check_updates
        if wanted != self._daily:
            self._daily = wanted
            self._timer.start(FIRST_MS) if wanted else self._timer.stop()

    def _check_if_due(self) -> None:
        self._timer.start(EVERY_MS)
        last, feed = self.last_check, self.feed
        # A time in the future was written before the clock was set back.
        if feed is not None and (last is None or abs(self._context.clock() - last) >= DAY_SECONDS):
            self._start_check(feed)

    def _start_check(self, feed: ReleaseFeed) -> None:
        if self._task is not None:
            return
        # Before the request: after a failure, or a crash, the next automatic check is a day away as well.
        self._context.preferences.set_value(LAST_CHECK, self._context.clock())
        self.state = "checking"
        self._task = self._context.run(self._check(feed), name="check for updates")
        # A task that is cancelled before its first step has no end of its own.
        self._task.add_done_callback(lambda _: self._end_check())
        self.changed.emit()

    async def _check(self, feed: ReleaseFeed) -> None:
        try:
            releases = await fetch_releases(feed)
        except DragomanError as error:
            # The page shows it; an automatic check fails silently.
            self.error, self.state = error, "failed"
            log.info("the check for updates failed: %s", error)
            return
        newer = tuple(newer_releases(releases, self.running))
        self.result = CheckResult(newer, max((entry.version for entry in releases), default=None))
        self.error, self.state = None, "done"
        log.info("checked for updates: %s", f"{newer[0].version} is available" if newer else "none")

    def _end_check(self) -> None:
        self._task = None
        if self.state == "checking":  # it was cancelled
            self.state = "idle"
        self.changed.emit()
