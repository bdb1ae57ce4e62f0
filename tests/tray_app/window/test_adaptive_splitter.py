"""The adaptive splitter: its orientation, and the handle's position for each."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tray_app.preferences import Preferences
from tray_app.window.adaptive_splitter import AdaptiveSplitter

Make = Callable[[int, int], AdaptiveSplitter]


@pytest.fixture
def make(tmp_path: Path, qtbot: QtBot) -> Make:
    """Creates and shows splitters of a given size, with the same preferences."""
    preferences = Preferences(tmp_path)

    def make(width: int, height: int) -> AdaptiveSplitter:
        split = AdaptiveSplitter(preferences, "here/split", beside_from=800, beside=[600, 400], below=[1, 1])
        qtbot.addWidget(split)
        split.addWidget(QWidget())
        split.addWidget(QWidget())
        split.restore_sizes()
        split.resize(width, height)
        split.show()
        return split

    return make


def test_the_parts_stand_where_there_is_room(make: Make) -> None:
    split = make(900, 400)
    beside = split.orientation(), split.sizes()[0] > split.sizes()[1]
    split.resize(799, 400)
    below = split.orientation(), abs(split.sizes()[0] - split.sizes()[1]) <= 1
    split.resize(800, 400)

    assert beside == (Qt.Orientation.Horizontal, True)
    assert below == (Qt.Orientation.Vertical, True)
    assert split.orientation() == Qt.Orientation.Horizontal


def test_each_way_has_its_own_place_of_the_handle(make: Make) -> None:
    split = make(1000, 500)
    split.moveSplitter(300, 1)
    beside = split.sizes()
    split.resize(700, 500)
    split.moveSplitter(120, 1)
    below = split.sizes()
    split.resize(1000, 500)

    assert split.sizes() == beside
    assert make(1000, 500).sizes() == beside
    assert make(700, 500).sizes() == below
    assert beside[0] == 300
    assert below[0] == 120


def test_a_higher_window_is_shared_by_both_and_a_wider_one_goes_to_the_first(make: Make) -> None:
    split = make(700, 400)
    split.resize(700, 600)
    below = [part // 50 for part in split.sizes()]
    split.resize(1000, 600)
    beside = split.sizes()
    split.resize(1200, 600)

    assert below == [5, 5]
    assert split.sizes() == [beside[0] + 200, beside[1]]
