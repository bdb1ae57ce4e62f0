"""The Claude Code card: its facts, choosing the program, and signing in."""

from pathlib import Path

import psutil
import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton

from server.core.events import CliChanged, CliChecked, CliShortcoming
from tests.systems import posix_only
from tests.tray_app.window.scripted_claude import ASKED, CODE, LOGIN, NO_LOGIN, PAGE, Browser, write_claude
from tests.waiting import until
from tray_app.pages.overview.claude_card import ClaudeCard, _account_text, _plan_text
from tray_app.pages.overview.claude_watch import ClaudeReport
from tray_app.pages.overview.facts import Facts
from tray_app.pages.overview.problem_panel import ProblemPanel
from tray_app.widgets import CopyButton

pytestmark = posix_only("a script as the program")


@pytest.fixture
async def card(context):
    card = ClaudeCard(context)
    card.resize(420, 500)
    card.show()
    yield card
    await card.sign_in.cancel_and_wait()
    card.deleteLater()


@pytest.fixture
def browser():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def claude(tmp_path):
    """A claude that is signed out until its login receives the code."""
    return write_claude(tmp_path, LOGIN, ASKED)


def facts(card):
    found = card.findChild(Facts)
    return {key: found.values[key].text() for key in ("account", "plan", "version", "path")}


def find(card, label):
    return next((one for one in card.findChildren(QPushButton) if one.text() == label and one.isVisible()), None)


def press(card, label):
    found = find(card, label)
    assert found is not None, f"there is no button {label!r}"
    found.click()


async def look(card, context, path: Path):
    await context.change_settings({"claude_path": str(path)})
    await card.watch.check_again()


async def test_the_real_cli_and_its_account(card, context, cli_path, claude_environment, monkeypatch):
    for name, value in claude_environment.items():
        monkeypatch.setenv(name, value)
    await look(card, context, cli_path)
    shown = facts(card)
    assert shown["version"].count(".") == 2
    assert shown["path"] == str(cli_path)
    assert shown["account"] == "Signed in with an API key (ANTHROPIC_API_KEY)"
    assert shown["plan"] in ("", "–")
    assert find(card, "Sign in") is None


async def test_signing_in_from_here(card, context, claude, browser):
    await look(card, context, claude)
    assert facts(card)["account"] == "Not signed in"
    press(card, "Sign in")
    await until(lambda: find(card, "Open"))
    assert find(card, "Sign in") is None
    press(card, "Open")
    assert browser.opened == [PAGE]
    next(one for one in card.findChildren(CopyButton) if one.isVisible()).click()
    assert QGuiApplication.clipboard().text() == browser.opened[0]
    field = card.findChild(QLineEdit)
    field.setText("half")
    field.returnPressed.emit()
    assert field.text() == ""
    await until(lambda: "full code" in card.sign_in._complaint.text())
    field.setText(CODE)
    press(card, "Continue")
    await until(lambda: facts(card)["account"] == "me@example.com")
    assert facts(card)["plan"] == "Max"
    assert card.sign_in.isHidden()
    assert find(card, "Sign in") is None


async def test_signing_in_can_be_given_up(card, context, claude):
    await look(card, context, claude)
    press(card, "Sign in")
    await until(lambda: find(card, "Open"))
    press(card, "Cancel")
    await until(lambda: find(card, "Sign in"))
    assert card.sign_in.isHidden()
    assert psutil.Process().children() == []


async def test_a_sign_in_that_fails_says_why_and_can_be_tried_again(card, context, tmp_path):
    await look(card, context, write_claude(tmp_path, NO_LOGIN, ASKED))
    press(card, "Sign in")
    await until(lambda: find(card, "Try again"))
    assert "no way to the server" in " ".join(one.text for one in card.findChildren(ProblemPanel))
    press(card, "Close")
    assert find(card, "Sign in") is not None


