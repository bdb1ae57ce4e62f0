"""The dialogs before the main window exists."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import keyring.backend
import pytest
from PySide6.QtWidgets import QApplication, QMessageBox

from server.config.settings import Settings
from server.core.errors import COMMAND_LINE, SettingsInvalid, SetupError
from server.core.tasks import spawn
from tests.waiting import until
from tray_app.window import startup
from tray_app.window.startup import show_startup_error, wait_for_key_store, wait_for_settings


def open_box() -> QMessageBox | None:
    boxes = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, QMessageBox)]
    return next((box for box in boxes if box.isVisible()), None)


async def press(label: str) -> str:
    """Wait for a box, press a button of it, and return its texts."""
    await until(open_box)
    box = open_box()
    assert box is not None
    (button,) = [button for button in box.buttons() if button.text().replace("&", "") == label]
    button.click()
    return f"{box.text()}\n{box.informativeText()}"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """An invalid settings file."""
    path = tmp_path / "settings.toml"
    path.write_text("port = ")
    return path


async def test_settings_that_can_be_used_are_not_asked_about(tmp_path: Path) -> None:
    settings = await wait_for_settings({"config_dir": tmp_path, "port": 1234})
    assert settings is not None
    assert settings.port == 1234


async def test_a_corrected_file_can_be_read_again(broken: Path) -> None:
    waiting = spawn(wait_for_settings({"config_dir": broken.parent}), name="wait")
    assert str(broken) in await press("Try again")
    await until(open_box)
    broken.write_text("port = 4321")
    await press("Try again")
    settings = await waiting
    assert settings is not None
    assert settings.port == 4321


async def test_a_broken_file_can_end_the_program(broken: Path) -> None:
    waiting = spawn(wait_for_settings({"config_dir": broken.parent}), name="wait")
    await press("Quit")
    assert await waiting is None
    assert broken.read_text() == "port = "


async def test_an_invalid_command_line_is_reported_in_the_terminal(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        await wait_for_settings({"config_dir": tmp_path, "port": "many"})
    assert caught.value.source == COMMAND_LINE


class Locked(keyring.backend.KeyringBackend):
    """A keyring that blocks until it is unlocked."""

    priority = 1.0  # type: ignore[assignment]
    name = "locked"

    def __init__(self, wait: Callable[[], object]) -> None:
        super().__init__()
        self._wait = wait

    def get_password(self, service: str, username: str) -> str | None:
        self._wait()
        return "dgm-kept"

    def set_password(self, service: str, username: str, password: str) -> None:
        raise AssertionError("nothing is written")


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """An event that unlocks the keyring."""
    unlocked = threading.Event()
    monkeypatch.setattr(startup, "QUIET_SECONDS", 0.01)
    before = keyring.get_keyring()
    keyring.set_keyring(Locked(lambda: unlocked.wait(60)))
    yield unlocked
    unlocked.set()
    keyring.set_keyring(before)


async def test_a_locked_keyring_is_waited_for(unlocked: threading.Event, settings: Settings) -> None:
    waiting = spawn(wait_for_key_store(settings), name="wait")
    await until(open_box)
    unlocked.set()
    store = await waiting
    assert store.kind == "keyring"
    assert await store.get_or_create() == "dgm-kept"
    assert open_box() is None


async def test_one_can_go_on_without_a_keyring(unlocked: threading.Event, settings: Settings) -> None:
    waiting = spawn(wait_for_key_store(settings), name="wait")
    await press("Continue without the keyring")
    store = await waiting
    assert store.kind == "memory"
    assert "not unlocked" in store.description
    assert (await store.get_or_create()).startswith("dgm-")


async def test_who_ends_the_program_meanwhile_leaves_no_question(unlocked: threading.Event, settings: Settings) -> None:
    waiting = spawn(wait_for_key_store(settings), name="wait")
    await until(open_box)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert open_box() is None


async def test_an_answer_at_once_asks_nothing(settings: Settings) -> None:
    store = await wait_for_key_store(settings)
    assert store.kind == "memory"
    assert open_box() is None


async def test_a_start_that_fails_says_why() -> None:
    telling = spawn(show_startup_error(SetupError("The disk is full.", hint="Make room.")), name="tell")
    assert "The disk is full. Make room." in await press("Close")
    await telling
