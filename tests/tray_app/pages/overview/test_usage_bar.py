"""A bar that shows a share and says it in words."""

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from tray_app.pages.overview.usage_bar import UsageBar
from tray_app.theme import Theme


def picture(bar: UsageBar) -> QImage:
    return bar.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


@pytest.mark.parametrize(
    ("fraction", "token"),
    [(0.3, "accent"), (0.79, "accent"), (0.8, "warning"), (0.95, "error"), (1.4, "error")],
)
def test_a_bar_fills_and_warns(theme: Theme, qtbot: QtBot, fraction: float, token: str) -> None:
    bar = UsageBar()
    qtbot.addWidget(bar)
    bar.set_value(fraction, "used")
    bar.resize(200, bar.sizeHint().height())
    line = picture(bar)
    filled = sum(line.pixelColor(x, 3) == theme.colour(token) for x in range(200))

    assert filled == pytest.approx(200 * min(1.0, fraction), abs=5)
    assert bar.accessibleName() == "used"


def test_a_bar_of_something_unknown_is_empty(theme: Theme, qtbot: QtBot) -> None:
    bar = UsageBar()
    qtbot.addWidget(bar)
    bar.set_value(None, "Not known yet")
    bar.resize(200, bar.sizeHint().height())

    assert bar.accessibleName() == "Not known yet"
    line = picture(bar)
    assert not any(line.pixelColor(x, 3) == theme.colour("accent") for x in range(200))
