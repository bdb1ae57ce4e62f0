"""The window's preferences, and a file of them that is damaged."""

import os
import threading
from pathlib import Path
from threading import Event

import orjson
import pytest
from PySide6.QtCore import QByteArray
from pytestqt.qtbot import QtBot

from tray_app.preferences import PREFERENCES_FILE, Preferences

pytestmark = pytest.mark.usefixtures("qapp")


def test_values_are_there_again_at_the_next_start(tmp_path: Path) -> None:
    first = Preferences(tmp_path)
    first.theme = "dark"
    first.guide_done = True
    first.geometry = QByteArray(b"\x01place")
    first.set_value("requests/widths", [80, 120])
    first.sync()
    second = Preferences(tmp_path)
    assert (second.theme, second.guide_done, second.geometry) == ("dark", True, QByteArray(b"\x01place"))
    assert second.read_value("requests/widths", []) == [80, 120]


def test_what_changes_many_times_is_written_once_it_rests_and_not_at_once(tmp_path: Path, qtbot: QtBot) -> None:
    preferences, file = Preferences(tmp_path), tmp_path / PREFERENCES_FILE
    for width in range(100):
        preferences.set_value("requests/width", width)
    at_once = file.exists()
    qtbot.waitUntil(file.exists)
    assert not at_once
    assert orjson.loads(file.read_bytes()) == {"requests/width": 99}


def test_a_slow_disk_does_not_hold_up_the_window(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write finishes only after the window's thread has continued."""
    went_on = Event()
    sync = os.fsync

    def slow(file: int) -> None:
        assert went_on.wait(60)
        sync(file)

    monkeypatch.setattr(os, "fsync", slow)
    preferences = Preferences(tmp_path)
    preferences.theme = "dark"
    qtbot.waitUntil(lambda: any(thread.name == "write preferences" for thread in threading.enumerate()))
    preferences.guide_done = True
    went_on.set()
    preferences.sync()
    assert orjson.loads((tmp_path / PREFERENCES_FILE).read_bytes()) == {"theme": "dark", "guide_done": True}


def test_a_folder_that_takes_no_file_is_no_crash(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "config").write_text("a file in the place of the folder")
    preferences = Preferences(tmp_path / "config")
    preferences.theme = "dark"
    preferences.sync()
    assert preferences.theme == "dark"
    assert "could not be written" in caplog.text


def test_what_a_disk_did_not_take_is_written_at_the_end(
    tmp_path: Path, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    config = tmp_path / "config"
    config.write_text("a file in the place of the folder")
    preferences = Preferences(config)
    preferences.theme = "dark"
    qtbot.waitUntil(lambda: "could not be written" in caplog.text)
    config.unlink()
    preferences.sync()
    assert Preferences(config).theme == "dark"


def test_changes_are_told_by_name(tmp_path: Path) -> None:
    preferences = Preferences(tmp_path)
    names: list[str] = []
    preferences.changed.connect(names.append)
    preferences.theme = "light"
    assert names == ["theme"]


@pytest.mark.parametrize(
    "content",
    ["", '{"theme": "mauve", "window/count": "7 or 8"}', "\x00\x01[[[", "[1, 2]", '{"theme": 1, "window/count": true}'],
)
def test_a_spoiled_file_means_defaults(tmp_path: Path, content: str) -> None:
    (tmp_path / PREFERENCES_FILE).write_text(content)
    preferences = Preferences(tmp_path)
    assert preferences.theme == "system"
    assert preferences.read_value("window/count", 7) == 7
    assert preferences.geometry.isEmpty()


@pytest.mark.parametrize("kept", ["AAA", {"base64": "no"}, {"base64": 7}, {}, None])
def test_a_spoiled_place_means_none(tmp_path: Path, kept: object) -> None:
    (tmp_path / PREFERENCES_FILE).write_bytes(orjson.dumps({"window/geometry": kept}))
    assert Preferences(tmp_path).geometry.isEmpty()
