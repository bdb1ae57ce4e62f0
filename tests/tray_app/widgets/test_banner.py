"""The strip that says what is wrong and what to do."""

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from server.errors import PortUnavailable
from tray_app.theme import Theme
from tray_app.widgets import Banner


def in_use() -> PortUnavailable:
    return PortUnavailable(
        "Port 8000 is in use by another program.", host="127.0.0.1", port=8000, in_use=True, hint="Use another one."
    )


def test_it_is_hidden_until_it_has_something_to_say(theme: Theme, qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)

    assert banner.isHidden()
    assert banner.message == ""


def test_an_error_is_said_with_what_to_do_and_a_button_for_it(theme: Theme, qtbot: QtBot) -> None:
    done: list[str] = []
    banner = Banner()
    qtbot.addWidget(banner)
    banner.show_error(in_use(), [("Use 8001", lambda: done.append("8001")), ("Choose a port...", lambda: None)])
    use, choose = banner.actions_shown()
    qtbot.mouseClick(use, Qt.MouseButton.LeftButton)

    assert not banner.isHidden()
    assert (banner.level, banner.message) == ("error", "Port 8000 is in use by another program.")
    assert banner.accessibleName() == "Port 8000 is in use by another program. Use another one."
    assert choose.text() == "Choose a port..."
    assert done == ["8001"]


def test_what_is_said_next_takes_the_place_of_what_was_said(theme: Theme, qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    banner.show_error(in_use(), [("Use 8001", lambda: None)])
    banner.show_message("ok", "The server runs.")

    assert (banner.level, banner.message) == ("ok", "The server runs.")
    assert banner.actions_shown() == []
    assert banner.property("level") == "ok"


def test_it_can_be_closed(theme: Theme, qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    banner.show_error(in_use())
    qtbot.mouseClick(banner.close_button, Qt.MouseButton.LeftButton)

    assert banner.isHidden()
    assert banner.message == ""


def test_markup_in_a_message_is_text(theme: Theme, qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    plain = banner.sizeHint().height()
    banner.show_message("error", "<h1>No</h1>")

    assert banner.sizeHint().height() == plain
