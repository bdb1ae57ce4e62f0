"""Stacked bars over time, drawn on whole pixels of the screen: bars of one width, and edges that are not blurred."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QTransform

BAR_SHARE = 0.8
"""Of a bucket's width; the rest is the air between the bars."""
LABEL_GAP = 8.0
"""Between a label and its axis, at least between two labels of the time axis, and at most beyond its end."""
HALF = 0.501
"""Halves are rounded up, those too that are less by an error of reckoning: else the air between bars comes and goes."""


@dataclass(frozen=True, slots=True)
class Axes:
    """Where bars stand in their widget: moments from `begin` to `end`, in epoch seconds, and values from 0 to `top`."""

    area: QRectF
    begin: float
    end: float
    top: float

    def x_of(self, moment: float) -> float:
        """Where a moment is."""
        return self.area.left() + (moment - self.begin) / (self.end - self.begin) * self.area.width()

    def y_of(self, value: float) -> float:
        """How high a value reaches."""
        return self.area.bottom() - value / self.top * self.area.height()

    def moment_at(self, x: float) -> float:
        """The moment at a place."""
        return self.begin + (x - self.area.left()) / self.area.width() * (self.end - self.begin)


@dataclass(frozen=True, slots=True)
class Layer:
    """One kind of what is counted: a height for each bar, on top of the layers before it."""

    colour: QColor
    heights: Sequence[float]


class PixelGrid:
    """The pixels of the screen in the painter's coordinates, at any scale, 125 % too."""

    def __init__(self, transform: QTransform) -> None:
        self._transform = transform
        self._back, _ = transform.inverted()
        self.pixel = 1 / transform.m11()
        """The length of one."""
        self.line = max(1, round(transform.m11())) * self.pixel
        """How thick a thin line is."""

    def snap_rect(self, left: float, top: float, right: float, bottom: float) -> QRectF:
        """The nearest rectangle of whole pixels."""
        return QRectF(self._snap_point(left, top), self._snap_point(right, bottom))

    def _snap_point(self, x: float, y: float) -> QPointF:
        place = self._transform.map(QPointF(x, y))
        return self._back.map(QPointF(floor(place.x() + HALF), floor(place.y() + HALF)))


class ChartPainter:
    """Draws the parts of a chart with `painter`."""

    def __init__(self, painter: QPainter, axes: Axes) -> None:
        self._painter = painter
        self._axes = axes
        self._grid = PixelGrid(painter.deviceTransform())

    def draw_band(self, begin: float, end: float, colour: QColor) -> None:
        """A stretch of time from top to bottom: it lies behind what is drawn after it."""
        area = self._axes.area
        rect = self._grid.snap_rect(self._axes.x_of(begin), area.top(), self._axes.x_of(end), area.bottom())
        self._painter.fillRect(rect, colour)

    def draw_value_lines(self, labels: Mapping[float, str], line: QColor, text: QColor) -> None:
        """Lines at these values, named at their left."""
        area, metrics = self._axes.area, self._painter.fontMetrics()
        self._painter.setPen(text)
        for value, label in labels.items():
            y = self._axes.y_of(value)
            self._painter.fillRect(self._line_rect(y), line)
            place = QRectF(0, y - metrics.height() / 2, area.left() - LABEL_GAP, metrics.height())
            self._painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, label)

    def draw_bars(self, starts: Sequence[float], seconds: float, layers: Iterable[Layer]) -> None:
        """A stack for each start. What was counted at all is seen: it is one pixel high at least."""
        air = (1 - BAR_SHARE) / 2 * seconds
        width = self._axes.x_of(starts[0] + seconds - 2 * air) - self._axes.x_of(starts[0]) if starts else 0
        width = max(1, int(width / self._grid.pixel)) * self._grid.pixel
        below, tops = [0.0] * len(starts), [self._axes.area.bottom()] * len(starts)
        for layer in layers:
            for place, (start, height) in enumerate(zip(starts, layer.heights, strict=True)):
                if height <= 0:
                    continue
                below[place] += height
                left, bottom = self._axes.x_of(start + air), tops[place]
                rect = self._grid.snap_rect(
                    left, min(self._axes.y_of(below[place]), bottom - self._grid.pixel), left, bottom
                )
                rect.setWidth(width)
                self._painter.fillRect(rect, layer.colour)
                tops[place] = rect.top()

    def draw_times(self, labels: Mapping[float, str], text: QColor) -> None:
        """These moments below the time axis; where they would run into each other, every second one, or third."""
        metrics, area = self._painter.fontMetrics(), self._axes.area
        step = _label_step(
            [(self._axes.x_of(moment), metrics.horizontalAdvance(label)) for moment, label in labels.items()]
        )
        self._painter.setPen(text)
        for moment, label in list(labels.items())[::step]:
            half, middle = metrics.horizontalAdvance(label) / 2 + 1, self._axes.x_of(moment)
            if middle + half > area.right() + LABEL_GAP:
                continue
            place = QRectF(middle - half, area.bottom() + LABEL_GAP - 2, 2 * half, metrics.height())
            self._painter.drawText(place, Qt.AlignmentFlag.AlignCenter, label)

    def _line_rect(self, y: float) -> QRectF:
        """A thin line, on which what stands at `y` stands."""
        line = self._grid.snap_rect(self._axes.area.left(), y, self._axes.area.right(), y)
        line.setHeight(self._grid.line)
        return line


def _label_step(labels: Sequence[tuple[float, float]]) -> int:
    """The least step at which labels, given by their middles and widths, keep their distance."""
    for step in range(1, len(labels)):
        shown = labels[::step]
        if all(
            after - before >= (width + other) / 2 + LABEL_GAP for (before, width), (after, other) in pairwise(shown)
        ):
            return step
    return max(1, len(labels))
