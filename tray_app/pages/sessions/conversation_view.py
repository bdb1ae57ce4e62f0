"""A conversation of any length in one column: only the pieces that are seen, and some around them, are widgets.

The heights of all others are estimated. When one turns out to be another than was thought, what the person reads
stays where it is, and the scroll bar gives way.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from tray_app.models.sessions.blocks import DisplayBlock, Heading
from tray_app.pages.sessions.block_focus import find_next_focus
from tray_app.pages.sessions.block_sizes import INDENT, estimated_height, gap_above
from tray_app.pages.sessions.block_widgets import BlockWidget

EDGE = 16
MAX_WIDTH = 760
"""Lines that are longer are hard to read."""
_STEP = 40
_MAX_ROUNDS = 4
"""Measuring brings others into view; after so many rounds the rest waits for the next scroll."""


class Slot:
    """The place of one piece. `inner`: it is within an opened fold."""

    __slots__ = ("block", "height", "inner", "measured_for", "widget")

    def __init__(self, piece: DisplayBlock, inner: bool, width: int) -> None:
        self.block = piece
        self.inner = inner
        self.height = estimated_height(piece, width)
        self.measured_for = 0
        self.widget: BlockWidget | None = None


class ConversationView(QAbstractScrollArea):
    """`make_widget` makes the widget of a piece."""

    def __init__(self, make_widget: Callable[[DisplayBlock], BlockWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._make_widget = make_widget
        self._slots: list[Slot] = []
        self._tops: list[int] = [0]
        self._arranging = False
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(self.Shape.NoFrame)
        self.verticalScrollBar().setSingleStep(_STEP)
        self.viewport().setAutoFillBackground(False)

    @property
    def slots(self) -> Sequence[Slot]:
        """The places, from the top."""
        return self._slots

    @property
    def at_bottom(self) -> bool:
        """Whether the end is in view."""
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum()

    def show_blocks(self, pieces: Sequence[tuple[DisplayBlock, bool]]) -> None:
        """Show another conversation, from its beginning."""
        self._replace_slots(0, len(self._slots), pieces)
        self._arrange_slots(anchor=(0, -EDGE))

    def update_blocks(self, pieces: Sequence[tuple[DisplayBlock, bool]], *, follow: bool = True) -> None:
        """Show what became of the conversation. What is the same keeps its widget and its place on the screen.

        `follow`: at the end, go on with it.
        """
        bottom = follow and self.at_bottom
        anchor = self._scroll_anchor()
        same = [
            slot.block == piece and slot.inner == inner
            for slot, (piece, inner) in zip(self._slots, pieces, strict=False)
        ]
        head = same.index(False) if False in same else len(same)
        tail = 0
        while (
            tail < min(len(self._slots), len(pieces)) - head
            and (slot := self._slots[-1 - tail]).block == pieces[-1 - tail][0]
            and slot.inner == pieces[-1 - tail][1]
        ):
            tail += 1
        self._replace_slots(head, len(self._slots) - tail, pieces[head : len(pieces) - tail])
        self._arrange_slots(anchor, bottom=bottom)

    def rebuild_widgets(self) -> None:
        """Make the widgets anew, as for other colours."""
        anchor = self._scroll_anchor()
        for slot in self._slots:
            slot.measured_for = 0
            self._release_widget(slot)
        self._arrange_slots(anchor)

    def scroll_to_block(self, place: int) -> None:
        """Bring the piece with this number into view, from its heading or its first hit on."""
        heading = place > 0 and isinstance(self._slots[place - 1].block, Heading)
        self._arrange_slots(anchor=(place - heading, 0))
        widget = self.widget_at(place)
        top = widget.hit_top()
        if top is not None:
            self.ensure_visible(QRect(widget.x(), widget.y() + top, 1, _STEP))

    def ensure_visible(self, rect: QRect) -> None:
        """Scroll as little as shows `rect`, which is in the viewport's coordinates."""
        bar, height = self.verticalScrollBar(), self.viewport().height()
        if rect.top() < 0 or rect.height() > height:
            bar.setValue(bar.value() + rect.top() - EDGE)
        elif rect.bottom() > height:
            bar.setValue(bar.value() + rect.bottom() - height + EDGE)

    def widget_at(self, place: int) -> BlockWidget:
        """The widget of the piece, in its place."""
        slot = self._slots[place]
        if slot.widget is None or slot.measured_for == 0:
            anchor = self._scroll_anchor()
            width = self._column_width - (INDENT if slot.inner else 0)
            widget = self._ensure_widget(slot)
            slot.height, slot.measured_for = widget.height_for(width + widget.outset), width
            self._update_tops()
            self._arrange_slots(anchor)
        return self._ensure_widget(slot)

    @property
    def first_in_view(self) -> int:
        """The number of the first piece that is seen."""
        return next(iter(self._in_view(self.verticalScrollBar().value(), 0)), 0)

    # What Qt tells

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Another part is seen."""
        if not self._arranging:
            self._arrange_slots(bottom=dy < 0 and self.at_bottom)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The pieces are laid out for another width."""
        super().resizeEvent(event)
        anchor, bottom = self._scroll_anchor(), self.at_bottom and self.verticalScrollBar().maximum() > 0
        if event.size().width() != event.oldSize().width():
            width = self._column_width
            for slot in self._slots:
                if not slot.widget:
                    slot.height = estimated_height(slot.block, width)
        self._arrange_slots(anchor, bottom=bottom)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Home and End, besides the keys that Qt scrolls by."""
        bar = self.verticalScrollBar()
        match event.key():
            case Qt.Key.Key_Home:
                bar.setValue(0)
            case Qt.Key.Key_End:
                bar.setValue(bar.maximum())
            case Qt.Key.Key_Space:
                backwards = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
                bar.triggerAction(
                    bar.SliderAction.SliderPageStepSub if backwards else bar.SliderAction.SliderPageStepAdd
                )
            case _:
                super().keyPressEvent(event)

    def focusNextPrevChild(self, next: bool) -> bool:
        """Tab goes from piece to piece in their order, also to those that are not made yet, and out at the end."""
        target = find_next_focus(self, self.window().focusWidget(), forward=next)
        if target is None:
            return super().focusNextPrevChild(next)
        target.setFocus(Qt.FocusReason.TabFocusReason if next else Qt.FocusReason.BacktabFocusReason)
        if self.viewport().isAncestorOf(target):
            self.ensure_visible(QRect(target.mapTo(self.viewport(), QPoint()), target.size()))
        return True

    # Layout

    @property
    def _column_width(self) -> int:
        return max(120, min(self.viewport().width() - 2 * EDGE, MAX_WIDTH))

    def _replace_slots(self, first: int, last: int, pieces: Sequence[tuple[DisplayBlock, bool]]) -> None:
        for slot in self._slots[first:last]:
            self._release_widget(slot)
        self._slots[first:last] = [Slot(piece, inner, self._column_width) for piece, inner in pieces]
        self._update_tops()

    def _update_tops(self) -> None:
        """The top of each slot, and behind them the height of all."""
        heights = (gap_above(slot.block, place == 0) + slot.height for place, slot in enumerate(self._slots))
        self._tops = list(accumulate(heights, initial=EDGE))

    def _scroll_anchor(self) -> tuple[int, int]:
        """The first slot in view, and how much of it is above the view."""
        value = self.verticalScrollBar().value()
        place = max(0, min(bisect_right(self._tops, value) - 1, len(self._slots) - 1))
        return place, value - self._tops[place]

    def _arrange_slots(self, anchor: tuple[int, int] | None = None, *, bottom: bool = False) -> None:
        """Make and place what is in view. `anchor` stays where it is, or the bottom."""
        if self._arranging:
            return
        self._arranging = True
        try:
            place, offset = anchor or self._scroll_anchor()
            value = 0
            for _ in range(_MAX_ROUNDS):
                value = self._clamp_scroll(
                    self._maximum_scroll if bottom else self._tops[min(place, len(self._slots))] + offset
                )
                if not self._measure_slots(value):
                    break
                self._update_tops()
            value = self._clamp_scroll(
                self._maximum_scroll if bottom else self._tops[min(place, len(self._slots))] + offset
            )
            self._set_bar(value)
            self._place_widgets(value)
        finally:
            self._arranging = False

    @property
    def _maximum_scroll(self) -> int:
        return max(0, self._tops[-1] + EDGE - self.viewport().height())

    def _clamp_scroll(self, value: int) -> int:
        return max(0, min(value, self._maximum_scroll))

    def _in_view(self, value: int, margin: float) -> range:
        height = self.viewport().height()
        first = bisect_right(self._tops, value - margin * height) - 1
        last = bisect_right(self._tops, value + (1 + margin) * height)
        return range(max(0, first), min(last, len(self._slots)))

    def _measure_slots(self, value: int) -> bool:
        """Make and measure what is in view; whether a height is another than was thought."""
        changed = False
        for place in self._in_view(value, 0.5):
            slot = self._slots[place]
            width = self._column_width - (INDENT if slot.inner else 0)
            widget = self._ensure_widget(slot)
            if slot.measured_for != width:
                height = widget.height_for(width + widget.outset)
                changed |= height != slot.height
                slot.height, slot.measured_for = height, width
        return changed

    def _ensure_widget(self, slot: Slot) -> BlockWidget:
        if slot.widget is None:
            slot.widget = self._make_widget(slot.block)
            slot.widget.setParent(self.viewport())
            slot.widget.height_changed.connect(lambda: self._remeasure_slot(slot))
            slot.measured_for = 0
        return slot.widget

    def _set_bar(self, value: int) -> None:
        bar = self.verticalScrollBar()
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, self._maximum_scroll)
        bar.setValue(value)

    def _place_widgets(self, value: int) -> None:
        near = self._in_view(value, 1.5)
        focused = self.window().focusWidget()
        for place, slot in enumerate(self._slots):
            if (widget := slot.widget) is None:
                continue
            if place not in near and not (focused and (widget is focused or widget.isAncestorOf(focused))):
                self._release_widget(slot)
                continue
            indent = INDENT if slot.inner else 0
            top = self._tops[place] + gap_above(slot.block, place == 0) - value
            left = EDGE + indent - widget.outset
            widget.setGeometry(left, top, self._column_width - indent + widget.outset, slot.height)
            widget.show()

    def _remeasure_slot(self, slot: Slot) -> None:
        slot.measured_for = 0
        self._arrange_slots()

    def _release_widget(self, slot: Slot) -> None:
        if slot.widget is not None:
            slot.widget.hide()
            slot.widget.deleteLater()
            slot.widget = None
