"""What the window remembers, and what it does with a file that somebody spoiled."""

from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray

from tray_app.preferences import PREFERENCES_FILE, Preferences


def test_values_are_there_again_at_the_next_start(tmp_path: Path) -> None:
    first = Preferences(tmp_path)
    first.theme = "dark"
    first.guide_done = True
    first.geometry = QByteArray(b"\x01place")
    first.set_value("requests/widths", [80, 120])
    first.sync()
    second = Preferences(tmp_path)
    assert (second.theme, second.guide_done, second.geometry) == ("dark", True, QByteArray(b"\x01place"))
    assert [int(width) for width in second.value("requests/widths", [])] == [80, 120]


def test_changes_are_told_by_name(tmp_path: Path) -> None:
    preferences, names = Preferences(tmp_path), []
    preferences.changed.connect(names.append)
    preferences.theme = "light"
    assert names == ["theme"]


@pytest.mark.parametrize("content", ["", "theme=mauve\nguide_done=perhaps", "\x00\x01[[[", "[General]\ntheme=1, 2"])
def test_a_spoiled_file_means_defaults(tmp_path: Path, content: str) -> None:
    (tmp_path / PREFERENCES_FILE).write_text(content)
    preferences = Preferences(tmp_path)
    assert preferences.theme == "system"
    assert preferences.value("window/count", 7) == 7
