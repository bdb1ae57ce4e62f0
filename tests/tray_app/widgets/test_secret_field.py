"""A secret is hidden, revealed on request, and hidden again soon."""

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from tests.waiting import until
from tray_app.theme import Theme
from tray_app.widgets import SecretField, buttons
from tray_app.widgets.secret_field import SHOWN_SECONDS

KEY = "dgm-0123456789abcdef"


async def source() -> str:
    return KEY


def make_field(qtbot: QtBot, shown_seconds: float = 600) -> SecretField:
    field = SecretField(source, shown_seconds=shown_seconds)
    qtbot.addWidget(field)
    field.resize(600, 40)
    with qtbot.waitExposed(field):
        field.show()
    return field


async def test_it_is_hidden_at_first(theme: Theme, qtbot: QtBot) -> None:
    field = make_field(qtbot)

    assert KEY not in field.text()
    assert set(field.text()) == {"•"}
    assert field.toggle.text() == "Show"


async def test_it_is_shown_when_asked_for_and_hidden_again(theme: Theme, qtbot: QtBot) -> None:
    field = make_field(qtbot)
    qtbot.mouseClick(field.toggle, Qt.MouseButton.LeftButton)
    await until(lambda: field.is_revealed)
    seen, label = field.text(), field.toggle.text()
    qtbot.mouseClick(field.toggle, Qt.MouseButton.LeftButton)

    assert (seen, label) == (KEY, "Hide")
    assert KEY not in field.text()


async def test_it_hides_itself_after_a_while(theme: Theme, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    field = make_field(qtbot, shown_seconds=0.05)
    texts: list[str] = []
    show = field._text.setText
    monkeypatch.setattr(field._text, "setText", lambda text: (texts.append(text), show(text)))
    field.reveal_secret()
    await until(lambda: len(texts) == 2)

    assert SHOWN_SECONDS == 10
    assert texts[0] == KEY
    assert KEY not in field.text()
    assert not field.is_revealed


async def test_it_is_hidden_when_its_page_is_left(theme: Theme, qtbot: QtBot) -> None:
    field = make_field(qtbot)
    field.reveal_secret()
    await until(lambda: field.is_revealed)
    field.hide()

    assert KEY not in field.text()
    assert not field.is_revealed


async def test_a_secret_that_comes_when_the_page_is_left_is_not_shown(theme: Theme, qtbot: QtBot) -> None:
    asked, given, fetched = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        asked.set()
        await given.wait()
        fetched.set()
        return KEY

    field = SecretField(slow)
    qtbot.addWidget(field)
    with qtbot.waitExposed(field):
        field.show()
    field.reveal_secret()
    await asked.wait()
    field.hide()
    given.set()
    await fetched.wait()
    await asyncio.sleep(0)

    assert KEY not in field.text()
    assert not field.is_revealed


async def test_a_secret_that_cannot_be_read_is_said_to_be_so(theme: Theme, qtbot: QtBot) -> None:
    async def locked() -> str:
        raise OSError("the keyring is locked")

    field = SecretField(locked)
    qtbot.addWidget(field)
    field.reveal_secret()
    await until(lambda: field.text() == "Cannot be read")

    assert not field.is_revealed


async def test_it_is_copied_without_being_shown(theme: Theme, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buttons, "COPIED_MS", 600_000)  # it must not be missed
    field = make_field(qtbot)
    qtbot.mouseClick(field.copy, Qt.MouseButton.LeftButton)
    await until(lambda: field.copy.text() == "Copied")

    assert QGuiApplication.clipboard().text() == KEY
    assert KEY not in field.text()
