"""A key of its own for one client, made on its card."""

from pathlib import Path

import pytest

from server.secrets.client_keys import digest_of
from tests.tray_app.banners import actions_of
from tests.tray_app.conftest import KEY
from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.clients import ClientsPage
from tray_app.pages.clients.client_scan import ClientScan


@pytest.fixture
async def running(context: Context, page: ClientsPage) -> Context:
    """A running server, whose address can be written."""
    await context.server.start()
    await page.scan.scan_again()
    return context


async def make_key(page: ClientsPage, context: Context, name: str = "Continue") -> str:
    """Click the button; returns the key that the card then uses."""
    page.card.own_key.click()
    await until(lambda: f"“{name}”" in page.card.banner.accessibleName())
    (entry,) = [key for key in await context.key_store.clients.list_keys() if key.name == name]
    assert page.card.client is not None
    key = page.scan.connection_of(page.card.client).key
    assert key is not None
    assert entry.digest == digest_of(key)
    return key


async def write_file(page: ClientsPage) -> None:
    page.card.configure.click()
    await until(lambda: page.card.change_panel.change is not None)
    page.card.change_panel.write.click()
    await until(lambda: page.card.change_panel.isHidden() and page.card.heading.state.text() == "Configured")


async def test_the_client_is_configured_with_it_and_others_are_not(
    page: ClientsPage, continue_file: Path, running: Context
) -> None:
    page.open_details(client="continue")
    key = await make_key(page, running)
    assert not page.card.own_key.isVisibleTo(page.card)
    await write_file(page)
    assert key in continue_file.read_text()
    assert KEY not in continue_file.read_text()
    page.open_details(client="zed")
    assert page.card.client is not None
    assert page.scan.connection_of(page.card.client).key == KEY
    assert page.card.own_key.isVisibleTo(page.card)


async def test_a_file_with_a_client_key_is_right_and_keeps_it(
    page: ClientsPage, continue_file: Path, running: Context
) -> None:
    page.open_details(client="continue")
    key = await make_key(page, running)
    await write_file(page)
    # As after a restart, when nothing knows the key but the file.
    page.scan._own_keys.clear()
    await page.scan.scan_again()
    assert page.card.heading.state.text() == "Configured"
    page.scan.choose_model("haiku")
    await write_file(page)
    assert key in continue_file.read_text()
    assert "haiku" in continue_file.read_text()


async def test_a_revoked_key_is_out_of_date(page: ClientsPage, continue_file: Path, running: Context) -> None:
    page.open_details(client="continue")
    await make_key(page, running)
    await write_file(page)
    (entry,) = await running.key_store.clients.list_keys()
    await running.key_store.clients.revoke_key(entry.id)
    await page.scan.scan_again()
    assert page.card.heading.state.text() == "Out of date"
    assert page.card.own_key.isVisibleTo(page.card)
    await write_file(page)
    assert KEY in continue_file.read_text()


async def test_names_are_numbered(page: ClientsPage, running: Context) -> None:
    page.open_details(client="continue")
    await running.key_store.clients.add_key("continue")
    await make_key(page, running, "Continue 2")


async def test_the_test_of_the_connection_uses_it(page: ClientsPage, running: Context) -> None:
    page.open_details(client="continue")
    await make_key(page, running)
    (entry,) = await running.key_store.clients.list_keys()
    await running.key_store.clients.change_key(entry.id, models=("a-model-that-is-not-there",))
    page.card.test.click()
    await until(lambda: not page.card.connection_test.running)
    assert "may not use the model" in page.card.connection_test.result.text()


async def test_its_rules_are_one_click_away(page: ClientsPage, running: Context) -> None:
    shown: list[tuple[str, object]] = []
    running.page_requested.connect(lambda name, details: shown.append((name, details)))
    page.open_details(client="continue")
    await make_key(page, running)
    actions_of(page.card.banner)[0].click()
    assert shown == [("settings", {"setting": "client_keys"})]


async def test_a_scan_of_another_page_knows_no_key(page: ClientsPage, context: Context, running: Context) -> None:
    page.open_details(client="continue")
    await make_key(page, running)
    scan = ClientScan(context)
    assert page.card.client is not None
    assert not scan.has_own_key(page.card.client)
