"""Tab order in a conversation.

Qt's order is that in which widgets were created, but the widgets of blocks are created as they scroll into view.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from tray_app.pages.sessions.conversation_view import ConversationView


def find_next_focus(view: "ConversationView", focused: QWidget | None, *, forward: bool) -> QWidget | None:
    """The widget to focus after `focused`, inside or outside `view`; None leaves it to Qt."""
    if focused is view and not forward:
        return None
    target = _next_target_within(view, focused, forward=forward)
    if target is not None:
        return target
    return _next_widget_after(view) if forward else view


def _next_target_within(view: "ConversationView", focused: QWidget | None, *, forward: bool) -> QWidget | None:
    step = 1 if forward else -1
    current = _index_of_focused(view, focused)
    if current is None:
        start = view.first_in_view
    else:
        targets = view.widget_at(current).focus_targets()
        own = targets.index(focused) + step if focused in targets else (0 if forward else -1)
        if 0 <= own < len(targets):
            return targets[own]
        start = current + step
    for index in range(start, len(view.slots) if forward else -1, step):
        targets = view.widget_at(index).focus_targets()
        if targets:
            return targets[0 if forward else -1]
    return None


def _index_of_focused(view: "ConversationView", widget: QWidget | None) -> int | None:
    if widget is None or not view.viewport().isAncestorOf(widget):
        return None
    for index, slot in enumerate(view.slots):
        if slot.widget is not None and (slot.widget is widget or slot.widget.isAncestorOf(widget)):
            return index
    return None


def _next_widget_after(view: "ConversationView") -> QWidget | None:
    """The next focusable widget outside the view."""
    widget = view.nextInFocusChain()
    while widget is not None and widget is not view:
        tab = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if tab and widget.isVisible() and widget.isEnabled() and not view.isAncestorOf(widget):
            return widget
        widget = widget.nextInFocusChain()
    return None
