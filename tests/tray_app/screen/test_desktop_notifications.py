"""What the application says to a notification daemon and hears from it, on a bus where daemons come and go."""

import asyncio
import shutil
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from jeepney import message_bus  # type: ignore[import-untyped]

from tests.tray_app.screen.bus import Answer, BusService
from tests.waiting import until
from tray_app.desktop.notifications.desktop import DesktopNotifications
from tray_app.desktop.notifications.rules import Notification

FIRST = Notification("warning", "First", "5 < 6 & <b>so</b>")
SECOND = Notification("error", "Second", "Another")
ALL = ("actions", "body", "body-markup")


class Bus:
    """A message bus at `address`; `end` takes it away."""

    def __init__(self, directory: Path) -> None:
        self.address = f"unix:path={directory}/bus"
        command = ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={self.address}"]
        self._process = subprocess.Popen([*command, "--print-address"], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline()

    def end(self) -> None:
        with self._process:
            self._process.terminate()


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    # Short, because a socket is in there, whose path may have 107 bytes.
    directory = Path(tempfile.mkdtemp(prefix="dgm-"))
    bus = Bus(directory)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
    yield bus
    bus.end()
    shutil.rmtree(directory)


class Other(BusService):
    """Another program on the bus, which sends the signals of a daemon."""

    name = "org.example.Other"
    path = "/org/freedesktop/Notifications"

    def answer(self, method: str, interface: str, sender: str, body: tuple[Any, ...]) -> Answer | None:
        return None

    def click(self, number: int) -> None:
        """Tell that somebody clicked on that notification; told when it returns."""
        self.emit("org.freedesktop.Notifications", "ActionInvoked", "us", (number, "default"))
        self.settle()

    def settle(self) -> None:
        """Return when the bus has passed on what was sent so far: it answers in order."""
        self.call(message_bus, "GetId")


class Daemon(Other):
    """Counts its notifications from 1. Of the method `hangs` it takes the calls, and does not answer."""

    name = "org.freedesktop.Notifications"

    def __init__(self, address: str, capabilities: tuple[str, ...] = ALL) -> None:
        super().__init__(address)
        self.capabilities = capabilities
        self.asked: list[tuple[Any, ...]] = []
        self.hangs = ""
        self.is_asked = threading.Event()
        self.go_on = threading.Event()

    def answer(self, method: str, interface: str, sender: str, body: tuple[Any, ...]) -> Answer | None:
        if method == self.hangs:
            self.is_asked.set()
            self.go_on.wait(20)
        if method == "GetCapabilities":
            return "as", (list(self.capabilities),)
        self.asked.append(body)
        return "u", (len(self.asked),)


@pytest.fixture
def clicked() -> list[Notification]:
    return []


@pytest.fixture
async def desktop(bus: Bus, clicked: list[Notification]) -> AsyncIterator[DesktopNotifications]:
    desktop = DesktopNotifications(clicked.append)
    yield desktop
    desktop.close()
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})


@pytest.mark.parametrize(
    ("capabilities", "actions", "text"),
    [
        (ALL, ["default", "Show"], "5 &lt; 6 &amp; &lt;b&gt;so&lt;/b&gt;"),
        (("body",), [], "5 < 6 & <b>so</b>"),
    ],
)
async def test_a_daemon_is_asked_for_what_it_can_do(
    bus: Bus, desktop: DesktopNotifications, capabilities: tuple[str, ...], actions: list[str], text: str
) -> None:
    """Some that know no actions show a dialog instead, which somebody has to answer."""
    with Daemon(bus.address, capabilities) as daemon:
        assert await desktop.show_notification(FIRST)
    ((_, _, _, title, told, offered, _, _),) = daemon.asked
    assert (title, told, offered) == ("First", text, actions)


async def test_a_click_is_told_by_who_shows_it(
    bus: Bus, desktop: DesktopNotifications, clicked: list[Notification]
) -> None:
    with Daemon(bus.address) as daemon, Other(bus.address) as other:
        assert await desktop.show_notification(FIRST)
        assert await desktop.show_notification(SECOND)
        other.click(1)
        other.emit("org.freedesktop.Notifications", "ActionInvoked")
        other.settle()
        daemon.click(3)
        daemon.click(2)
        await until(lambda: clicked)
        daemon.click(1)
        await until(lambda: len(clicked) == 2)
    assert clicked == [SECOND, FIRST]


async def test_a_daemon_that_takes_another_s_place_counts_anew(
    bus: Bus, desktop: DesktopNotifications, clicked: list[Notification]
) -> None:
    with Daemon(bus.address):
        assert await desktop.show_notification(FIRST)
    assert not await desktop.show_notification(SECOND)
    with Daemon(bus.address) as daemon:
        assert await desktop.show_notification(SECOND)
        daemon.click(2)
        daemon.click(1)
        await until(lambda: clicked)
    assert clicked == [SECOND]
    with Daemon(bus.address) as daemon:
        # Another program's, which has the number that ours had.
        daemon.click(1)
        assert await desktop.show_notification(FIRST)
        daemon.click(1)
        await until(lambda: len(clicked) == 2)
    assert clicked == [SECOND, FIRST]


async def test_a_bus_that_goes_leaves_nothing_open(bus: Bus, desktop: DesktopNotifications) -> None:
    def sockets() -> int:
        return len(psutil.Process().net_connections("unix"))

    with Daemon(bus.address):
        before = sockets()
        assert await desktop.show_notification(FIRST)
        assert sockets() > before
    before -= 1  # the daemon's own
    bus.end()
    assert not await desktop.show_notification(SECOND)
    await until(lambda: sockets() == before)


@pytest.mark.parametrize("method", ["GetCapabilities", "Notify"])
async def test_the_end_does_not_wait_for_a_daemon_that_hangs(
    bus: Bus, desktop: DesktopNotifications, method: str
) -> None:
    """What was to be shown then is known not to be: it is neither lost nor waited for."""
    with Daemon(bus.address) as daemon:
        daemon.hangs = method
        showing = asyncio.ensure_future(desktop.show_notification(FIRST))
        await until(daemon.is_asked.is_set)
        desktop.close()
        assert not await showing
        daemon.hangs = ""
        daemon.go_on.set()
        assert await desktop.show_notification(SECOND)
