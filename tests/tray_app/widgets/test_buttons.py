"""Push buttons and the copy button."""

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.waiting import until
from tray_app.theme import Theme
from tray_app.widgets import CopyButton, buttons, make_button


@pytest.fixture
def keep_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the result of a copy on the button while a test waits for it."""
    monkeypatch.setattr(buttons, "COPIED_MS", 600_000)


def click_button(made: QPushButton, qtbot: QtBot) -> None:
    qtbot.mouseClick(made, Qt.MouseButton.LeftButton)


def test_a_button_calls_its_slot_without_arguments(theme: Theme, qtbot: QtBot) -> None:
    calls: list[tuple[object, ...]] = []
    made = make_button("Start", lambda *arguments: calls.append(arguments), role="primary", icon="mdi6.play")
    qtbot.addWidget(made)
    click_button(made, qtbot)

    assert calls == [()]
    assert made.property("role") == "primary"
    assert not made.icon().isNull()


def test_a_button_of_an_icon_alone_has_a_name_for_screen_readers(theme: Theme, qtbot: QtBot) -> None:
    made = make_button("", lambda: None, icon="mdi6.refresh", hint="Refresh")
    qtbot.addWidget(made)

    assert made.accessibleName() == "Refresh"
    assert made.toolTip() == "Refresh"


def test_tab_reaches_a_button_and_a_click_leaves_the_focus_where_it_was(theme: Theme, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    row = QHBoxLayout(window)
    one, other = make_button("One", lambda: None), make_button("Other", lambda: None)
    row.addWidget(one)
    row.addWidget(other)
    with qtbot.waitExposed(window):
        window.show()
    one.setFocus()
    click_button(other, qtbot)
    after_click = window.focusWidget()
    qtbot.keyClick(one, Qt.Key.Key_Tab)

    assert after_click is one
    assert window.focusWidget() is other


def test_copy_puts_the_text_on_the_clipboard_and_says_so_for_a_second(theme: Theme, qtbot: QtBot) -> None:
    made = CopyButton(lambda: "http://127.0.0.1:8000/v1")
    qtbot.addWidget(made)
    width = made.sizeHint().width()
    click_button(made, qtbot)
    said, width_then = made.text(), made.sizeHint().width()

    assert QGuiApplication.clipboard().text() == "http://127.0.0.1:8000/v1"
    assert said == "Copied"
    assert width_then == width
    qtbot.waitUntil(lambda: made.text() == "Copy")


@pytest.mark.usefixtures("keep_results")
async def test_copy_waits_for_a_text_that_has_to_be_fetched(theme: Theme, qtbot: QtBot) -> None:
    fetched = asyncio.get_running_loop().create_future()

    async def source() -> str:
        return str(await fetched)

    made = CopyButton(source)
    qtbot.addWidget(made)
    click_button(made, qtbot)
    await asyncio.sleep(0)
    before = made.text()
    fetched.set_result("dgm-key")
    await until(lambda: made.text() == "Copied")

    assert before == "Copy"
    assert QGuiApplication.clipboard().text() == "dgm-key"


@pytest.mark.usefixtures("keep_results")
async def test_copy_says_when_there_is_nothing_to_copy(theme: Theme, qtbot: QtBot) -> None:
    async def source() -> str:
        raise OSError("the keyring is locked")

    QGuiApplication.clipboard().setText("before")
    made = CopyButton(source)
    qtbot.addWidget(made)
    click_button(made, qtbot)
    await until(lambda: made.text() == "Not copied")

    assert QGuiApplication.clipboard().text() == "before"


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_the_keyboard_presses_the_button_that_has_the_focus(theme: Theme, qtbot: QtBot, key: Qt.Key) -> None:
    calls: list[bool] = []
    made = make_button("Start", lambda: calls.append(True))
    qtbot.addWidget(made)
    qtbot.keyClick(made, key)

    assert calls == [True]
