"""Closing and quitting: with a tray, without one, and during requests."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx2
import pytest
from PySide6.QtWidgets import QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from server.core.events import RequestFinished, RequestStarted
from server.core.records import RequestRecord
from tests.scripted_backend import Gate, ScriptedBackend, begin, end, text
from tests.tray_app.conftest import KEY
from tests.waiting import until
from tray_app.context import Context
from tray_app.window.closing import Closing


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
async def test_without_a_tray_the_user_is_asked(
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


class Answering:
    """A server with a running answer, which ends when the gate is opened."""

    def __init__(self, context: Context, gate: Gate, answer: "asyncio.Task[httpx2.Response]") -> None:
        self.server = context.server
        self.gate = gate
        self.answer = answer


@pytest.fixture
async def answering(context: Context, backend: ScriptedBackend) -> AsyncIterator[Answering]:
    await context.server.start()
    gate = Gate()
    backend.script(begin(), gate, *text("Hello"), *end())
    body = {"model": "default", "messages": [{"role": "user", "content": "Hello"}]}
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {KEY}"}, timeout=60) as client:
        answer = asyncio.ensure_future(client.post(f"{context.server.base_url}/chat/completions", json=body))
        await gate.reached.wait()
        yield Answering(context, gate, answer)
        await answer


async def test_stopping_amid_answers_asks_and_can_be_called_off(
    closing: Closing, context: Context, answering: Answering
) -> None:
    context.toggle_server()
    assert closing.box is not None
    assert closing.box.informativeText().startswith("1 request is running.")
    press(closing, "Cancel")
    assert (answering.server.state, answering.server.is_finishing) == ("running", False)
    answering.gate.open()
    assert (await answering.answer).status_code == 200


async def test_stopping_now_cuts_answers_off(closing: Closing, context: Context, answering: Answering) -> None:
    context.toggle_server()
    press(closing, "Stop now")
    assert (await answering.answer).status_code == 503
    await until(lambda: answering.server.state == "stopped")


async def test_answers_are_finished_first_and_that_can_be_cut_short(
    closing: Closing, context: Context, answering: Answering
) -> None:
    context.toggle_server()
    press(closing, "Finish them first")
    await until(lambda: answering.server.is_finishing)
    assert context.status.current.line == "Stops after 1 running answer"
    context.toggle_server()
    assert closing.box is None, "it was asked already"
    assert (await answering.answer).status_code == 503
    await until(lambda: answering.server.state == "stopped")


async def test_quitting_waits_for_answers_if_it_is_told_to(
    closing: Closing, desk: Desk, context: Context, answering: Answering
) -> None:
    closing.request_quit()
    press(closing, "Finish them first")
    await until(lambda: answering.server.is_finishing)
    assert desk.quits == []
    answering.gate.open()
    assert (await answering.answer).status_code == 200
    await until(lambda: desk.quits == [True])
    assert answering.server.state == "stopped"


async def test_at_rest_the_server_stops_without_a_question(closing: Closing, context: Context) -> None:
    await context.server.start()
    context.toggle_server()
    assert closing.box is None
    await until(lambda: context.server.state == "stopped")
