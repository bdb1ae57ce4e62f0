"""The plot of requests and tokens: two charts over one time axis."""

from collections.abc import Sequence

from PySide6.QtCore import QDateTime, QEvent, QLocale, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from server.core.records import StatisticsBucket
from tray_app.formatting import format_tokens
from tray_app.models.statistics import RANGES, Range, bucket_at, time_ticks, value_ticks
from tray_app.pages.overview.bar_chart import Axes, ChartPainter, Layer
from tray_app.theme import Theme
from tray_app.translation import counted, tr
from tray_app.widgets.focus_ring import BY_KEYBOARD

HEIGHT = 272
LEFT, TOP, RIGHT = 52, 12, 8
"""Margins of the charts: for value labels, for half of the topmost one, and for the focus ring."""
BETWEEN = 24
TIMES_HEIGHT = 28
TOKEN_SHADES = {"output": 1.0, "fresh": 0.65, "cached": 0.35}
"""The strength of the accent colour for each kind of tokens."""


def blend_accent(theme: Theme, strength: float) -> QColor:
    """Blend the accent colour into the surface colour, so that bars are opaque."""
    accent, surface = theme.colour("accent"), theme.colour("surface")

    def mix_channel(above: float, below: float) -> float:
        return above * strength + below * (1 - strength)

    return QColor.fromRgbF(
        mix_channel(accent.redF(), surface.redF()),
        mix_channel(accent.greenF(), surface.greenF()),
        mix_channel(accent.blueF(), surface.blueF()),
    )


