"""What needs a person, told by a notification daemon: nothing else is, and a click leads to where it can be mended."""

import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import kept_port
from tests.simulator import Simulator
from tests.simulator.http_errors import HttpError, RateLimitHeaders
from tests.simulator.replies import Text
from tests.tray_app.screen.accessibility import ScreenReader
from tests.tray_app.screen.bus import DBusTray, Login
from tests.tray_app.screen.desktop import Desktop, until
from tests.tray_app.screen.dunst import Dunst
from tests.tray_app.screen.person import TITLE, Person

# Claude Code of somebody who has a plan, signed in as long as there is a login.
CLAUDE = """#!/bin/sh
# {version}
[ -e "$CLAUDE_CONFIG_DIR/.credentials.json" ] && export CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-made-up
exec "{claude}" "$@"
"""


class Claude:
    """A program that can be updated and removed while others use it, and its login."""

    def __init__(self, directory: Path, home: Path, claude: Path) -> None:
        self.path = directory / "claude"
        self.login = home / ".claude" / ".credentials.json"
        self._claude = claude

    def install(self, version: str) -> None:
        """Put it there as an update does: a new file under the old name."""
        new = self.path.with_name("new")
        new.write_text(CLAUDE.format(version=version, claude=self._claude))
        new.chmod(stat.S_IRWXU)
        new.replace(self.path)

    def sign_in(self) -> None:
        self.login.write_text("{}")

    def sign_out(self) -> None:
        self.login.unlink()


@pytest.fixture
def claude(desktop: Desktop, cli_path: Path) -> Claude:
    claude = Claude(desktop.root, desktop.home, cli_path)
    claude.install("1")
    claude.sign_in()
    return claude


@pytest.fixture
def port() -> Iterator[int]:
    with kept_port() as port:
        yield port


def test_only_what_needs_a_person_is_told(desktop: Desktop, claude: Claude, simulator: Simulator, port: int) -> None:
    desktop.end_tray()
    notifications = Dunst(desktop)
    person = Person(desktop, simulator.url, claude.path, ANTHROPIC_API_KEY=None)
    application = person.start("--hidden", "--port", str(port))
    url = person.url()
    # The tray is one of the newer kind, and comes later, as when a session begins.
    with ScreenReader(desktop) as reader, Login(desktop.bus) as login, DBusTray(desktop.bus) as tray:
        (icon,) = until(tray.icons)
        assert not desktop.windows(TITLE)
        until(lambda: "Running on" in icon.tooltip)

        # The ordinary: requests, a stop and a start from the menu, a sleep.
        simulator.script(Text("Nothing to tell."))
        assert person.ask(url, "Is there anything?") == "Nothing to tell."
        icon.choose("Stop server")
        until(lambda: icon.tooltip == "Dragoman\nStopped")
        icon.choose("Start server")
        assert person.url(2) == url
        login.prepare_for_sleep(True)
        login.prepare_for_sleep(False)
        until(lambda: "refreshing everything after a sleep" in person.log)
        simulator.script(Text("Awake."))
        assert person.ask(url, "Are you awake?") == "Awake."
        assert notifications.shown == []

        # The plan's limit, with the time when it resets.
        simulator.script(HttpError(429, headers=RateLimitHeaders(status="rejected", five_hour=1.0)))
        assert person.refusal(url, "One more?") == 429
        told = notifications.wait_for(1)
        assert told.title == "The 5-hour limit of your plan is used up"
        assert re.fullmatch(r"It resets at [-0-9 ]*\d\d:\d\d \(in .+\)\. Requests are refused until then\.", told.text)
        notifications.click()
        person.window()
        reader.wait_for("Overview", "label")
        desktop.keys("ctrl+w")
        person.window_is_gone()

        # Signed out, and in again.
        claude.sign_out()
        assert notifications.wait_for(2).title == "Claude Code is signed out"
        notifications.click()
        person.window()
        reader.wait_for("Sign in.*", "push button")
        claude.sign_in()
        reader.wait_until_gone("Sign in.*", "push button")
        desktop.keys("ctrl+w")
        person.window_is_gone()

        # Claude Code is removed, and put back by an update.
        claude.path.unlink()
        assert notifications.wait_for(3).title == "Claude Code was not found"
        until(lambda: "There is no Claude Code at" in icon.tooltip)
        assert person.refusal(url, "Who answers?") == 503
        claude.install("2")
        until(lambda: "There is no Claude Code at" not in icon.tooltip)
        simulator.script(Text("The new one."))
        assert person.ask(url, "Who answers?") == "The new one."

        # The port is taken.
        icon.choose("Stop server")
        until(lambda: icon.tooltip == "Dragoman\nStopped")
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", port))
            other.listen()
            icon.choose("Start server")
            assert notifications.wait_for(4).title == f"Port {port} is in use"
            notifications.click()
            person.window()
            reader.wait_for("Port", "text")
        icon.choose("Start server")
        assert person.url(3) == url
        assert len(notifications.shown) == 4
    # Without a tray, to close the window is a question. One that comes then has the icon, and the window goes there.
    # When the application has taken its icon away it knows.
    until(lambda: not icon.is_there)
    person.window()
    desktop.keys("ctrl+w")
    desktop.activated("^Quit Dragoman")
    desktop.keys("Escape")
    until(lambda: not desktop.windows("^Quit Dragoman"))
    with DBusTray(desktop.bus) as tray:
        (icon,) = until(tray.icons)
        person.window()
        desktop.keys("ctrl+w")
        person.window_is_gone()
        icon.click()
        person.window()
        icon.choose("Quit")
        assert application.wait(60) == 0
