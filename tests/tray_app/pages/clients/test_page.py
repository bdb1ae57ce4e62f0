"""The Clients page: connection details of each client, and search, by keyboard too."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from tests.tray_app.conftest import KEY
from tests.waiting import until
from tray_app.clients.catalogue import CLIENTS
from tray_app.clients.connection import MASK
from tray_app.context import Context
from tray_app.formatting import format_path
from tray_app.pages.clients import ClientsPage
from tray_app.pages.clients.client_model import SIGN, ClientFilter, ClientModel
from tray_app.pages.clients.client_scan import ClientScan
from tray_app.pages.clients.connection_details import ConnectionDetails
from tray_app.theme import Theme


def told(page: ClientsPage) -> ConnectionDetails:
    assert page.card.details is not None
    return page.card.details


def shown(page: ClientsPage) -> list[str]:
    return [str(page.filter.index(row, 0).data()) for row in range(page.filter.rowCount())]


def code(page: ClientsPage, at: int = 0) -> str:
    return told(page).snippets[at].code.text()


async def test_the_models_keep_qt_s_rules(context: Context, theme: Theme, qtmodeltester: ModelTester) -> None:
    model = ClientModel(ClientScan(context), theme)
    qtmodeltester.check(model)
    qtmodeltester.check(ClientFilter(model))


async def test_all_clients_are_there_and_the_first_is_shown(page: ClientsPage) -> None:
    assert shown(page) == [client.name for client in CLIENTS]
    assert page.card.client is CLIENTS[0]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.id)
async def test_every_card(page: ClientsPage, client: object) -> None:
    chosen = next(one for one in CLIENTS if one is client)
    page.open_details(client=chosen.id)
    card = page.card
    assert card.client is chosen
    assert [view.snippet for view in told(page).snippets] == list(chosen.snippets if chosen.is_served else ())
    assert card.unserved.isVisibleTo(card) == (not chosen.is_served)
    assert card.test.isVisibleTo(card) == chosen.is_served
    assert card.configure.isVisibleTo(card) == (chosen.configuration is not None and chosen.is_served)
    for button in card.findChildren(QPushButton):
        assert button.text() or button.accessibleName()


async def test_search(page: ClientsPage, qtbot: QtBot) -> None:
    page.go_to_filter()
    qtbot.keyClicks(page.search, "in the terminal")
    qtbot.keyClick(page.search, Qt.Key.Key_Return)
    assert shown(page) == ["aider"]
    assert page.card.client is not None
    assert page.card.client.name == "aider"
    qtbot.keyClick(page.search, Qt.Key.Key_Escape)
    assert len(shown(page)) == len(CLIENTS)
    assert page.card.client.name == "aider", "the choice survives the search"
    qtbot.keyClicks(page.search, "emacs")
    qtbot.keyClick(page.search, Qt.Key.Key_Return)
    assert shown(page) == []
    assert page.card.isHidden()
    qtbot.keyClick(page.search, Qt.Key.Key_Escape)
    assert not page.card.isHidden()


async def test_the_arrow_keys_choose(page: ClientsPage, qtbot: QtBot) -> None:
    qtbot.keyClick(page.list, Qt.Key.Key_Down)
    assert page.card.client is CLIENTS[1]


async def test_the_key_is_hidden_and_copied_all_the_same(page: ClientsPage) -> None:
    page.open_details(client="python")
    assert MASK in code(page)
    assert KEY not in code(page)
    told(page).snippets[0].code.copy.click()
    assert f'"{KEY}"' in QGuiApplication.clipboard().text()
    page.card.show_key.click()
    assert KEY in code(page)
    assert MASK not in code(page)
    page.card.show_key.click()
    assert KEY not in code(page)


async def test_fields_are_hidden_and_copied_too(page: ClientsPage) -> None:
    page.open_details(client="cline")
    fields = told(page).fields
    assert [value.text() for value in fields.values][1:] == [page.scan.connection.openai_url, MASK, "sonnet"]
    copies = fields.findChildren(QPushButton)
    copies[2].click()
    assert QGuiApplication.clipboard().text() == KEY
    copies[1].click()
    assert QGuiApplication.clipboard().text() == page.scan.connection.openai_url


async def test_the_model_is_the_one_that_is_chosen(page: ClientsPage, context: Context, qtbot: QtBot) -> None:
    page.open_details(client="curl")
    assert '"sonnet"' in code(page)
    await context.server.start()
    await page.scan.scan_again()
    box = page.card.models
    offered = [box.itemText(row) for row in range(box.count())]
    assert offered[:3] == ["opus", "sonnet", "haiku"]
    assert "claude-opus-5-5" in offered
    box.setCurrentText("haiku")
    assert '"haiku"' in code(page)
    assert '"haiku"' in code(page, 1)
    box.lineEdit().selectAll()
    qtbot.keyClicks(box.lineEdit(), "claude-odd-9")
    assert '"claude-odd-9"' in code(page)
    assert box.currentText() == "claude-odd-9"
    page.open_details(client="node")
    assert '"claude-odd-9"' in code(page), "it is the same for all clients"


async def test_the_address_is_the_one_that_it_will_have(page: ClientsPage, context: Context) -> None:
    page.open_details(client="curl")
    assert page.card.start.isVisibleTo(page.card)
    assert not page.scan.address_known
    await context.change_settings({"port": 18123})
    assert "http://127.0.0.1:18123/v1" in code(page)
    assert page.scan.address_known
    await context.change_settings({"port": 0})
    page.card.start.click()
    await until(lambda: context.server.state == "running" and f"{context.server.url}/v1" in code(page))
    assert not page.card.start.isVisibleTo(page.card)


async def test_without_a_key_there_is_nothing_to_hide(page: ClientsPage, context: Context) -> None:
    page.open_details(client="python")
    await context.change_settings({"api_key_required": False})
    await page.scan.scan_again()
    assert '"not-needed"' in code(page)
    assert not page.card.show_key.isVisibleTo(page.card)


async def test_a_name_that_the_server_refuses_can_be_allowed(page: ClientsPage, context: Context) -> None:
    page.open_details(client="open-webui")
    on_linux, on_desktop, _ = told(page).snippets
    assert not on_linux.allow.isVisibleTo(on_linux)
    assert on_desktop.allow.isVisibleTo(on_desktop)
    on_desktop.allow.click()
    await until(lambda: context.settings.allowed_hosts == ("host.docker.internal",))
    await until(lambda: not on_desktop.allow.isVisibleTo(on_desktop))


async def test_signs_in_the_list(page: ClientsPage, continue_file: Path, places: object) -> None:
    (continue_file.parent.parent / ".aider.conf.yml").write_text("a: [1\n")
    await page.scan.scan_again()
    words = {
        client.id: page.filter.index(row, SIGN).data(Qt.ItemDataRole.AccessibleTextRole)
        for row, client in enumerate(CLIENTS)
    }
    assert words["aider"] == "Configuration file has an error"
    assert words["codex"] == "Not found on this computer"
    assert words["cline"] == "Not found on this computer"
    assert words["continue"] == words["python"] == ""


async def test_refresh_looks_again(page: ClientsPage, continue_file: Path) -> None:
    page.activate()
    continue_file.write_text("a: [1\n")
    page.refresh()
    await until(lambda: page.card.heading.state.text() == "Configuration file has an error")
    assert not page.card.configure.isEnabled()
    continue_file.write_text("name: Mine\n")
    page.refresh()
    await until(lambda: page.card.heading.state.text() == "")
    assert page.card.banner.isHidden()
    page.deactivate()


async def test_the_text_s_file_is_the_one_of_this_computer(page: ClientsPage, made_home: Path) -> None:
    page.open_details(client="zed")
    assert told(page).snippets[0].title.text() == format_path(made_home / ".config" / "zed" / "settings.json")


async def test_requests_do_not_make_it_look_again(page: ClientsPage, context: Context) -> None:
    await context.server.start()
    page.activate()
    await page.scan.scan_again()
    looks: list[None] = []
    page.scan.changed.connect(lambda: looks.append(None))
    context.server.changed.emit()
    await page.scan.scan_again()
    assert len(looks) == 1, "the one that was asked for"
    page.deactivate()


async def test_tab_goes_from_the_search_over_the_list_to_the_card(page: ClientsPage) -> None:
    card = page.card
    expected = [page.search, page.list, card.heading.documentation, card.configure, card.test, card.models]
    order, widget = [], page.search.nextInFocusChain()
    while widget is not page.search:
        order.append(widget)
        widget = widget.nextInFocusChain()
    places = [order.index(one) for one in expected[1:]]
    assert places == sorted(places)
    assert places[-1] < order.index(card.show_key) < order.index(told(page).snippets[0].code.copy)


async def test_tab_stops_only_where_it_can_be_seen(page: ClientsPage) -> None:
    assert page.card.focusPolicy() == Qt.FocusPolicy.NoFocus


async def test_in_the_narrowest_window_no_card_is_cut_off_and_the_names_are_whole(page: ClientsPage) -> None:
    page.resize(704, 520)
    widths = {}
    for client in CLIENTS:
        page.open_details(client=client.id)
        QApplication.processEvents()
        content = page.card.widget()
        widths[client.id] = content.width() - page.card.viewport().width()
    names = max(page.list.sizeHintForIndex(page.filter.index(row, 0)).width() for row in range(page.filter.rowCount()))
    assert set(widths.values()) == {0}
    assert page.list.columnWidth(0) >= names
