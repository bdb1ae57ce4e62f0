"""The processes card, with processes of the real CLI."""

import psutil
from PySide6.QtWidgets import QLabel

from tests.waiting import until
from tray_app.pages.overview.processes_card import ProcessesCard


def words(card):
    return " ".join(label.text() for label in card.findChildren(QLabel))


async def test_the_spare_is_there_with_its_memory(with_claude, qtbot):
    card = ProcessesCard(with_claude)
    qtbot.addWidget(card)
    card.set_active(True)
    assert "start with the server" in words(card)
    await with_claude.server.start()
    await until(lambda: card.model.rowCount() == 1)
    [row] = card.model.rows
    assert psutil.Process(row.pid).name().startswith("claude")
    assert row.state == "parked"
    card.read_processes()
    assert "1 process, " in words(card)
    assert " MB" in words(card)
    assert "close after 15 min" in words(card)
    await with_claude.server.stop()
    await until(lambda: card.model.rowCount() == 0)
    assert " MB" not in words(card)


async def test_it_rests_while_it_is_not_seen(context, qtbot):
    card = ProcessesCard(context)
    qtbot.addWidget(card)
    assert not card._clock.isActive()
    card.set_active(True)
    assert card._clock.isActive()
    assert card._clock.interval() == 2000
    card.set_active(False)
    assert not card._clock.isActive()


async def test_a_server_without_claude_says_that_there_are_none(context, qtbot):
    card = ProcessesCard(context)
    qtbot.addWidget(card)
    card.set_active(True)
    await context.server.start()
    await until(lambda: "None running" in words(card))
