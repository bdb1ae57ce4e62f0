"""The key card: show, copy and replace the key, and its location."""

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton

from server.secrets import KeyStore
from server.secrets.storage import FileStorage, MemoryStorage
from tests.tray_app.conftest import KEY
from tests.waiting import until
from tray_app.pages.overview.key_card import KeyCard
from tray_app.widgets import Confirmation, SecretField


@pytest.fixture
def said():
    return []


@pytest.fixture
def card(context, qtbot, said):
    card = KeyCard(context, said.append)
    qtbot.addWidget(card)
    card.show()
    return card


def shown_texts(card):
    return " ".join(label.text() for label in card.findChildren(QLabel) if label.isVisible())


def visible_button(card, label):
    return next((one for one in card.findChildren(QPushButton) if one.text() == label and one.isVisible()), None)


async def test_it_is_hidden_until_asked_and_copied_without_being_shown(card):
    field = card.findChild(SecretField)
    field._timer.setInterval(600_000)
    assert KEY not in shown_texts(card)
    field.copy.click()
    await until(lambda: QGuiApplication.clipboard().text() == KEY)
    assert KEY not in shown_texts(card)
    field.toggle.click()
    await until(lambda: field.is_revealed)
    assert field.text() == KEY


def test_a_key_of_the_environment_is_not_replaced_here(card):
    assert not visible_button(card, "Replace key...").isEnabled()
    assert "in the environment variable" in shown_texts(card)


async def test_it_is_replaced_after_a_question(context, qtbot, said, tmp_path):
    context.key_store = KeyStore(FileStorage(tmp_path))
    card = KeyCard(context, said.append)
    qtbot.addWidget(card)
    card.show()
    before = await context.api_key()
    visible_button(card, "Replace key...").click()
    question = card.window().findChild(Confirmation)
    assert "Clients using the current key stop working" in " ".join(one.text() for one in question.findChildren(QLabel))
    assert await context.api_key() == before
    question.confirm.click()
    await until(lambda: said)
    assert await context.api_key() != before
    assert not context.key_store.matches_key(before)
    assert str(tmp_path) in shown_texts(card)


async def test_a_failed_replacement_shows_an_error(context, qtbot, said, tmp_path):
    context.key_store = KeyStore(FileStorage(tmp_path / "place"))
    await context.api_key()
    card = KeyCard(context, said.append)
    qtbot.addWidget(card)
    card.show()
    for file in (tmp_path / "place").iterdir():
        file.write_text("{ damaged")
    visible_button(card, "Replace key...").click()
    card.window().findChild(Confirmation).confirm.click()
    await until(lambda: str(tmp_path / "place") in shown_texts(card) and card._problem_panel.isVisible())
    assert said == []


def test_a_key_that_will_be_lost_is_warned_of_and_another_place_offered(context, qtbot, said):
    context.key_store = KeyStore(MemoryStorage("the keyring is locked"))
    card = KeyCard(context, said.append)
    qtbot.addWidget(card)
    card.show()
    assert "the keyring is locked" in shown_texts(card)
    with qtbot.waitSignal(context.page_requested) as asked:
        visible_button(card, "Choose where to keep it...").click()
    assert asked.args == ["settings", {"setting": "key_storage"}]


async def test_no_key_is_required_until_it_is(card, context):
    await context.change_settings({"api_key_required": False})
    assert "No key is required" in shown_texts(card)
    assert visible_button(card, "Replace key...") is None
    visible_button(card, "Require a key").click()
    await until(lambda: context.settings.api_key_required)
    assert visible_button(card, "Require a key") is None
    assert visible_button(card, "Replace key...") is not None
