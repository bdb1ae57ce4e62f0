"""Requests and tokens over time, drawn by pyqtgraph, which is loaded when the first plot is wanted."""

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from PySide6.QtCore import QDateTime, QEvent, QLocale, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from server.store.types import StatisticsBucket
from tray_app.formatting import tokens
from tray_app.models.statistics import RANGES, Range, bucket_at, time_ticks, value_ticks
from tray_app.theme import Theme
from tray_app.translation import counted, tr

AXIS_WIDTH = 44
HEIGHT = 272
LABEL_HALF = 8
TOKEN_SHADES = {"output": 1.0, "fresh": 0.65, "cached": 0.35}
"""How strong each kind of tokens is drawn in the accent colour."""


def load_pyqtgraph() -> ModuleType:
    """Import it: a quarter of a second and 50 MB, for which the start of the application does not wait."""
    return importlib.import_module("pyqtgraph")


def shade(theme: Theme, strength: float) -> QColor:
    """The accent colour on the surface, as strong as that: solid, so that bars hide the lines behind them."""
    accent, surface = theme.colour("accent"), theme.colour("surface")

    def mixed(above: float, below: float) -> float:
        return above * strength + below * (1 - strength)

    return QColor.fromRgbF(
        mixed(accent.redF(), surface.redF()),
        mixed(accent.greenF(), surface.greenF()),
        mixed(accent.blueF(), surface.blueF()),
    )


