"""Light, dark and system themes: palette, style sheet, fonts and icons."""

import re

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontInfo, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from tray_app import theme as theme_package
from tray_app.assets import asset_path
from tray_app.theme import Theme, apply_style, fixed_font
from tray_app.theme.style_sheet import make_style_sheet


def colours_of(icon: QIcon, mode: QIcon.Mode = QIcon.Mode.Normal, scale: float = 1.0) -> set[str]:
    image = icon.pixmap(QSize(18, 18), scale, mode).toImage()
    found = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    return {colour.name() for colour in found if colour.alpha() == 255}


def test_a_choice_is_in_force_at_once(theme: Theme, qtbot: QtBot) -> None:
    with qtbot.waitSignal(theme.changed):
        theme.set_choice("dark")

    assert theme.dark
    assert QApplication.palette().color(QPalette.ColorRole.Window) == QColor("#17181B")
    assert theme.colour("text") == QColor("#ECEDEF")
    assert "#17181B" not in make_style_sheet(dark=False)
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    assert application.styleSheet() == make_style_sheet(dark=True)


def test_the_same_choice_again_changes_nothing(theme: Theme, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(theme.changed):
        theme.set_choice("light")


def test_the_window_follows_the_system_while_it_is_told_to(theme: Theme) -> None:
    hints = QGuiApplication.styleHints()
    theme.set_choice("system")
    # The system's part, which a platform without a screen leaves out.
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    followed = theme.dark
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Light)

    assert followed
    assert not theme.dark


def test_a_choice_stands_against_the_system(theme: Theme) -> None:
    theme.set_choice("light")
    QGuiApplication.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)

    assert not theme.dark


def test_the_theme_in_force_is_the_last_one_made(theme: Theme) -> None:
    assert theme_package.current() is theme


def test_an_unknown_colour_is_an_error(theme: Theme) -> None:
    with pytest.raises(KeyError):
        theme.colour("mauve")


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_in_the_style_sheet_is_left_to_fill(theme: Theme, dark: bool) -> None:
    sheet = make_style_sheet(dark)

    assert "$" not in sheet
    for picture in re.findall(r'url\("(.*?)"\)', sheet):
        assert not QIcon(picture).pixmap(12, 12).isNull()


def test_text_is_13_pixels_with_figures_of_one_width(theme: Theme) -> None:
    font = QApplication.font()

    assert font.pixelSize() == 13
    assert font.featureValue(QFont.Tag("tnum")) == 1
    assert QFontInfo(fixed_font()).fixedPitch()


def test_an_icon_has_the_colour_of_its_token_and_follows_the_theme(theme: Theme) -> None:
    icon = theme.icon("mdi6.square", "accent")
    light = colours_of(icon)
    theme.set_choice("dark")

    assert light == {"#0f766e"}
    assert colours_of(icon) == {"#2dd4bf"}
    assert colours_of(icon, QIcon.Mode.Disabled) == {"#686c74"}


@pytest.mark.parametrize(("scale", "side"), [(1.0, 18), (1.25, 23), (2.0, 36)])
def test_an_icon_is_drawn_in_the_pixels_of_the_screen(theme: Theme, scale: float, side: int) -> None:
    picture = theme.icon("mdi6.server").pixmap(QSize(18, 18), scale)

    assert picture.width() == pytest.approx(side, abs=1)
    assert picture.devicePixelRatio() == scale


def test_an_icon_that_does_not_exist_is_an_error(theme: Theme) -> None:
    with pytest.raises(Exception, match="no-such-icon"):
        theme.icon("mdi6.no-such-icon")


@pytest.mark.parametrize("name", ["app", "tray-stopped", "tray-running", "tray-busy", "tray-error"])
@pytest.mark.parametrize("side", [16, 22, 32, 64, 128])
def test_our_own_icons_are_drawn_at_every_size(theme: Theme, name: str, side: int) -> None:
    picture = QIcon(str(asset_path(f"icons/{name}.svg"))).pixmap(QSize(side, side), 2.0)

    assert picture.size() == QSize(side * 2, side * 2)
    assert picture.toImage().pixelColor(side, side // 5).alpha() == 255


def test_another_role_is_another_look_at_once(theme: Theme, qtbot: QtBot) -> None:
    label = QLabel("A word")
    qtbot.addWidget(label)
    label.ensurePolished()
    plain = label.palette().color(QPalette.ColorRole.WindowText)
    apply_style(label, role="error")

    assert plain == theme.colour("text")
    assert label.palette().color(QPalette.ColorRole.WindowText) == theme.colour("error")
