"""The banner: messages, levels and actions."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel, QTextEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from server.core.errors import PortUnavailable
from tests.tray_app.banners import actions_of
from tray_app.theme import Theme
from tray_app.widgets import Banner


def port_error() -> PortUnavailable:
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
    banner.show_error(port_error(), [("Use 8001", lambda: done.append("8001")), ("Choose a port...", lambda: None)])
    use, choose = actions_of(banner)
    qtbot.mouseClick(use, Qt.MouseButton.LeftButton)

    assert not banner.isHidden()
    assert (banner.level, banner.message) == ("error", "Port 8000 is in use by another program.")
    assert banner.accessibleName() == "Port 8000 is in use by another program. Use another one."
    assert choose.text() == "Choose a port..."
    assert done == ["8001"]


def test_what_is_said_next_takes_the_place_of_what_was_said(theme: Theme, qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    banner.show_error(port_error(), [("Use 8001", lambda: None)])
    banner.show_message("ok", "The server runs.")

    assert (banner.level, banner.message) == ("ok", "The server runs.")
    assert actions_of(banner) == []
    assert banner.property("level") == "ok"


def test_it_can_be_closed(theme: Theme, qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    banner.show_error(port_error())
    qtbot.mouseClick(banner.close_button, Qt.MouseButton.LeftButton)

    assert banner.isHidden()
    assert banner.message == ""


def test_markup_in_a_message_is_text(theme: Theme, qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    plain = banner.sizeHint().height()
    banner.show_message("error", "<h1>No</h1>")

    assert banner.sizeHint().height() == plain


def test_actions_go_below_texts_that_leave_no_room_beside_them(theme: Theme, qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    banner.show_error(port_error(), [("Use 8001", lambda: None)])
    (action,) = actions_of(banner)
    places = []
    for width in (900, 320):
        banner.resize(width, 60)
        QApplication.processEvents()
        places.append((action.mapTo(banner, QPoint()).x() > width / 2, banner.heightForWidth(width)))

    (wide_right, wide_height), (narrow_right, narrow_height) = places
    assert wide_right
    assert not narrow_right
    assert narrow_height > wide_height


def test_a_long_text_is_seen_whole_on_a_crowded_page(theme: Theme, qtbot: QtBot) -> None:
    page, banner, rest = QWidget(), Banner(), QTextEdit()
    qtbot.addWidget(page)
    column = QVBoxLayout(page)
    column.addWidget(banner)
    column.addWidget(rest, 1)
    rest.setMinimumHeight(100)
    page.resize(400, 330)
    with qtbot.waitExposed(page):
        page.show()
    banner.show_message("error", "The settings could not be written, because the disk is full. " * 3, "Make room. " * 6)
    QApplication.processEvents()

    for label in banner.findChildren(QLabel):
        assert label.height() >= label.heightForWidth(label.width())
