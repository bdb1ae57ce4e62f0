"""Icons of one font in the theme's colours, without qtawesome's code."""

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon

from tray_app.theme import Theme
from tray_app.theme.icon import glyph_icon

ROOT = Path(__file__).parents[3]
MODES = {QIcon.Mode.Normal: "accent", QIcon.Mode.Disabled: "disabled"}


@pytest.mark.parametrize("side", [12, 16, 24, 48])
@pytest.mark.parametrize("mode", MODES)
def test_a_glyph_is_drawn_in_its_colour_and_in_the_middle(theme: Theme, mode: QIcon.Mode, side: int) -> None:
    image = theme.icon("mdi6.circle", "accent").pixmap(QSize(side, side), 1.0, mode).toImage()
    rows = [QColor(image.pixelColor(side // 2, y)) for y in range(side)]

    assert rows[side // 2].name() == theme.colour(MODES[mode]).name()
    painted = [y for y, colour in enumerate(rows) if colour.alpha() > 127]
    assert 0.6 * side <= len(painted) <= 0.9 * side
    assert abs(painted[0] - (side - 1 - painted[-1])) <= 1


def test_different_names_are_different_pictures(theme: Theme) -> None:
    images = [theme.icon(name).pixmap(32, 32).toImage() for name in ("mdi6.play", "mdi6.stop", "mdi6.cog-outline")]
    assert all(one != other for one in images for other in images if one is not other)


@pytest.mark.parametrize("name", ["mdi6.there-is-no-such-icon", "fa5.star", "play", "mdi6.", 'mdi6.x": "0x41'])
def test_a_name_that_there_is_not_is_told_at_once(theme: Theme, name: str) -> None:
    with pytest.raises(KeyError):
        glyph_icon(name, "text", theme.colour)


def test_icons_load_nothing_that_they_do_not_need() -> None:
    program = (
        "import sys; from PySide6.QtWidgets import QApplication; from tray_app.theme import Theme;"
        "app = QApplication([]); theme = Theme('light'); theme.icon('mdi6.server').pixmap(16, 16);"
        "print([name for name in sys.modules if 'OpenGL' in name or name in ('qtawesome', 'qtpy')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
