"""A notification daemon, and what it shows."""

import contextlib
import stat
from typing import NamedTuple

from tests.tray_app.screen.desktop import CLICK_SECONDS, CLICKS, Desktop, WindowGone, until

# What was shown is told to a program of ours, since the daemon itself only tells of what is gone.
TELL = """#!/bin/sh
printf '%s\\037%s\\036' "$DUNST_SUMMARY" "$DUNST_BODY" >> "{told}"
"""
CONFIGURATION = """
[global]
    mouse_left_click = do_action, close_current
    mouse_right_click = close_all
    always_run_script = true
    geometry = "400x5-20+20"
[all]
    summary = "*"
    timeout = 0
    script = "{script}"
"""


class Shown(NamedTuple):
    """A notification."""

    title: str
    text: str


class Dunst:
    """dunst, Debian's small one, started on a desktop."""

    def __init__(self, desktop: Desktop) -> None:
        self._desktop = desktop
        self._told = desktop.root / "notifications"
        script = desktop.root / "tell"
        script.write_text(TELL.format(told=self._told))
        script.chmod(stat.S_IRWXU)
        configuration = desktop.root / "dunstrc"
        configuration.write_text(CONFIGURATION.format(script=script))
        desktop.start(["dunst", "-conf", str(configuration)])
        until(lambda: desktop.has_service("org.freedesktop.Notifications"))

    @property
    def shown(self) -> list[Shown]:
        """All that was shown so far, the oldest first."""
        if not self._told.exists():
            return []
        return [Shown(*entry.split("\x1f")) for entry in self._told.read_text().split("\x1e") if entry]

    def wait_for(self, number: int) -> Shown:
        """The notification of that number (from 1), once it is shown."""
        return until(lambda: shown[number - 1] if len(shown := self.shown) >= number else None)

    def click(self) -> None:
        """Click on the notification that can be seen. It is gone then."""
        for _ in range(CLICKS):
            # It may still be finding its place, and the click misses it.
            (window,) = until(self._windows)
            with contextlib.suppress(WindowGone, TimeoutError):
                self._desktop.click(*self._desktop.place(window).middle)
                until(lambda: not self._windows(), CLICK_SECONDS)
                return
        raise TimeoutError("a click on the notification does not close it")

    def _windows(self) -> list[int]:
        return self._desktop.windows("^Dunst$", by="class")
