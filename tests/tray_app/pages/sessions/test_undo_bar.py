"""A deletion can be undone for some seconds, and is committed exactly once."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tray_app.pages.sessions.undo_bar import UndoBar
from tray_app.theme import Theme


@pytest.fixture
def bar(theme: Theme, qtbot: QtBot) -> UndoBar:
    made = UndoBar()
    qtbot.addWidget(made)
    return made


def offered(bar: UndoBar, done: list[str], name: str = "", seconds: float = 8) -> None:
    bar.offer_undo(
        "2 sessions deleted", lambda: done.append(f"undo{name}"), lambda: done.append(f"commit{name}"), seconds
    )


def test_it_can_be_undone(bar: UndoBar, qtbot: QtBot) -> None:
    done: list[str] = []
    offered(bar, done)
    shown = not bar.isHidden()
    qtbot.mouseClick(bar.button, Qt.MouseButton.LeftButton)
    bar.run_commit()

    assert shown
    assert done == ["undo"]
    assert bar.isHidden()


def test_when_the_time_is_over_it_is_done_for_good(bar: UndoBar, qtbot: QtBot) -> None:
    done: list[str] = []
    offered(bar, done, seconds=0.02)
    qtbot.waitUntil(lambda: done == ["commit"])
    bar.run_undo()

    assert done == ["commit"]
    assert bar.isHidden()


def test_the_next_offer_does_the_one_before_for_good(bar: UndoBar) -> None:
    done: list[str] = []
    offered(bar, done, " one")
    offered(bar, done, " two")
    bar.run_undo()

    assert done == ["commit one", "undo two"]


def test_what_offers_again_from_within_is_kept(bar: UndoBar) -> None:
    done: list[str] = []
    bar.offer_undo("One", lambda: offered(bar, done, " again"), lambda: None)
    bar.run_undo()

    bar.run_undo()
    assert done == ["undo again"]
