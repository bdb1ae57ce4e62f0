"""Stacked bars over time, aligned to device pixels: equal widths and sharp edges."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QTransform

BAR_SHARE = 0.8
"""Share of a bucket's width; the rest is the gap between bars."""
LABEL_GAP = 8.0
"""Pixels between a label and its axis, between two time labels at least, and beyond the time axis at most."""
HALF = 0.501
"""Rounds halves up, also those that floating-point error makes smaller: otherwise some gaps between bars vanish."""


@dataclass(frozen=True, slots=True)
class Axes:
    """A chart's axes: epoch seconds from `begin` to `end`, values from 0 to `top`."""

    area: QRectF
    begin: float
    end: float
    top: float

    def x_of(self, moment: float) -> float:
        """Return the x coordinate of a time."""
        return self.area.left() + (moment - self.begin) / (self.end - self.begin) * self.area.width()

    def y_of(self, value: float) -> float:
        """Return the y coordinate of a value."""
        return self.area.bottom() - value / self.top * self.area.height()

    def moment_at(self, x: float) -> float:
        """Return the time at an x coordinate."""
        return self.begin + (x - self.area.left()) / self.area.width() * (self.end - self.begin)


@dataclass(frozen=True, slots=True)
class Layer:
    """One series of the stack: a height for each bar, on top of the layers before it."""

    colour: QColor
    heights: Sequence[float]


class PixelGrid:
    """Device pixels in the painter's coordinates, at any scale factor."""

    def __init__(self, transform: QTransform) -> None:
        self._transform = transform
        self._back, _ = transform.inverted()
        self.pixel = 1 / transform.m11()
        """The size of a device pixel."""
        self.line = max(1, round(transform.m11())) * self.pixel
        """The thickness of a thin line."""

    def snap_rect(self, left: float, top: float, right: float, bottom: float) -> QRectF:
        """Return the nearest rectangle of whole pixels."""
        return QRectF(self._snap_point(left, top), self._snap_point(right, bottom))

    def _snap_point(self, x: float, y: float) -> QPointF:
        point = self._transform.map(QPointF(x, y))
        return self._back.map(QPointF(floor(point.x() + HALF), floor(point.y() + HALF)))


class ChartPainter:
    """Draws the parts of a chart with `painter`."""

    def __init__(self, painter: QPainter, axes: Axes) -> None:
        self._painter = painter
        self._axes = axes
        self._grid = PixelGrid(painter.deviceTransform())

    def draw_band(self, begin: float, end: float, colour: QColor) -> None:
        """Draw a time span over the full height, behind everything drawn later."""
        area = self._axes.area
        rect = self._grid.snap_rect(self._axes.x_of(begin), area.top(), self._axes.x_of(end), area.bottom())
        self._painter.fillRect(rect, colour)

    def draw_value_lines(self, labels: Mapping[float, str], line: QColor, text: QColor) -> None:
        """Draw a line at each value, with its label at the left."""
        area, metrics = self._axes.area, self._painter.fontMetrics()
        self._painter.setPen(text)
        for value, label in labels.items():
            y = self._axes.y_of(value)
            self._painter.fillRect(self._line_rect(y), line)
            rect = QRectF(0, y - metrics.height() / 2, area.left() - LABEL_GAP, metrics.height())
            self._painter.drawText(rect, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, label)

    def draw_bars(self, starts: Sequence[float], seconds: float, layers: Iterable[Layer]) -> None:
        """Draw a stack for each start. A value above 0 is at least one pixel high."""
        gap = (1 - BAR_SHARE) / 2 * seconds
        width = self._axes.x_of(starts[0] + seconds - 2 * gap) - self._axes.x_of(starts[0]) if starts else 0
        width = max(1, int(width / self._grid.pixel)) * self._grid.pixel
        below, tops = [0.0] * len(starts), [self._axes.area.bottom()] * len(starts)
        for layer in layers:
            for index, (start, height) in enumerate(zip(starts, layer.heights, strict=True)):
                if height <= 0:
                    continue
                below[index] += height
                left, bottom = self._axes.x_of(start + gap), tops[index]
                rect = self._grid.snap_rect(
                    left, min(self._axes.y_of(below[index]), bottom - self._grid.pixel), left, bottom
                )
                rect.setWidth(width)
                self._painter.fillRect(rect, layer.colour)
                tops[index] = rect.top()

    def draw_times(self, labels: Mapping[float, str], text: QColor) -> None:
        """Draw labels below the time axis, skipping some where they would overlap."""
        metrics, area = self._painter.fontMetrics(), self._axes.area
        step = _label_step(
            [(self._axes.x_of(moment), metrics.horizontalAdvance(label)) for moment, label in labels.items()]
        )
        self._painter.setPen(text)
        for moment, label in list(labels.items())[::step]:
            half, middle = metrics.horizontalAdvance(label) / 2 + 1, self._axes.x_of(moment)
            if middle + half > area.right() + LABEL_GAP:
                continue
            rect = QRectF(middle - half, area.bottom() + LABEL_GAP - 2, 2 * half, metrics.height())
            self._painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, label)

    def _line_rect(self, y: float) -> QRectF:
        """Return the thin line whose upper edge is at `y`."""
        line = self._grid.snap_rect(self._axes.area.left(), y, self._axes.area.right(), y)
        line.setHeight(self._grid.line)
        return line


def _label_step(labels: Sequence[tuple[float, float]]) -> int:
    """Return the smallest step at which labels (middle, width) do not overlap."""
    for step in range(1, len(labels)):
        shown = labels[::step]
        if all(
            after - before >= (width + other) / 2 + LABEL_GAP for (before, width), (after, other) in pairwise(shown)
        ):
            return step
    return max(1, len(labels))
