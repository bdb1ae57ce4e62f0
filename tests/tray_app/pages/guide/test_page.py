"""The guide of the first start: the finding of each step, and the actions for it."""

import asyncio

import pytest
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton

from server.core.events import CliChanged
from server.secrets import KeyStore
from server.secrets.storage import FileStorage, MemoryStorage
from tests.ports import taken_port
from tests.systems import posix_only
from tests.tray_app.window.scripted_claude import ASKED, CODE, LOGIN, Browser, write_claude
from tests.waiting import until
from tray_app.pages.guide import GuidePage

pytestmark = posix_only("a script as the program")


@pytest.fixture
def claude(tmp_path):
    """A claude that is signed out until its login receives the code."""
    return write_claude(tmp_path, LOGIN, ASKED)


@pytest.fixture
async def page(context, claude, tmp_path):
    context.key_store = KeyStore(FileStorage(tmp_path / "keys"))
    await context.change_settings({"claude_path": str(claude)})
    page = GuidePage(context)
    page.resize(900, 720)
    page.show()
    yield page
    page.deactivate()
    await page.finish_pending()
    page.deleteLater()


def statuses(page):
    return [step.finding.status for step in page.steps]


async def checks_done(page):
    await until(lambda: "checking" not in statuses(page) and not page.watch.is_checking)


def labels(step):
    return [button.text() for button in step.action_row.buttons]


def press(widget, label):
    [found] = [one for one in widget.findChildren(QPushButton) if one.text() == label and one.isVisible()]
    found.click()


async def test_a_first_start_from_beginning_to_end(page, context, qtbot):
    page.activate()
    await checks_done(page)
    assert statuses(page) == ["ok", "needs_you", "warning", "ok"]
    assert page.program.finding.text == "Version 9.9.9"
    assert await context.api_key() is not None
    press(page.account, "Sign in")
    await until(lambda: page.sign_in._sign_in and page.sign_in._sign_in.url)
    page.findChild(QLineEdit).setText(CODE)
    press(page.account, "Continue")
    await until(lambda: page.account.finding.status == "ok")
    assert "me@example.com" in page.account.finding.text
    assert "max" in page.account.finding.text
    press(page.port, "Start the server")
    await until(lambda: page.port.finding.status == "ok")
    assert context.server.url in page.port.finding.text
    assert not context.preferences.guide_done
    with qtbot.waitSignal(context.page_requested) as asked:
        press(page, "&Connect a client")
    assert asked.args == ["clients", {}]
    assert context.preferences.guide_done


async def test_it_can_be_skipped(page, context, qtbot):
    page.activate()
    await checks_done(page)
    with qtbot.waitSignal(context.page_requested) as asked:
        press(page, "S&kip the guide")
    assert asked.args == ["overview", {}]
    assert context.preferences.guide_done


async def test_a_claude_that_is_missing_is_got_or_chosen(page, context, claude, tmp_path):
    browser = Browser()
    await context.change_settings({"claude_path": str(tmp_path / "nowhere")})
    page.activate()
    await checks_done(page)
    assert statuses(page)[:2] == ["needs_you", "waiting"]
    assert str(tmp_path / "nowhere") in page.program.finding.text
    assert labels(page.program) == ["Get Claude Code", "Choose the program..."]
    assert page.program._hint.isVisible()
    assert "claude_path" in page.program._hint.text()
    press(page.program, "Get Claude Code")
    browser.close()
    assert browser.opened == ["https://claude.com/claude-code"]
    press(page.program, "Choose the program...")
    dialog = page.window().findChild(QFileDialog)
    dialog.fileSelected.emit(str(claude))
    await until(lambda: page.program.finding.status == "ok")
    dialog.reject()
    assert labels(page.program) == []


async def test_a_step_can_be_repeated(page, context, claude):
    page.activate()
    await checks_done(page)
    (claude.parent / "signed_in").touch()
    page.account._again.click()
    await until(lambda: page.account.finding.status == "ok")
    assert labels(page.account) == []


async def test_a_port_in_use_is_replaced_by_the_next_free_one(page, context):
    with taken_port() as port:
        await context.change_settings({"port": port})
        page.activate()
        await until(lambda: page.port.finding.status == "needs_you" and labels(page.port))
        assert f"Port {port} is in use by" in page.port.finding.text
        use, choose = labels(page.port)
        assert choose == "Choose a port..."
        press(page.port, use)
        await until(lambda: page.port.finding.status == "ok")
    assert context.server.url == f"http://127.0.0.1:{use.removeprefix('Use ')}"


async def test_another_reason_for_a_failed_start_is_shown(page, context):
    await context.change_settings({"host": "192.0.2.1"})
    page.activate()
    await until(lambda: page.port.finding.status == "needs_you")
    assert "192.0.2.1" in page.port.finding.text


async def test_a_key_that_will_be_lost_is_warned_of(page, context, qtbot):
    context.key_store = KeyStore(MemoryStorage("the keyring is locked"))
    page.activate()
    await until(lambda: page.api_key.finding.status == "warning")
    assert page.api_key.finding.text.endswith("at the next start: the keyring is locked.")
    with qtbot.waitSignal(context.page_requested) as asked:
        press(page.api_key, "Choose where to keep it...")
    assert asked.args == ["settings", {"setting": "key_storage"}]


async def test_a_place_for_keys_that_fails_is_said(page, context, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "secrets.json").write_text("{")
    context.key_store = KeyStore(FileStorage(tmp_path / "broken"))
    page.activate()
    await until(lambda: page.api_key.finding.status == "needs_you")
    assert str(tmp_path / "broken") in page.api_key.finding.text


async def test_no_key_is_required_until_it_is(page, context):
    await context.change_settings({"api_key_required": False})
    page.activate()
    await until(lambda: page.api_key.finding.status == "warning")
    press(page.api_key, "Require a key")
    await until(lambda: page.api_key.finding.status == "ok")
    assert context.settings.api_key_required


async def test_when_all_is_well_the_guide_is_done(page, context, claude):
    (claude.parent / "signed_in").touch()
    await context.server.start()
    page.activate()
    await until(lambda: statuses(page) == ["ok"] * 4)
    press(page, "&Done")
    assert context.preferences.guide_done


async def test_it_follows_the_server_only_while_it_is_seen(page, context):
    page.activate()
    await checks_done(page)
    page.deactivate()
    await context.server.start()
    assert page.port.finding.status == "warning"
    page.activate()
    await until(lambda: page.port.finding.status == "ok")
    await context.server.stop()
    await until(lambda: page.port.finding.status == "warning")


async def test_a_server_that_is_starting_is_not_offered_to_be_started(page, context):
    page.activate()
    await checks_done(page)
    assert labels(page.port) == ["Start the server"]
    starting = asyncio.ensure_future(context.server.start())
    await asyncio.sleep(0)
    assert context.server.state == "starting"
    await page._run_port_check()
    assert page.port.finding.text == "The server is starting."
    assert labels(page.port) == []
    await starting
    await until(lambda: page.port.finding.status == "ok")


async def test_a_claude_that_the_server_has_lost_is_got_again(page, context, claude):
    page.activate()
    await checks_done(page)
    context.bus.publish(CliChanged(None, None, None, {}, "There is no Claude Code.", "Install it."))
    await until(lambda: page.program.finding.status == "needs_you")
    assert labels(page.program) == ["Get Claude Code", "Choose the program..."]
