"""Virtualised column of display blocks: only blocks in or near the view have widgets.

The heights of all other blocks are estimated. When a measured height differs from its estimate, the visible text stays
in place and the scroll bar is adjusted.
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
"""Longer lines are hard to read."""
_STEP = 40
_MAX_ROUNDS = 4
"""Measuring may bring more blocks into view; after this many rounds the rest waits for the next scroll."""


class Slot:
    """The position of one block. `inner`: the block is in the body of an expanded one."""

    __slots__ = ("block", "height", "inner", "measured_for", "widget")

    def __init__(self, block: DisplayBlock, inner: bool, width: int) -> None:
        self.block = block
        self.inner = inner
        self.height = estimated_height(block, width)
        self.measured_for = 0
        self.widget: BlockWidget | None = None


class ConversationView(QAbstractScrollArea):
    """Scroll area for display blocks; `make_widget` creates the widget of a block."""

    def __init__(self, make_widget: Callable[[DisplayBlock], BlockWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._make_widget = make_widget
        self._slots: list[Slot] = []
        self._tops: list[int] = [0]
        # Setting the scroll bar and widget heights calls back into `_arrange_slots`: the flag stops the recursion.
        self._arranging = False
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(self.Shape.NoFrame)
        self.verticalScrollBar().setSingleStep(_STEP)
        self.viewport().setAutoFillBackground(False)

    @property
    def slots(self) -> Sequence[Slot]:
        """The slots, from the top."""
        return self._slots

    @property
    def at_bottom(self) -> bool:
        """Whether the view is at the end."""
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum()

    def show_blocks(self, blocks: Sequence[tuple[DisplayBlock, bool]]) -> None:
        """Show another conversation from its beginning."""
        self._replace_slots(0, len(self._slots), blocks)
        self._arrange_slots(anchor=(0, -EDGE))

    def update_blocks(self, blocks: Sequence[tuple[DisplayBlock, bool]], *, follow: bool = True) -> None:
        """Show a new version of the conversation. Unchanged blocks keep their widgets and positions.

        `follow`: if the view is at the end, stay at the end.
        """
        bottom = follow and self.at_bottom
        anchor = self._scroll_anchor()
        same = [
            slot.block == block and slot.inner == inner
            for slot, (block, inner) in zip(self._slots, blocks, strict=False)
        ]
        head = same.index(False) if False in same else len(same)
        tail = 0
        while (
            tail < min(len(self._slots), len(blocks)) - head
            and (slot := self._slots[-1 - tail]).block == blocks[-1 - tail][0]
            and slot.inner == blocks[-1 - tail][1]
        ):
            tail += 1
        self._replace_slots(head, len(self._slots) - tail, blocks[head : len(blocks) - tail])
        self._arrange_slots(anchor, bottom=bottom)

    def rebuild_widgets(self) -> None:
        """Create all widgets again, for example after a theme change."""
        anchor = self._scroll_anchor()
        for slot in self._slots:
            slot.measured_for = 0
            self._release_widget(slot)
        self._arrange_slots(anchor)

    def scroll_to_block(self, index: int) -> None:
        """Scroll to the block with this index: to its heading, or to its first hit."""
        heading = index > 0 and isinstance(self._slots[index - 1].block, Heading)
        self._arrange_slots(anchor=(index - heading, 0))
        widget = self.widget_at(index)
        top = widget.hit_top()
        if top is not None:
            self.ensure_visible(QRect(widget.x(), widget.y() + top, 1, _STEP))

    def ensure_visible(self, rect: QRect) -> None:
        """Scroll as little as possible to show `rect`, in viewport coordinates."""
        bar, height = self.verticalScrollBar(), self.viewport().height()
        if rect.top() < 0 or rect.height() > height:
            bar.setValue(bar.value() + rect.top() - EDGE)
        elif rect.bottom() > height:
            bar.setValue(bar.value() + rect.bottom() - height + EDGE)

    def widget_at(self, index: int) -> BlockWidget:
        """The widget of the block with this index, created and measured if needed."""
        slot = self._slots[index]
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
        """The index of the first visible block."""
        return next(iter(self._in_view(self.verticalScrollBar().value(), 0)), 0)

    # Qt events

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Arrange the blocks that scrolled into view."""
        if not self._arranging:
            self._arrange_slots(bottom=dy < 0 and self.at_bottom)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        anchor, bottom = self._scroll_anchor(), self.at_bottom and self.verticalScrollBar().maximum() > 0
        if event.size().width() != event.oldSize().width():
            width = self._column_width
            for slot in self._slots:
                if not slot.widget:
                    slot.height = estimated_height(slot.block, width)
        self._arrange_slots(anchor, bottom=bottom)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle Home, End and Space; Qt handles the other scroll keys."""
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
        """Move the focus block by block, including blocks without a widget yet, and out at the end."""
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

    def _replace_slots(self, first: int, last: int, blocks: Sequence[tuple[DisplayBlock, bool]]) -> None:
        for slot in self._slots[first:last]:
            self._release_widget(slot)
        self._slots[first:last] = [Slot(block, inner, self._column_width) for block, inner in blocks]
        self._update_tops()

    def _update_tops(self) -> None:
        """Compute the top of each slot, followed by the total height."""
        heights = (gap_above(slot.block, index == 0) + slot.height for index, slot in enumerate(self._slots))
        self._tops = list(accumulate(heights, initial=EDGE))

    def _scroll_anchor(self) -> tuple[int, int]:
        """The index of the first visible slot, and how many of its pixels are above the view."""
        value = self.verticalScrollBar().value()
        index = max(0, min(bisect_right(self._tops, value) - 1, len(self._slots) - 1))
        return index, value - self._tops[index]

    def _arrange_slots(self, anchor: tuple[int, int] | None = None, *, bottom: bool = False) -> None:
        """Create and place the visible widgets. Keeps `anchor`, or the bottom, in position."""
        if self._arranging:
            return
        self._arranging = True
        try:
            index, offset = anchor or self._scroll_anchor()
            value = 0
            for _ in range(_MAX_ROUNDS):
                value = self._scroll_target(index, offset, bottom)
                if not self._measure_slots(value):
                    break
                self._update_tops()
            value = self._scroll_target(index, offset, bottom)
            self._set_bar(value)
            self._place_widgets(value)
        finally:
            self._arranging = False

    @property
    def _maximum_scroll(self) -> int:
        return max(0, self._tops[-1] + EDGE - self.viewport().height())

    def _scroll_target(self, index: int, offset: int, bottom: bool) -> int:
        target = self._maximum_scroll if bottom else self._tops[min(index, len(self._slots))] + offset
        return max(0, min(target, self._maximum_scroll))

    def _in_view(self, value: int, margin: float) -> range:
        height = self.viewport().height()
        first = bisect_right(self._tops, value - margin * height) - 1
        last = bisect_right(self._tops, value + (1 + margin) * height)
        return range(max(0, first), min(last, len(self._slots)))

    def _measure_slots(self, value: int) -> bool:
        """Create and measure the visible widgets; return whether a height changed."""
        changed = False
        for index in self._in_view(value, 0.5):
            slot = self._slots[index]
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
        for index, slot in enumerate(self._slots):
            if (widget := slot.widget) is None:
                continue
            if index not in near and not (focused and (widget is focused or widget.isAncestorOf(focused))):
                self._release_widget(slot)
                continue
            indent = INDENT if slot.inner else 0
            top = self._tops[index] + gap_above(slot.block, index == 0) - value
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