async def test_a_program_that_is_not_there_is_chosen(card, context, claude, browser, tmp_path, qtbot):
    await look(card, context, tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in " ".join(one.text for one in card.findChildren(ProblemPanel))
    press(card, "Get Claude Code")
    assert browser.opened == ["https://claude.com/claude-code"]
    press(card, "Choose the program...")
    dialog = card.window().findChild(QFileDialog)
    dialog.fileSelected.emit(str(claude))
    await until(lambda: facts(card)["version"] == "9.9.9")
    assert context.settings.claude_path == claude
    assert find(card, "Get Claude Code") is None
    dialog.reject()


async def test_none_is_chosen_where_the_command_line_says_which(card, context, tmp_path):
    context.settings_service.overrides = {**context.settings_service.overrides, "claude_path": tmp_path / "nowhere"}
    context.bus.publish(CliChanged(None, None, None, {}, "It is gone."))
    await until(lambda: find(card, "Get Claude Code"))
    assert find(card, "Choose the program...") is None


async def test_a_program_that_is_not_claude_shows_an_error(card, context, tmp_path):
    await look(card, context, write_claude(tmp_path, "sys.exit('I am a cow')"))
    assert "I am a cow" in " ".join(one.text for one in card.findChildren(ProblemPanel))


async def test_it_follows_the_server(card, context, claude):
    account = {"email": "you@example.com", "organization": "Example", "subscriptionType": "pro"}
    await context.change_settings({"claude_path": str(claude)})
    context.bus.publish(CliChanged(str(claude), "2.1.330", True, account))
    await until(lambda: facts(card)["version"] == "2.1.330")
    assert facts(card) == {
        "account": "you@example.com, Example",
        "plan": "Pro",
        "version": "2.1.330",
        "path": str(claude),
    }
    context.bus.publish(CliChanged(None, None, None, {}, "It is gone.", "Install it."))
    await until(lambda: card.findChild(ProblemPanel).text == "It is gone.")
    assert find(card, "Get Claude Code") is not None
    assert facts(card)["account"] == "–"


async def test_concurrent_checks_share_one_query(card, context, claude):
    await context.change_settings({"claude_path": str(claude)})
    answers = []
    card.watch.changed.connect(lambda: answers.append(card.watch.report) if not card.watch.is_checking else None)
    card.check_again()
    card.check_again()
    await card.watch.check_again()
    assert len(answers) == 1
    assert facts(card)["version"] == "9.9.9"


async def test_another_program_in_the_settings_is_asked_at_once_where_it_is_seen(card, context, claude, tmp_path):
    (tmp_path / "other").mkdir()
    other = write_claude(tmp_path / "other", LOGIN, ASKED.replace("9.9.9", "8.8.8"))
    await context.change_settings({"claude_path": str(claude)})
    card.set_active(True)
    await until(lambda: facts(card)["version"] == "9.9.9")
    await context.change_settings({"claude_path": str(other)})
    await until(lambda: facts(card)["version"] == "8.8.8")
    card.set_active(False)
    await context.change_settings({"claude_path": str(claude)})
    assert card.watch.report is None
    assert not card.watch.is_checking


@pytest.mark.parametrize(
    ("account", "shown"),
    [
        ({"tokenSource": "CLAUDE_CODE_OAUTH_TOKEN"}, ("Signed in with CLAUDE_CODE_OAUTH_TOKEN", "")),
        ({"tokenSource": "none", "apiKeySource": "none"}, ("Signed in", "")),
        ({"apiKeySource": "ANTHROPIC_API_KEY"}, ("Signed in with an API key (ANTHROPIC_API_KEY)", "")),
        ({"apiProvider": "bedrock"}, ("Signed in through bedrock", "")),
        ({"subscriptionType": "claude_pro"}, ("Signed in", "Claude pro")),
        ({"email": "a@b.example", "subscriptionType": "claude_max"}, ("a@b.example", "Claude max")),
    ],
)
def test_the_account_and_the_plan_in_words(account: dict[str, str], shown: tuple[str, str]) -> None:
    report = ClaudeReport(signed_in=True, account=account)
    assert (_account_text(report), _plan_text(report)) == shown


READY = CliChanged("/usr/bin/claude", "2.1.330", True, {})
LOST = CliShortcoming("Tools do not work.", "Use another version.", "it differs")


def speed(card):
    return card.findChild(Facts).values["speed"]


def panel_texts(card):
    return [one.text for one in card.findChildren(ProblemPanel) if one.isVisible()]


async def test_the_fast_paths_that_are_off_are_counted_and_explained(card, context):
    context.bus.publish(READY)
    await until(lambda: facts(card)["version"])
    assert speed(card).text() == "–"
    for off, text in [
        ({}, "All fast paths"),
        ({"fast streaming": "it differs"}, "One fast path off"),
        ({"fast streaming": "it differs", "reuse": "it fails"}, "2 fast paths off"),
    ]:
        context.bus.publish(CliChecked(fast_paths=2, off=off))
        await until(lambda text=text: speed(card).text() == text)
        for name, reason in off.items():
            assert f"{name.capitalize()}: {reason}" in speed(card).toolTip()
            assert reason in speed(card).accessibleDescription()
    context.bus.publish(CliChecked())
    await until(lambda: speed(card).text() == "–")
    assert not speed(card).accessibleDescription()


async def test_what_a_version_does_not_do_is_a_problem_until_another_one_is_there(card, context):
    context.bus.publish(READY)
    context.bus.publish(CliChecked(fast_paths=1, shortcomings=(LOST,)))
    await until(lambda: panel_texts(card) == ["Tools do not work."])
    context.bus.publish(CliChanged(None, None, None, {}, "It is gone."))
    await until(lambda: panel_texts(card) == ["It is gone."])
    context.bus.publish(READY)
    await until(lambda: panel_texts(card) == ["Tools do not work."])
    context.bus.publish(CliChecked(fast_paths=1))
    await until(lambda: not panel_texts(card))
