"""The server card: status, address, and the remedies for a failed start."""

import os

import psutil
import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton

from server.core.errors import PortUnavailable, SettingsInvalid
from server.hosting.sockets import open_listener
from tests.ports import kept_port, taken_port
from tests.waiting import until
from tray_app.pages.overview.problem_panel import ProblemPanel
from tray_app.pages.overview.server_card import ServerCard
from tray_app.widgets import CopyButton, ElidedLabel, StatusDot


@pytest.fixture
def card(context, qtbot):
    card = ServerCard(context)
    qtbot.addWidget(card)
    card.show()
    return card


def press(card, label):
    [found] = [one for one in card.findChildren(QPushButton) if one.text() == label and one.isVisible()]
    found.click()


def texts(card):
    return [label.text() for label in card.findChildren(ElidedLabel)]


async def test_it_starts_and_stops(card, context):
    assert card.findChild(StatusDot).state == "stopped"
    press(card, "Start server")
    await until(lambda: context.server.state == "running")
    assert card.findChild(StatusDot).state == "running"
    assert f"{context.server.url}/v1" in texts(card)
    assert any(text.startswith("since ") for text in texts(card))
    press(card, "Stop server")
    await until(lambda: context.server.state == "stopped")
    assert card.findChild(StatusDot).state == "stopped"


async def test_the_address_is_copied(card, context):
    await context.server.start()
    card.findChild(CopyButton).click()
    assert QGuiApplication.clipboard().text() == context.server.base_url


async def test_a_port_in_use_is_shown_and_the_next_free_one_offered(card, context):
    with taken_port() as port:
        await context.change_settings({"port": port})
        with pytest.raises(PortUnavailable):
            await context.server.start()
        panel = card.findChild(ProblemPanel)
        assert f"Port {port}" in panel.text
        await until(lambda: [one for one in panel.findChildren(QPushButton) if one.text().startswith("Use ")])
        [use] = [one for one in panel.findChildren(QPushButton) if one.text().startswith("Use ")]
        offered = use.text().removeprefix("Use ")
        await until(lambda: "(process" in panel.text)
        assert panel.text == f"Port {port} is in use by {psutil.Process().name()} (process {os.getpid()})."
        use.click()
        await until(lambda: context.server.state == "running")
        assert context.server.url == f"http://127.0.0.1:{offered}"
    assert panel.text == ""
    assert panel.isHidden()


async def test_a_port_can_be_chosen_in_settings(card, context, qtbot):
    with await open_listener("127.0.0.1", 0) as taken:
        await context.change_settings({"port": taken.getsockname()[1]})
        with pytest.raises(PortUnavailable):
            await context.server.start()
        await until(lambda: [one for one in card.findChildren(QPushButton) if one.text() == "Choose a port..."])
        with qtbot.waitSignal(context.page_requested) as asked:
            press(card, "Choose a port...")
    assert asked.args == ["settings", {"setting": "port"}]


async def test_a_port_of_the_command_line_is_not_replaced(card, context):
    with await open_listener("127.0.0.1", 0) as taken:
        await context.change_settings({"port": taken.getsockname()[1]})
        context.settings_service.overrides = {**context.settings_service.overrides, "port": context.settings.port}
        with pytest.raises(PortUnavailable):
            await context.server.start()
        await until(lambda: [one for one in card.findChildren(QPushButton) if one.text() == "Choose a port..."])
    assert not [one for one in card.findChildren(QPushButton) if one.text().startswith("Use ")]


async def test_a_wrong_address_leads_to_its_setting(card, context, qtbot):
    await context.change_settings({"host": "192.0.2.1"})
    with pytest.raises(SettingsInvalid):
        await context.server.start()
    assert "192.0.2.1" in card.findChild(ProblemPanel).text
    with qtbot.waitSignal(context.page_requested) as asked:
        press(card, "Change it in Settings")
    assert asked.args == ["settings", {"setting": "host"}]


async def test_a_port_that_has_become_free_needs_no_other(card, context):
    with kept_port() as port:
        await context.change_settings({"port": port})
        context.server.problem = PortUnavailable("Taken.", host="127.0.0.1", port=port, in_use=True)
        context.server.changed.emit()
        await until(lambda: [one for one in card.findChildren(QPushButton) if one.text() == "Start the server"])
        assert "is now free" in card.findChild(ProblemPanel).text
        press(card, "Start the server")
        await until(lambda: context.server.state == "running")