class UsagePlot(QWidget):
    """The pointer or the arrow keys select a bucket, which `pointed_at` reports."""

    pointed_at = Signal(object)
    """Emitted with the StatisticsBucket selected, or None."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._span = RANGES["hour"]
        self._now = 0.0
        self.buckets: Sequence[StatisticsBucket] = ()
        self.pointed: StatisticsBucket | None = None
        """The selected bucket."""
        self._ring = False
        self.setFixedHeight(HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        theme.changed.connect(self.update)

    def show_buckets(self, span: Range, buckets: Sequence[StatisticsBucket], now: float) -> None:
        """Draw `buckets`. The selected bucket stays selected, with its new figures."""
        self._span, self.buckets, self._now = span, buckets, now
        pointed = self.pointed
        self._point_at(bucket_at(buckets, span, pointed.start) if pointed is not None else None)
        self.update()

    def requests_axes(self) -> Axes:
        """The axes of the upper chart."""
        return self._make_axes(0, max((bucket.requests for bucket in self.buckets), default=0))

    def tokens_axes(self) -> Axes:
        """The axes of the lower chart."""
        return self._make_axes(
            1, max((bucket.input_tokens + bucket.output_tokens for bucket in self.buckets), default=0)
        )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Select the bucket under the pointer."""
        moment = self.requests_axes().moment_at(event.position().x())
        self._point_at(bucket_at(self.buckets, self._span, moment))

    def leaveEvent(self, event: QEvent) -> None:
        """Clear the selection."""
        super().leaveEvent(event)
        self._point_at(None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Draw the focus ring if the focus came by keyboard."""
        super().focusInEvent(event)
        self._ring = event.reason() in BY_KEYBOARD or self._ring

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Remove the focus ring, unless the whole window lost the focus."""
        super().focusOutEvent(event)
        self._ring = self._ring and event.reason() == Qt.FocusReason.ActiveWindowFocusReason

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Select a bucket with the arrow keys, Home and End. Esc selects none."""
        last = len(self.buckets) - 1
        current = self._pointed_index()
        steps = {
            Qt.Key.Key_Left: last if current is None else max(0, current - 1),
            Qt.Key.Key_Right: last if current is None else min(last, current + 1),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        if event.key() == Qt.Key.Key_Escape and current is not None:
            self._point_at(None)
        elif event.key() in steps and self.buckets:
            self._point_at(self.buckets[steps[Qt.Key(event.key())]])
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the band at the selected bucket, the value lines, and the bars."""
        painter = QPainter(self)
        if self.buckets:
            self._draw_charts(painter)
        if self._ring and self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._theme.colour("accent"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.end()

    def _draw_charts(self, painter: QPainter) -> None:
        for axes, layers in (
            (self.requests_axes(), self._request_layers()),
            (self.tokens_axes(), self._token_layers()),
        ):
            self._draw_chart(ChartPainter(painter, axes), axes, layers)
        # Both charts share the time axis below the lower one.
        times = {tick: time_label(self._span, tick) for tick in time_ticks(self._span, self._now)}
        ChartPainter(painter, self.tokens_axes()).draw_times(times, self._theme.colour("muted"))

    def _draw_chart(self, chart: ChartPainter, axes: Axes, layers: Sequence[Layer]) -> None:
        colour, length = self._theme.colour, self._span.bucket_seconds
        if self.pointed is not None:
            chart.draw_band(self.pointed.start, self.pointed.start + length, colour("selection"))
        chart.draw_value_lines(
            {tick: _axis_label(tick) for tick in value_ticks(axes.top)}, colour("border"), colour("muted")
        )
        chart.draw_bars([bucket.start for bucket in self.buckets], length, layers)

    def _request_layers(self) -> list[Layer]:
        fine = [bucket.requests - bucket.errors for bucket in self.buckets]
        errors = [bucket.errors for bucket in self.buckets]
        return [Layer(blend_accent(self._theme, 1.0), fine), Layer(self._theme.colour("error"), errors)]

    def _token_layers(self) -> list[Layer]:
        heights = {
            "output": [bucket.output_tokens for bucket in self.buckets],
            "fresh": [max(0, bucket.input_tokens - bucket.cache_read_tokens) for bucket in self.buckets],
            "cached": [bucket.cache_read_tokens for bucket in self.buckets],
        }
        return [Layer(blend_accent(self._theme, strength), heights[name]) for name, strength in TOKEN_SHADES.items()]

    def _make_axes(self, row: int, maximum: float) -> Axes:
        height = (self.height() - TOP - BETWEEN - TIMES_HEIGHT) // 2
        area = QRectF(LEFT, TOP + row * (height + BETWEEN), max(1, self.width() - LEFT - RIGHT), height)
        return Axes(area, self._span.start_time(self._now), self._span.end_time(self._now), value_ticks(maximum)[-1])

    def _pointed_index(self) -> int | None:
        return self.buckets.index(self.pointed) if self.pointed is not None else None

    def _point_at(self, bucket: StatisticsBucket | None) -> None:
        if bucket is not self.pointed:
            self.pointed = bucket
            self.update()
            self.pointed_at.emit(bucket)


def _axis_label(tick: float) -> str:
    """A round number in as few digits as possible: the margin is narrow."""
    return format_tokens(round(tick)).replace(".0", "")


def time_label(span: Range, moment: float) -> str:
    """The day of the week or the time of day, in the user's locale."""
    then, locale = QDateTime.fromSecsSinceEpoch(int(moment)), QLocale()
    if span.key == "week":
        return locale.dayName(then.date().dayOfWeek(), QLocale.FormatType.ShortFormat)
    return locale.toString(then.time(), QLocale.FormatType.ShortFormat)


def describe_bucket(span: Range, bucket: StatisticsBucket) -> str:
    """Format a bucket's figures as one line."""
    begin, end = (time_label(RANGES["hour"], moment) for moment in (bucket.start, bucket.start + span.bucket_seconds))
    day = f"{time_label(span, bucket.start)} " if span.key == "week" else ""
    requests = counted(bucket.requests, "1 request", "{n} requests")
    failed = tr(", {n} failed").format(n=bucket.errors) if bucket.errors else ""
    used = tr("{read} tokens in, {written} out").format(
        read=format_tokens(bucket.input_tokens), written=format_tokens(bucket.output_tokens)
    )
    return tr("{day}{begin} to {end}: {requests}{failed}; {used}").format(
        day=day, begin=begin, end=end, requests=requests, failed=failed, used=used
    )
