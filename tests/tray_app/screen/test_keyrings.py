"""Where the key is kept when the keyring is locked, or there is none: the program starts, and says it."""

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator import Simulator
from tests.simulator.replies import Text
from tests.systems import posix_only
from tests.tray_app.screen.accessibility import ScreenReader
from tests.tray_app.screen.bus import SilentPrompter
from tests.tray_app.screen.desktop import PASSWORD, Desktop, until
from tests.tray_app.screen.person import ROOT, Person

WAITING = "^Waiting for the system keyring"
LOST = ".*so this key is lost when you quit.*"


@pytest.fixture
def bare_desktop() -> Iterator[Desktop]:
    """A desktop without a Secret Service."""
    with Desktop(keyring=False) as desktop:
        yield desktop


KEEP = """
import asyncio
from pathlib import Path
from server.secrets.system_keyring import KeyringStorage

vault = KeyringStorage(Path("data"), timeout=120)
print("asking", flush=True)
asyncio.run(vault.set("a-name", "a-secret"))
print(asyncio.run(vault.get("a-name")))
"""


def test_a_message_bus_that_is_busy_is_waited_for(desktop: Desktop) -> None:
    """Else the key would be in memory only for as long as the program runs, and all clients would be refused."""
    (bus,) = [process for process in desktop.leftovers() if process.name() == "dbus-daemon"]
    bus.suspend()
    asking = desktop.start([sys.executable, "-c", KEEP], name="asking", PYTHONPATH=str(ROOT))
    until(lambda: "asking" in desktop.log("asking").read_text())
    time.sleep(2.5)  # the library below gives up after one
    bus.resume()
    assert asking.wait(60) == 0, desktop.log("asking").read_text()
    assert "a-secret" in desktop.log("asking").read_text()


def shown_key(person: Person, reader: ScreenReader) -> str:
    """The key as the settings give it to the clipboard."""
    person.window()
    person.desktop.keys("ctrl+5", "ctrl+f")
    # All settings, and then what is found of them: other pages have such buttons as well.
    reader.wait_for("Port", "label")
    person.desktop.type("your clients send")
    reader.wait_until_gone("Port", "label")
    reader.press("(API key: )?Copy", "push button")
    return until(lambda: text if (text := person.clipboard()).startswith("dgm-") else None)


def check_key_in_memory(person: Person, url: str, reader: ScreenReader, simulator: Simulator) -> str:
    """The settings say that the key is in memory only; it works, and stands in no file. The key."""
    key = shown_key(person, reader)
    reader.wait_for("The key your clients send. Kept in memory only.", "label")
    reader.wait_for(LOST, "label")
    reader.wait_for("Keep it in a file", "push button")
    assert person.status(url, key) == 200
    assert person.status(url, "dgm-another") == 401
    simulator.script(Text("It is here."))
    assert person.ask(url, "Where is the key?", key=key) == "It is here."
    assert files_with(key, person.desktop.home) == []
    return key


def files_with(word: str, directory: Path) -> list[Path]:
    return [file for file in directory.rglob("*") if word.encode() in content(file)]


def content(file: Path) -> bytes:
    """What is in there; nothing if it is no file, or is gone since it was found."""
    try:
        return file.read_bytes() if file.is_file() else b""
    except FileNotFoundError:
        return b""


def test_a_locked_keyring_is_waited_for_as_long_as_the_person_wants(
    desktop: Desktop, simulator: Simulator, cli_path: Path
) -> None:
    person = Person(desktop, simulator.url, cli_path)
    desktop.lock_keyring()
    with ScreenReader(desktop) as reader:
        # Nobody asks them, and they do without it.
        with SilentPrompter(desktop.bus):
            application = person.start("--port", "0")
            reader.press("Continue without the keyring", "push button")
            check_key_in_memory(person, person.url(), reader, simulator)
            application.send_signal(signal.SIGTERM)
            assert application.wait(60) == 0

        # They enter the password, and the key is where it belongs.
        application = person.start("--port", "0")
        until(lambda: desktop.windows(WAITING))
        reader.wait_for("Unlock Login Keyring", "dialog")
        reader.wait_for_focus(".*", "password text")
        desktop.type(PASSWORD)
        desktop.keys("Return")
        url = person.url(2)
        key = shown_key(person, reader)
        assert key == person.key()
        assert person.status(url, key) == 200
        reader.wait_for("The key your clients send. Kept in the system keyring .*", "label")
        assert files_with(key, desktop.home) == []
        application.send_signal(signal.SIGTERM)
        assert application.wait(60) == 0

        # They do not know it.
        desktop.lock_keyring()
        application = person.start("--port", "0")
        reader.press("Cancel", "push button")
        assert person.status(person.url(3), key) == 401
        person.window()
        application.send_signal(signal.SIGTERM)
        assert application.wait(60) == 0


@posix_only("file modes")
def test_without_a_keyring_the_key_is_in_memory_until_a_file_is_wanted(
    bare_desktop: Desktop, simulator: Simulator, cli_path: Path
) -> None:
    person = Person(bare_desktop, simulator.url, cli_path)
    with ScreenReader(bare_desktop) as reader:
        person.start("--port", "0")
        key = check_key_in_memory(person, person.url(), reader, simulator)
        reader.press("Keep it in a file", "push button")
        reader.wait_for("The key your clients send. Kept in .*secrets.json.*", "label")
        (file,) = until(lambda: files_with(key, bare_desktop.home))
        assert file.name == "secrets.json"
        assert file.stat().st_mode & 0o777 == 0o600
