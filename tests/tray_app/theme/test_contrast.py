"""Every pair of colours in use reaches WCAG AA in both schemes."""

import pytest
from PySide6.QtGui import QColor

from tray_app.theme.tokens import tokens

SCHEMES = ("light", "dark")
TEXTS = ("text", "muted", "accent", "ok", "warning", "error")
GROUNDS = ("background", "surface", "hover", "selection")
FILLED = [
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    ("on_error", "error"),
    ("on_error", "error_hover"),
    ("background", "text"),  # a toast
]
# https://www.w3.org/TR/WCAG22/#non-text-contrast
EDGES = ("control", "accent", "error", "warning", "ok")


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = (QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF())
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_is_right() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_texts_are_readable(scheme: str, text: str, ground: str) -> None:
    colours = tokens().scheme(scheme == "dark")

    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("text", "ground"), FILLED)
def test_texts_on_filled_shapes_are_readable(scheme: str, text: str, ground: str) -> None:
    colours = tokens().scheme(scheme == "dark")

    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("ground", ["background", "surface", "hover"])
def test_the_edges_of_controls_and_the_focus_ring_are_seen(scheme: str, edge: str, ground: str) -> None:
    colours = tokens().scheme(scheme == "dark")

    assert contrast(colours[edge], colours[ground]) >= 3


@pytest.mark.parametrize(
    ("scheme", "name", "value"),
    [
        ("light", "background", "#FAFAF8"),
        ("light", "surface", "#FFFFFF"),
        ("light", "border", "#E4E3DE"),
        ("light", "text", "#1C1C1A"),
        ("light", "muted", "#62625C"),
        ("light", "accent", "#0F766E"),
        ("light", "ok", "#15803D"),
        ("light", "warning", "#B45309"),
        ("light", "error", "#B91C1C"),
        ("dark", "background", "#17181B"),
        ("dark", "surface", "#212226"),
        ("dark", "border", "#34363C"),
        ("dark", "text", "#ECEDEF"),
        ("dark", "muted", "#A0A4AB"),
        ("dark", "accent", "#2DD4BF"),
        ("dark", "on_accent", "#06201D"),
        ("dark", "ok", "#4ADE80"),
        ("dark", "warning", "#FBBF24"),
        ("dark", "error", "#F87171"),
    ],
)
def test_the_named_colours_are_those_of_the_design(scheme: str, name: str, value: str) -> None:
    assert tokens().scheme(scheme == "dark")[name] == value