class UsagePlot(QWidget):
    """Two plots over one time axis. The pointer, or the arrow keys, choose the bucket that `pointed_at` tells."""

    pointed_at = Signal(object)
    """StatisticsBucket, or None."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._pg = load_pyqtgraph()
        self._theme = theme
        self._span: Range | None = None
        self._buckets: Sequence[StatisticsBucket] = ()
        self._pointed: StatisticsBucket | None = None
        self.setFixedHeight(HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self._canvas: Any = self._pg.GraphicsLayoutWidget()
        self._canvas.setAntialiasing(True)
        # The mouse is this widget's: nothing is dragged or zoomed by chance, and the wheel scrolls the page.
        self._canvas.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._canvas.ci.setContentsMargins(0, 0, 0, 0)
        self._canvas.ci.setSpacing(12)
        self._requests = self._add_plot(0)
        self._tokens = self._add_plot(1)
        self._bars = {name: self._add_bars(self._requests) for name in ("ok", "errors")}
        self._bars |= {name: self._add_bars(self._tokens) for name in TOKEN_SHADES}
        self._marks = [self._add_mark(plot) for plot in (self._requests, self._tokens)]
        self._requests.getAxis("bottom").setStyle(showValues=False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._canvas)
        theme.changed.connect(self._dress)
        self._dress()

    @property
    def buckets(self) -> Sequence[StatisticsBucket]:
        """What is drawn."""
        return self._buckets

    @property
    def pointed(self) -> StatisticsBucket | None:
        """The bucket that is pointed at."""
        return self._pointed

    def show_buckets(self, span: Range, buckets: Sequence[StatisticsBucket], now: float) -> None:
        """Draw these. The bucket that was pointed at stays so, with its new figures."""
        self._span, self._buckets = span, buckets
        self._draw()
        for plot in (self._requests, self._tokens):
            plot.setXRange(span.begin(now), span.end(now), padding=0)
            plot.getAxis("bottom").setTicks([[(tick, time_label(span, tick)) for tick in time_ticks(span, now)]])
        pointed = self._pointed
        self._point(bucket_at(buckets, span, pointed.start) if pointed is not None else None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Point at the bucket under the pointer."""
        if self._span is not None:
            self._point(bucket_at(self._buckets, self._span, self._moment(event.position())))

    def leaveEvent(self, event: QEvent) -> None:
        """Point at nothing."""
        super().leaveEvent(event)
        self._point(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go from bucket to bucket, Esc to none."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() == Qt.Key.Key_Escape and self._pointed is not None:
            self._point(None)
        elif event.key() in steps and self._buckets:
            self._step(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def _step(self, by: int) -> None:
        starts = [bucket.start for bucket in self._buckets]
        place = starts.index(self._pointed.start) + by if self._pointed is not None else len(starts) - 1
        self._point(self._buckets[max(0, min(len(starts) - 1, place))])

    def _point(self, bucket: StatisticsBucket | None) -> None:
        if bucket is self._pointed:
            return
        self._pointed = bucket
        for mark in self._marks:
            mark.setVisible(bucket is not None)
            if bucket is not None and self._span is not None:
                mark.setRegion((bucket.start, bucket.start + self._span.bucket_seconds))
        self.pointed_at.emit(bucket)

    def _moment(self, place: QPointF) -> float:
        on_canvas = self._canvas.mapFrom(self, place.toPoint())
        return float(self._requests.vb.mapSceneToView(self._canvas.mapToScene(on_canvas)).x())

    def _draw(self) -> None:
        if self._span is None:
            return
        buckets, length = self._buckets, self._span.bucket_seconds
        fine = [bucket.requests - bucket.errors for bucket in buckets]
        self._stack({"ok": fine, "errors": [bucket.errors for bucket in buckets]}, length)
        fresh = [max(0, bucket.input_tokens - bucket.cache_read_tokens) for bucket in buckets]
        cached = [bucket.cache_read_tokens for bucket in buckets]
        self._stack({"output": [bucket.output_tokens for bucket in buckets], "fresh": fresh, "cached": cached}, length)
        self._scale(self._requests, max((bucket.requests for bucket in buckets), default=0))
        self._scale(self._tokens, max((bucket.input_tokens + bucket.output_tokens for bucket in buckets), default=0))

    def _stack(self, layers: dict[str, list[int]], length: float) -> None:
        """Bars on top of each other, with a little air between the buckets."""
        bottom = [0] * len(self._buckets)
        left = [bucket.start + 0.1 * length for bucket in self._buckets]
        for name, heights in layers.items():
            self._bars[name].setOpts(x0=left, width=0.8 * length, y0=bottom, height=heights)
            bottom = [low + height for low, height in zip(bottom, heights, strict=True)]

    def _scale(self, plot: Any, top: float) -> None:
        ticks = value_ticks(top)
        plot.setYRange(0, ticks[-1], padding=0)
        plot.getAxis("left").setTicks([[(tick, _axis_label(tick)) for tick in ticks]])

    def _add_plot(self, row: int) -> Any:
        plot = self._canvas.addPlot(row=row, col=0)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(x=False, y=False)
        plot.disableAutoRange()
        # The uppermost label stands half above the axis.
        plot.layout.setContentsMargins(0, LABEL_HALF, 0, 0)
        plot.getAxis("left").setWidth(AXIS_WIDTH)
        plot.getAxis("left").setStyle(tickLength=0, tickTextOffset=8)
        plot.getAxis("bottom").setStyle(tickLength=0, tickTextOffset=6)
        return plot

    def _add_bars(self, plot: Any) -> Any:
        bars = self._pg.BarGraphItem(x0=[], width=1, y0=[], height=[], pen=None)
        plot.addItem(bars)
        return bars

    def _add_mark(self, plot: Any) -> Any:
        mark = self._pg.LinearRegionItem(movable=False, pen=self._pg.mkPen(None))
        mark.setZValue(-10)
        mark.hide()
        plot.addItem(mark, ignoreBounds=True)
        return mark

    def _dress(self) -> None:
        """The colours in force."""
        theme = self._theme
        self._canvas.setBackground(theme.colour("surface"))
        self._bars["ok"].setOpts(brush=shade(theme, 1.0), pen=None)
        self._bars["errors"].setOpts(brush=theme.colour("error"), pen=None)
        for name, strength in TOKEN_SHADES.items():
            self._bars[name].setOpts(brush=shade(theme, strength), pen=None)
        for mark in self._marks:
            mark.setBrush(theme.colour("selection"))
        for plot in (self._requests, self._tokens):
            for side in ("left", "bottom"):
                axis = plot.getAxis(side)
                axis.setPen(self._pg.mkPen(theme.colour("border")))
                axis.setTextPen(self._pg.mkPen(theme.colour("muted")))
        self._draw()


def _axis_label(tick: float) -> str:
    """A round number in as few figures as it needs: an axis shows no label that is wider than itself."""
    return tokens(round(tick)).replace(".0", "")


def time_label(span: Range, moment: float) -> str:
    """The day of the week, or the time of day, as the person writes it."""
    then, locale = QDateTime.fromSecsSinceEpoch(int(moment)), QLocale()
    if span.key == "week":
        return locale.dayName(then.date().dayOfWeek(), QLocale.FormatType.ShortFormat)
    return locale.toString(then.time(), QLocale.FormatType.ShortFormat)


def describe(span: Range, bucket: StatisticsBucket) -> str:
    """A bucket's figures in a line."""
    begin, end = (time_label(RANGES["hour"], moment) for moment in (bucket.start, bucket.start + span.bucket_seconds))
    day = f"{time_label(span, bucket.start)} " if span.key == "week" else ""
    requests = counted(bucket.requests, "1 request", "{n} requests")
    failed = tr(", {n} failed").format(n=bucket.errors) if bucket.errors else ""
    used = tr("{read} tokens in, {written} out").format(
        read=tokens(bucket.input_tokens), written=tokens(bucket.output_tokens)
    )
    return tr("{day}{begin} to {end}: {requests}{failed}; {used}").format(
        day=day, begin=begin, end=end, requests=requests, failed=failed, used=used
    )
