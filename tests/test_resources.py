"""Bundled files, and icons that are distinguishable at small sizes."""

import re
import tomllib
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

RESOURCES = Path(__file__).parent.parent / "resources"
ICONS = sorted((RESOURCES / "icons").glob("*.svg"))
STATES = ("stopped", "running", "busy", "error")
SIZES = (16, 22, 32, 64, 128)
PANELS = ("#FFFFFF", "#F2F2F2", "#202124", "#101010")


def drawn(name: str, side: int) -> QImage:
    renderer = QSvgRenderer(str(RESOURCES / "icons" / f"{name}.svg"))
    assert renderer.isValid()
    image = QImage(side, side, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    return image


def pixels(image: QImage) -> list[QColor]:
    return [image.pixelColor(x, y) for y in range(image.height()) for x in range(image.width())]


def luminance(colour: QColor) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: QColor, other: QColor) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def body_colour(image: QImage) -> QColor:
    """The colour that most of the opaque pixels have."""
    solid = [pixel.name() for pixel in pixels(image) if pixel.alpha() == 255]
    return QColor(max(set(solid), key=solid.count))


def shape(image: QImage) -> list[bool]:
    """Mask of the pixels in the body's colour, which also distinguishes the icons without colour vision."""
    body = luminance(body_colour(image))
    return [pixel.alpha() > 127 and abs(luminance(pixel) - body) < 0.2 for pixel in pixels(image)]


@pytest.mark.parametrize("path", ICONS, ids=lambda path: path.stem)
@pytest.mark.parametrize("side", SIZES)
def test_every_icon_can_be_drawn_at_every_size(path: Path, side: int) -> None:
    opaque = sum(pixel.alpha() > 127 for pixel in pixels(drawn(path.stem, side)))

    assert side * side * 0.04 < opaque < side * side


@pytest.mark.parametrize("variant", ["", "-template"])
@pytest.mark.parametrize("side", [16, 22])
@pytest.mark.parametrize(("one", "other"), list(combinations(STATES, 2)))
def test_the_states_differ_in_shape_where_they_are_small(one: str, other: str, side: int, variant: str) -> None:
    pair = zip(shape(drawn(f"tray-{one}{variant}", side)), shape(drawn(f"tray-{other}{variant}", side)), strict=True)

    assert sum(a != b for a, b in pair) > side * side * 0.04


@pytest.mark.parametrize(("one", "other"), list(combinations(STATES, 2)))
def test_the_states_differ_in_colour(one: str, other: str) -> None:
    assert body_colour(drawn(f"tray-{one}", 32)) != body_colour(drawn(f"tray-{other}", 32))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("panel", PANELS)
def test_a_state_is_seen_on_light_and_dark_panels(state: str, panel: str) -> None:
    assert contrast(body_colour(drawn(f"tray-{state}", 22)), QColor(panel)) >= 3


@pytest.mark.parametrize("state", STATES)
def test_a_template_image_is_black_and_transparent_only(state: str) -> None:
    seen = [pixel for pixel in pixels(drawn(f"tray-{state}-template", 36)) if pixel.alpha() > 0]

    assert {pixel.name() for pixel in seen} == {"#000000"}


@pytest.mark.parametrize("path", ICONS, ids=lambda path: path.stem)
def test_an_icon_is_square_and_uses_only_what_qt_can_draw(path: Path) -> None:
    root = ElementTree.parse(path).getroot()  # noqa: S314 - our own file
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}

    assert root.attrib["width"] == root.attrib["height"]
    assert tags <= {"svg", "g", "path", "circle"}


def test_both_schemes_have_the_same_colours() -> None:
    tables = tomllib.loads((RESOURCES / "tokens.toml").read_text(encoding="utf-8"))
    colours = [colour for scheme in ("light", "dark") for colour in tables[scheme].values()]

    assert tables["light"].keys() == tables["dark"].keys()
    assert all(re.fullmatch(r"#[0-9A-F]{6}", colour) for colour in colours)


def test_the_style_sheet_has_no_colour_of_its_own() -> None:
    sheet = (RESOURCES / "style.qss").read_text(encoding="utf-8")

    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", sheet) == []
