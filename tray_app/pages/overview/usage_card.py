"""The card of requests and tokens over time: the plot, and its totals beside it."""

import asyncio
from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QWidget

from server.core.errors import DragomanError
from server.core.records import StatisticsBucket
from tray_app.context import Context
from tray_app.formatting import format_duration, format_money, format_tokens
from tray_app.models.statistics import RANGES, Range, Totals, fill_buckets, is_cut, offered_ranges, sum_buckets
from tray_app.pages.overview.facts import Facts
from tray_app.pages.overview.legend import Legend
from tray_app.pages.overview.usage_plot import TOP, UsagePlot, describe_bucket
from tray_app.translation import tr
from tray_app.widgets import Card, ChipRow, ElidedLabel, announce, make_button
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column, make_row

TICK_MS = 1000
SUMMARY_WIDTH = 190
LINE = 16
"""The height of a line of figures, in pixels."""


class UsageCard(Card):
    """Follows the request log while visible, less often for longer ranges."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Usage"))
        self._context = context
        self._span = RANGES["hour"]
        self._drawn: tuple[Range, float] | None = None
        """The range drawn last, and the time at which it began."""
        self._stale = True
        """Requests have changed since the log was read."""
        self._loaded_at = 0.0
        self._loading: asyncio.Task[object] | None = None
        self._problem: DragomanError | None = None
        """The error of the last attempt to read the log."""
        self.plot = UsagePlot(context.theme)
        self.plot.setAccessibleName(tr("Requests and tokens over time"))
        self.plot.pointed_at.connect(self._show_pointed)
        self._chips = ChipRow([("hour", tr("Last hour")), ("day", tr("24 hours")), ("week", tr("7 days"))])
        self._chips.chosen.connect(self._choose_range)
        self.header.addWidget(self._chips)
        self._caption = ElidedLabel(mode=Qt.TextElideMode.ElideRight)
        self._caption.setProperty("role", "muted")
        self._facts = Facts(
            [
                ("requests", tr("Requests")),
                ("errors", tr("Failed")),
                ("input", tr("Tokens in")),
                ("cached", tr("Cached")),
                ("output", tr("Tokens out")),
                ("cost", tr("Cost")),
            ],
            figures=True,
        )
        self.retention_note = make_label(role="muted")
        self.change_retention = make_button(
            tr("Change..."), lambda: context.show_page("settings", setting="session_ttl_hours"), role="quiet"
        )
        self.change_retention.setAccessibleName(tr("Change how long requests are kept"))
        self._arrange_plot()
        self._show_pointed(None)
        self._show_retention()
        self._clock = QTimer(self, interval=TICK_MS)
        self._clock.timeout.connect(self._reload_if_due)
        context.bridge.requests_changed.connect(self._mark_stale)
        context.settings_changed.connect(self._refresh_caption)
        context.settings_changed.connect(self._show_retention)

    def set_active(self, active: bool) -> None:
        """Tell the card whether it is visible."""
        if active:
            self._clock.start()
            self.load_usage()
        else:
            self._clock.stop()

    def load_usage(self) -> "asyncio.Task[object]":
        """Read the log and draw it. Calls while it is being read share that read."""
        if self._loading is None:
            self._loading = self._context.run(
                self._read_log(), name="read the statistics", on_error=self._show_load_error
            )
        return self._loading

    async def _read_log(self) -> None:
        try:
            span, now = self._span, self._context.clock()
            self._stale, self._loaded_at = False, now
            # Set before reading, so that a log that cannot be read is not read again at every tick.
            self._drawn = span, span.start_time(now)
            rows = await self._query_buckets(span, now)
            # The user may have chosen another range while this one was read.
            if span is self._span:
                self._show_usage(span, fill_buckets(rows, span, now), now)
        finally:
            self._loading = None

    async def _query_buckets(self, span: Range, now: float) -> list[StatisticsBucket]:
        store = self._context.store
        if store is None:
            return []
        return await store.statistics(since=span.start_time(now), bucket_seconds=span.bucket_seconds, until=now + 1)

    def _show_usage(self, span: Range, buckets: Sequence[StatisticsBucket], now: float) -> None:
        self._problem = self._context.store_problem if self._context.store is None else None
        self.plot.show_buckets(span, buckets, now)
        if self._context.store is not None:
            self._show_totals(sum_buckets(buckets))
        else:
            self._facts.clear_values()
        self._refresh_caption()

    def _show_load_error(self, error: DragomanError) -> None:
        """Keep the figures read before, and show the error below them."""
        self._stale, self._problem = True, error
        self._refresh_caption()

    def _show_totals(self, sums: Totals) -> None:
        texts = {
            "requests": f"{sums.requests:,}",
            "errors": f"{sums.errors:,}",
            "input": format_tokens(sums.input_tokens),
            "cached": format_tokens(sums.cache_read_tokens),
            "output": format_tokens(sums.output_tokens),
            "cost": format_money(sums.cost_usd),
        }
        for key, text in texts.items():
            self._facts.show_fact(key, text)
        self.plot.setAccessibleDescription(
            tr("{requests} requests, {errors} failed; {input} tokens in, {output} out; {cost}").format(**texts)
        )

    def _show_pointed(self, bucket: StatisticsBucket | None) -> None:
        self._caption.setText(describe_bucket(self._span, bucket) if bucket is not None else self._caption_text())
        if bucket is not None and self.plot.hasFocus():
            announce(self.plot, self._caption.text())

    def _refresh_caption(self) -> None:
        if self.plot.pointed is None:
            self._show_pointed(None)

    def _caption_text(self) -> str:
        if self._problem is not None:
            return tr("Usage is not available: {reason}").format(reason=self._problem.message)
        if not self._context.settings.history:
            return tr("History is off in Settings, so usage is not counted.")
        return tr("Requests above, tokens below; each bar is {length}.").format(length=_bar_length(self._span))

    def _choose_range(self, key: str) -> None:
        self._span = next(span for span in RANGES.values() if span.key == key)
        self._show_pointed(None)
        self._show_retention()
        loading = self._loading
        if loading is None:
            self.load_usage()
        else:
            # The range being read is no longer wanted and will not be shown.
            loading.add_done_callback(lambda _: self.load_usage())

    def _show_retention(self) -> None:
        """Disable ranges longer than requests are kept, and explain a cut-off range."""
        kept = self._context.settings.session_ttl_seconds
        possible = offered_ranges(kept)
        if self._span.key not in possible:
            self._chips.set_current(possible[-1])
            self._choose_range(possible[-1])
            return
        text = tr("Requests are kept for {time}; older usage is not counted.").format(time=format_duration(kept))
        for key in RANGES:
            self._chips.chip_button(key).setEnabled(key in possible)
            self._chips.chip_button(key).setToolTip("" if key in possible else text)
        limited = is_cut(self._span, kept) or len(possible) < len(RANGES)
        self.retention_note.setText(text if limited else "")
        self.retention_note.setVisible(limited)
        self.change_retention.setVisible(limited)

    def _mark_stale(self) -> None:
        self._stale = True

    def _reload_if_due(self) -> None:
        now = self._context.clock()
        moved = self._drawn != (self._span, self._span.start_time(now))
        due = not 0 <= now - self._loaded_at < self._span.refresh_seconds
        if moved or (self._stale and due):
            self.load_usage()

    def _arrange_plot(self) -> None:
        side = QWidget()
        side.setFixedWidth(SUMMARY_WIDTH)
        figures = make_column(self._facts, Legend(self._context.theme), None, spacing=16)
        figures.setContentsMargins(0, TOP - LINE // 2, 0, 0)  # aligned with the plot's topmost label
        side.setLayout(figures)
        row = make_row(spacing=24)
        row.addWidget(self.plot, 1, Qt.AlignmentFlag.AlignTop)
        row.addWidget(side, 0, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(row)
        self.body.addWidget(self._caption)
        self.body.addLayout(make_row(self.retention_note, self.change_retention, None))


def _bar_length(span: Range) -> str:
    lengths = {"hour": tr("a minute"), "day": tr("half an hour"), "week": tr("three hours")}
    return lengths[span.key]
