"""Closing and quitting: with a tray, without one, and while requests are being answered."""

from dataclasses import dataclass, field

import pytest
from PySide6.QtWidgets import QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from server.events import RequestFinished, RequestStarted
from server.store.types import RequestRecord
from tests.waiting import until
from tray_app.context import Context
from tray_app.windows.closing import Closing


@dataclass
class Desk:
    """A desktop with or without a tray."""

    tray: bool = True
    quits: list[bool] = field(default_factory=list)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    return window


@pytest.fixture
async def closing(context: Context, window: QWidget, desk: Desk) -> Closing:
    return Closing(context, window, has_tray=lambda: desk.tray, quit_application=lambda: desk.quits.append(True))


def press(closing: Closing, label: str) -> None:
    assert closing.box is not None
    (button,) = [button for button in closing.box.buttons() if button.text().replace("&", "") == label]
    button.click()


async def test_with_a_tray_the_window_just_closes(closing: Closing, desk: Desk) -> None:
    assert closing.may_close()
    assert closing.box is None


@pytest.mark.parametrize(
    ("label", "quits", "visible"), [("Quit", 1, True), ("Keep running", 0, False), ("Cancel", 0, True)]
)
async def test_without_a_tray_the_person_is_asked(
    closing: Closing, desk: Desk, window: QWidget, label: str, quits: int, visible: bool
) -> None:
    desk.tray = False
    assert not closing.may_close()
    press(closing, label)
    assert len(desk.quits) == quits
    assert window.isVisible() is visible


async def test_a_second_click_asks_once(closing: Closing, desk: Desk) -> None:
    desk.tray = False
    closing.may_close()
    closing.may_close()
    press(closing, "Quit")
    assert len(desk.quits) == 1


async def test_questions_do_not_pile_up(closing: Closing, desk: Desk, window: QWidget) -> None:
    desk.tray = False
    for _ in range(5):
        closing.may_close()
        press(closing, "Cancel")
    closing.may_close()
    closing.may_close()
    await until(lambda: len(window.findChildren(QMessageBox)) == 1)
    press(closing, "Cancel")
    assert closing.box is None


async def test_quitting_at_rest_asks_nothing(closing: Closing, desk: Desk) -> None:
    closing.request_quit()
    assert desk.quits == [True]


async def test_quitting_amid_requests_asks(closing: Closing, desk: Desk, context: Context) -> None:
    record = RequestRecord("r", 0.0, "/v1/messages", "test")
    context.bus.publish(RequestStarted(record))
    closing.request_quit()
    press(closing, "Keep running")
    assert desk.quits == []
    closing.request_quit()
    press(closing, "Quit now")
    assert desk.quits == [True]
    context.bus.publish(RequestFinished(record))
