"""The usage plot: its pixels in light and dark at every scale, and the selected bucket."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QRegion
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from server.core.records import StatisticsBucket
from tray_app.models.statistics import RANGES, fill_buckets
from tray_app.pages.overview.bar_chart import Axes
from tray_app.pages.overview.usage_plot import HEIGHT, TOKEN_SHADES, UsagePlot, blend_accent
from tray_app.theme import Theme

NOW = 1_800_000_030.0
HOUR = RANGES["hour"]
WIDTH = 660
SCALES = (1.0, 1.25, 2.0)


def bucket(index: int, requests: int, errors: int = 0, tokens: int = 0) -> StatisticsBucket:
    """Bar number `index` of the hour. A quarter of the tokens is new input, a tenth is output."""
    start = HOUR.start_time(NOW) + index * HOUR.bucket_seconds
    return StatisticsBucket(start, requests, errors, tokens, tokens // 10, tokens * 3 // 4, 0.0)


@pytest.fixture
def plot(theme: Theme, qtbot: QtBot) -> Iterator[UsagePlot]:
    made = UsagePlot(theme)
    made.resize(WIDTH, HEIGHT)
    made.show()
    yield made
    theme.set_choice("light")
    made.deleteLater()


def show(plot: UsagePlot, *buckets: StatisticsBucket) -> None:
    plot.show_buckets(HOUR, fill_buckets(buckets, HOUR, NOW), NOW)


def picture(plot: UsagePlot, scale: float = 1.0) -> QImage:
    """Draw the plot at a scale factor."""
    image = QImage(plot.size() * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(plot._theme.colour("surface"))
    plot.render(image, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    return image


def move_pointer(plot: UsagePlot, x: float) -> None:
    """Move the pointer to `x` without a button pressed."""
    point, none = QPointF(x, 50), Qt.MouseButton.NoButton
    there = plot.mapToGlobal(point)
    QApplication.sendEvent(
        plot, QMouseEvent(QEvent.Type.MouseMove, point, there, none, none, Qt.KeyboardModifier.NoModifier)
    )


def column(image: QImage, axes: Axes, index: int) -> list[str]:
    """The colours in the middle of a bar, from bottom to top."""
    scale = image.devicePixelRatio()
    x = int(axes.x_of(axes.begin + (index + 0.5) * HOUR.bucket_seconds) * scale)
    bottom, top = int(axes.area.bottom() * scale), int(axes.area.top() * scale)
    return [image.pixelColor(x, y).name() for y in range(bottom - 1, top, -1)]


def runs(colours: list[str]) -> list[str]:
    """The sequence of colours without repetitions."""
    return [colour for index, colour in enumerate(colours) if index == 0 or colour != colours[index - 1]]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("choice", ["light", "dark"])
def test_layers_are_stacked_in_the_themes_colours(plot: UsagePlot, theme: Theme, choice: str, scale: float) -> None:
    theme.set_choice("dark" if choice == "dark" else "light")
    show(plot, bucket(20, 8, 2, tokens=4000))
    image = picture(plot, scale)

    drawn = runs(column(image, plot.requests_axes(), 20))
    assert drawn[:2] == [theme.colour("accent").name(), theme.colour("error").name()]
    assert runs(column(image, plot.tokens_axes(), 20))[:3] == [
        blend_accent(theme, part).name() for part in TOKEN_SHADES.values()
    ]
    free = set(column(image, plot.requests_axes(), 21))
    assert free <= {theme.colour("surface").name(), theme.colour("border").name()}


@pytest.mark.parametrize("scale", SCALES)
def test_a_bar_is_as_high_as_its_share(plot: UsagePlot, theme: Theme, scale: float) -> None:
    show(plot, bucket(10, 30), bucket(20, 15))
    image, axes = picture(plot, scale), plot.requests_axes()
    heights = [column(image, axes, index).count(theme.colour("accent").name()) for index in (10, 20)]

    whole = axes.area.height() * scale
    assert heights[0] == pytest.approx(whole, abs=1.5)
    assert heights[1] == pytest.approx(whole / 2, abs=1.5)


def test_one_failure_among_thousands_of_requests_is_seen(plot: UsagePlot, theme: Theme) -> None:
    show(plot, bucket(20, 9000), bucket(30, 9000, 1), bucket(40, 1))
    image, axes = picture(plot), plot.requests_axes()

    assert theme.colour("error").name() in column(image, axes, 30)
    assert column(image, axes, 40)[0] == theme.colour("accent").name()


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("width", [300, 457, 660, 1203])
def test_bars_are_of_one_width_and_their_edges_are_sharp(
    plot: UsagePlot, theme: Theme, width: int, scale: float
) -> None:
    plot.resize(width, HEIGHT)
    show(plot, *(bucket(index, 5) for index in range(60)))
    image = picture(plot, scale)
    y = int((plot.requests_axes().area.bottom() - 5) * scale)
    line = [image.pixelColor(x, y).name() for x in range(int(plot.requests_axes().area.left() * scale), image.width())]

    accent = theme.colour("accent").name()
    assert set(line) == {accent, theme.colour("surface").name()}
    bars = [len(bar) for bar in "".join("#" if colour == accent else " " for colour in line).split()]
    assert len(bars) == 60
    assert len(set(bars)) == 1


@pytest.mark.parametrize("index", [0, 1, 30, 59])
@pytest.mark.parametrize("share", [0.05, 0.95])
def test_the_pointer_finds_the_bucket_that_is_drawn_there(plot: UsagePlot, index: int, share: float) -> None:
    show(plot, bucket(5, 3))
    x = plot.requests_axes().x_of(HOUR.start_time(NOW) + (index + share) * HOUR.bucket_seconds)
    move_pointer(plot, x)
    assert plot.pointed is plot.buckets[index]


@pytest.mark.parametrize("x", [5, 40, WIDTH - 3])
def test_beside_the_bars_nothing_is_pointed_at(plot: UsagePlot, x: int) -> None:
    show(plot, bucket(5, 3))
    move_pointer(plot, WIDTH // 2)
    assert plot.pointed is not None
    move_pointer(plot, x)
    assert plot.pointed is None


def test_the_selected_bucket_lies_on_a_band_in_both_charts(plot: UsagePlot, theme: Theme, qtbot: QtBot) -> None:
    show(plot, bucket(5, 3))
    qtbot.keyClick(plot, Qt.Key.Key_Home)
    image, band = picture(plot), theme.colour("selection").name()
    assert all(band in column(image, axes, 0) for axes in (plot.requests_axes(), plot.tokens_axes()))
    assert band not in column(image, plot.requests_axes(), 1)


def test_the_focus_is_seen_by_those_who_came_by_the_keyboard(plot: UsagePlot, theme: Theme, qtbot: QtBot) -> None:
    show(plot, bucket(5, 3))
    with qtbot.waitActive(plot):
        plot.activateWindow()
    plot.clearFocus()

    def ringed() -> bool:
        edge: QColor = picture(plot).pixelColor(WIDTH // 2, 0)
        return edge.name() == theme.colour("accent").name()

    assert not ringed()
    plot.setFocus(Qt.FocusReason.TabFocusReason)
    assert ringed()
    plot.clearFocus()
    assert not ringed()
    plot.setFocus(Qt.FocusReason.OtherFocusReason)
    assert not ringed()


def labels_below(plot: UsagePlot) -> list[int]:
    """The first pixel column of each label below the time axis."""
    image = picture(plot)
    top, ground = int(plot.tokens_axes().area.bottom()) + 4, plot._theme.colour("surface").name()
    written = [
        any(image.pixelColor(x, y).name() != ground for y in range(top, HEIGHT - 2)) for x in range(image.width())
    ]
    # A gap of less than 6 pixels is within a label.
    runs, last = [], -100
    for x, there in enumerate(written):
        if there and x >= plot.tokens_axes().area.left():
            if x - last > 6:
                runs.append(x)
            last = x
    return runs


def test_labels_of_the_time_axis_never_run_into_each_other(plot: UsagePlot) -> None:
    show(plot, bucket(5, 3))
    wide = labels_below(plot)
    assert len(wide) in (5, 6)
    plot.resize(240, HEIGHT)
    assert 2 <= len(labels_below(plot)) <= 3


def test_before_anything_was_read_nothing_is_drawn(plot: UsagePlot, theme: Theme) -> None:
    image = picture(plot)
    empty = QImage(image.size(), image.format())
    empty.fill(theme.colour("surface"))
    assert image == empty


def test_new_figures_of_the_selected_bucket_are_reported(plot: UsagePlot, qtbot: QtBot) -> None:
    show(plot, bucket(59, 3))
    told: list[StatisticsBucket] = []
    plot.pointed_at.connect(told.append)
    qtbot.keyClick(plot, Qt.Key.Key_End)
    show(plot, replace(bucket(59, 3), requests=4))
    assert [one.requests for one in told] == [3, 4]
