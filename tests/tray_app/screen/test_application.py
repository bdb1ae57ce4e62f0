"""The application as a person has it: on a real screen, with a real tray, keyring, CLI and client."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.ports import kept_port
from tests.simulator import Simulator
from tests.simulator.replies import Text
from tests.tray_app.screen.accessibility import ScreenReader
from tests.tray_app.screen.desktop import Desktop, until
from tests.tray_app.screen.person import TITLE, Person


@pytest.fixture
def person(desktop: Desktop, simulator: Simulator, cli_path: Path) -> Person:
    return Person(desktop, simulator.url, cli_path)


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    with kept_port() as port, kept_port() as next_port:
        yield port, next_port


@pytest.fixture
def reader(desktop: Desktop) -> Iterator[ScreenReader]:
    with ScreenReader(desktop) as reader:
        yield reader


def test_a_day_at_the_desktop(
    person: Person,
    desktop: Desktop,
    reader: ScreenReader,
    simulator: Simulator,
    ports: tuple[int, int],
    tmp_path: Path,
) -> None:
    port, next_port = ports
    settings = desktop.home / ".config" / "dragoman" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"# mine\nport = {port}\n")

    # It starts from its command: a window, an icon in the tray, and a server.
    application = person.start()
    url = person.url()
    assert url == f"http://127.0.0.1:{port}"
    person.window()
    assert len(until(desktop.tray_icons)) == 1
    key = person.key()
    assert key.startswith("dgm-")
    assert person.status(url, key) == 200

    # The tray's menu stops the server and starts it again.
    desktop.choose_in_tray(steps_up=10)
    until(lambda: person.status(url, key) is None)
    # It does not listen any more while it stops; started again it can be when it has.
    reader.wait_for("Start server", "push button")
    desktop.choose_in_tray(steps_up=10)
    assert person.url(2) == url
    assert until(lambda: person.status(url, key)) == 200

    # A click on the icon brings the window up when it was hidden; so does a second start, which ends.
    person.window()
    desktop.keys("ctrl+w")
    person.window_is_gone()
    desktop.open_from_tray(TITLE)
    person.window()
    desktop.keys("ctrl+w")
    person.window_is_gone()
    assert person.start().wait(60) == 0
    person.window()

    # A chat through the real CLI is in the log.
    simulator.script(Text("The heron stands in the reeds."))
    assert person.ask(url, "Where is the heron?") == "The heron stands in the reeds."
    desktop.keys("ctrl+2")
    row = person.copied_row("gpt-5")
    assert "/v1/chat/completions" in row
    desktop.screenshot(tmp_path / "requests.png")

    # Its session is found by a word of it, and cleared.
    assert person.get(url, "/api/sessions", key)["total"] == 1
    desktop.keys("ctrl+3", "ctrl+f")
    desktop.type("heron")
    person.delete_first_row("^Delete this session")
    # Who goes on to something else has made up their mind.
    desktop.keys("ctrl+5")
    until(lambda: person.get(url, "/api/sessions", key)["total"] == 0)

    # Another port in the settings: the new one answers, the old one is closed, and the file keeps its comment.
    desktop.keys("ctrl+f")
    desktop.type("part of the base url")
    person.enter_in_first_field(str(next_port))
    moved = person.url(3)
    assert moved == f"http://127.0.0.1:{next_port}"
    assert person.status(moved, key) == 200
    until(lambda: person.status(url, key) is None)
    until(lambda: f"port = {next_port}" in settings.read_text())
    assert settings.read_text().startswith("# mine\n")

    # A new key stops the old one, and the keyring has it.
    person.make_new_key()
    until(lambda: person.key() != key)
    # The keyring has it a moment before the server.
    until(lambda: person.status(moved, person.key()) == 200)
    assert person.status(moved, key) == 401

    # Quitting leaves no process.
    running = psutil.Process(application.pid)
    # A CLI process is parked, or about to be.
    ours = [running, *until(lambda: running.children(recursive=True))]
    desktop.choose_in_tray(steps_up=1)
    assert application.wait(60) == 0
    assert psutil.wait_procs(ours, timeout=60)[1] == []
    until(lambda: not desktop.tray_icons())
    assert person.status(moved, key) is None
