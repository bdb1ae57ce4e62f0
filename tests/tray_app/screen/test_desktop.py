"""The made desktop is one: its tray shows our icon, its keyring keeps secrets, and nothing of it is left."""

import subprocess
import sys
from pathlib import Path

import psutil

from tests.tray_app.screen.bus import DBusTray
from tests.tray_app.screen.desktop import PATIENT_KEYRING, Desktop, until

ROOT = Path(__file__).parents[3]
WINDOW = "^the window of the tray program$"

KEYRING = f"""{PATIENT_KEYRING}
keyring.set_password("a-service", "a-user", "a-secret")
print(keyring.get_keyring().__module__, keyring.get_password("a-service", "a-user"))
"""


def name_of(process: psutil.Process) -> str:
    """Empty if it has ended since it was found."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def start_program(desktop: Desktop) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.tray_app.screen.tray_program", str(desktop.home)]
    return desktop.start(command, name="program", PYTHONPATH=str(ROOT))


def test_the_icon_is_in_the_tray_and_can_be_used(desktop: Desktop, tmp_path: Path) -> None:
    program = start_program(desktop)
    assert len(until(desktop.tray_icons)) == 1
    picture = desktop.screenshot(tmp_path / "screen.png")
    assert len(picture.read_bytes()) > 500
    desktop.open_from_tray(WINDOW)
    desktop.activated(WINDOW)
    desktop.choose_in_tray(steps_up=3)
    until(lambda: "page settings" in desktop.log("program").read_text())
    desktop.choose_in_tray(steps_up=1)
    assert program.wait(60) == 0
    until(lambda: not desktop.tray_icons())


def test_a_tray_that_comes_later_gets_the_icon(desktop: Desktop) -> None:
    desktop.end_tray()
    start_program(desktop)
    until(lambda: "shown" in desktop.log("program").read_text())
    assert desktop.tray_icons() == []
    desktop.start_tray()
    assert len(until(desktop.tray_icons)) == 1


def test_a_tray_that_is_started_anew_gets_the_icon_again(desktop: Desktop) -> None:
    start_program(desktop)
    until(desktop.tray_icons)
    desktop.end_tray()
    desktop.start_tray()
    assert len(until(desktop.tray_icons)) == 1


def test_the_icon_goes_to_the_kind_of_tray_that_is_there(desktop: Desktop) -> None:
    desktop.end_tray()
    program = start_program(desktop)
    until(lambda: "shown" in desktop.log("program").read_text())
    pages = 0

    def page_was_asked_for() -> bool:
        return desktop.log("program").read_text().count("page settings") == pages

    # One of the newer kind that comes later gets it, and is not told apart from one that was there.
    with DBusTray(desktop.bus) as tray:
        (icon,) = until(tray.icons)
        assert icon.status == "Active"
        assert 22 in icon.sizes
        assert icon.tooltip == "Dragoman\nStopped"
        icon.choose("Settings...")
        pages += 1
        until(page_was_asked_for)
        icon.click()
        until(lambda: desktop.windows(WINDOW))
    # That one is gone; an older one comes, and then the newer one again.
    desktop.start_tray()
    until(desktop.tray_icons)
    desktop.choose_in_tray(steps_up=3)
    pages += 1
    until(page_was_asked_for)
    with DBusTray(desktop.bus) as tray:
        (icon,) = until(tray.icons)
        until(lambda: not desktop.tray_icons())
        icon.choose("Quit")
        assert program.wait(60) == 0


def test_the_keyring_keeps_secrets(desktop: Desktop) -> None:
    assert desktop.run(sys.executable, "-c", KEYRING) == "keyring.backends.SecretService a-secret\n"


def test_nothing_is_left(tmp_path: Path) -> None:
    with Desktop() as desktop:
        program = start_program(desktop)
        until(desktop.tray_icons)
        names = {name_of(process) for process in desktop.leftovers()}
        assert {"Xvfb", "openbox", "trayer", "dbus-daemon"} <= names
        assert program.pid in {process.pid for process in desktop.leftovers()}
    assert desktop.leftovers() == []
    assert not desktop.root.exists()
