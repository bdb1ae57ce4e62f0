"""The plan card: bars and labels of the rate-limit windows."""

import pytest
from PySide6.QtWidgets import QLabel

from server.core.events import CliChanged, PlanWindowsChanged
from tray_app.pages.overview.plan_card import PlanCard, window_name
from tray_app.pages.overview.usage_bar import UsageBar

NOW = 1_800_000_000.0


@pytest.fixture
def card(context, qtbot):
    context.clock = lambda: NOW
    card = PlanCard(context)
    qtbot.addWidget(card)
    card.show()
    return card


def words(card):
    return " | ".join(label.text() for label in card.findChildren(QLabel) if label.isVisible() and label.text())


def bars(card):
    return [bar for bar in card.findChildren(UsageBar) if bar.isVisible()]


def tell(context, **windows):
    context.bus.publish(PlanWindowsChanged(windows))
    context.bridge.flush()


async def test_each_window_has_a_bar_with_its_reset(card, context):
    tell(
        context,
        five_hour={"utilization": 0.634, "resetsAt": NOW + 12_000, "status": "allowed"},
        seven_day={"utilization": 1.0, "resetsAt": NOW + 86_400 * 3, "status": "rejected"},
    )
    assert [bar.fraction for bar in bars(card)] == [0.634, 1.0]
    assert "5 hours | 63% used" in words(card)
    assert "Resets in 3 h 20 min" in words(card)
    assert "7 days | 100% used" in words(card)
    assert "Used up; resets in 3 days" in words(card)


async def test_a_bar_stays_the_same_while_its_figures_change(card, context):
    tell(context, five_hour={"utilization": 0.1, "resetsAt": NOW + 60})
    [before] = bars(card)
    tell(context, five_hour={"utilization": 0.2, "resetsAt": NOW + 60}, overage={"utilization": 0.0})
    assert bars(card)[0] is before
    assert before.fraction == 0.2
    tell(context, overage={"utilization": 0.0})
    assert [bar.fraction for bar in bars(card)] == [0.0]


async def test_a_window_that_is_over_is_not_called_used(card, context):
    tell(context, five_hour={"utilization": 0.9, "resetsAt": NOW - 1, "status": "rejected"})
    assert bars(card)[0].fraction == 0.0
    assert "Reset." in words(card)
    assert "Used up" not in words(card)


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ({"subscriptionType": "max"}, "after the first answer"),
        ({"apiKeySource": "ANTHROPIC_API_KEY"}, "Pay-as-you-go"),
        ({"apiProvider": "bedrock"}, "Pay-as-you-go"),
        ({"tokenSource": "CLAUDE_CODE_OAUTH_TOKEN", "apiKeySource": "none"}, "after the first answer"),
    ],
)
async def test_why_there_is_none(card, context, account, said):
    assert "after the first answer" in words(card)
    context.bus.publish(CliChanged("/usr/bin/claude", "2.1.330", True, account))
    context.bridge.flush()
    assert said in words(card)
    assert bars(card) == []


async def test_unknown_windows_are_shown_as_they_are_called(card, context):
    assert window_name("seven_day_opus") == "7 days, Opus"
    assert window_name("one_month") == "One month"
    tell(context, one_month={"utilization": None})
    assert bars(card)[0].fraction is None


async def test_time_goes_on_only_while_it_is_seen(card, context):
    tell(context, five_hour={"utilization": 0.5, "resetsAt": NOW + 7200})
    card.set_active(True)
    assert card._minute.isActive()
    context.clock = lambda: NOW + 3600
    card._minute.timeout.emit()
    assert "in 1 h" in words(card)
    card.set_active(False)
    assert not card._minute.isActive()
