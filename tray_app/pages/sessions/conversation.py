"""View of one session: blocks as widgets, collapsible blocks, and search hits."""

from collections.abc import Callable

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from tray_app import theme
from tray_app.models.sessions.blocks import (
    BlockKey,
    Collapsible,
    DisplayBlock,
    Heading,
    Label,
    OmittedContent,
    Picture,
    expand_collapsible,
    flatten_blocks,
    turn_text,
)
from tray_app.models.sessions.hits import Hits, hits_pattern
from tray_app.models.sessions.markdown import Code, Plain, Prose
from tray_app.models.sessions.session_loader import LoadedSession
from tray_app.pages.sessions.block_widgets import BlockWidget, CollapsibleRow, HeadingWidget, make_label, make_omission
from tray_app.pages.sessions.code_block import CodeWidget
from tray_app.pages.sessions.conversation_view import ConversationView
from tray_app.pages.sessions.picture import PictureWidget, StartTask
from tray_app.pages.sessions.prose import ProseWidget
from tray_app.translation import tr


class SessionView(ConversationView):
    """Shows a LoadedSession. `start_task` runs background work, `open_link` opens a clicked http address."""

    hit_changed = Signal(int, int)
    """Number of the current hit, from 1, and the total; 0 and 0 without hits."""

    def __init__(
        self,
        start_task: StartTask,
        open_link: Callable[[QUrl], object] = QDesktopServices.openUrl,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(self._make_marked_widget, parent)
        self._start_task = start_task
        self._open_link = open_link
        self.shown_session: LoadedSession | None = None
        self._expanded: dict[BlockKey, tuple[DisplayBlock, ...]] = {}
        self._hits: Hits | None = None
        self._hit = 0
        self.setAccessibleName(tr("Conversation"))
        theme.current().changed.connect(self.rebuild_widgets)

    def show_session(self, loaded: LoadedSession) -> None:
        """Show another session from its beginning or from the first search hit."""
        self.shown_session = loaded
        self._expanded = {}
        self._hits = hits_pattern(loaded.search)
        self._hit = 0
        self.show_blocks(flatten_blocks(loaded.blocks, {}))
        if loaded.hits:
            self.go_to_hit(0)
        else:
            self.hit_changed.emit(0, 0)

    def update_session(self, loaded: LoadedSession) -> None:
        """Show a new version of the same session. Keeps the scroll position, unless it is at the end."""
        self.shown_session = loaded
        found = {block.key: block for block in loaded.blocks if isinstance(block, Collapsible)}
        self._expanded = {key: expand_collapsible(found[key]) for key in self._expanded if key in found}
        self.update_blocks(flatten_blocks(loaded.blocks, self._expanded))
        self._hit = min(self._hit, max(0, len(loaded.hits) - 1))
        self.hit_changed.emit(self._hit + 1 if loaded.hits else 0, len(loaded.hits))

    def clear_view(self) -> None:
        """Show no session and free its data."""
        self.shown_session, self._expanded, self._hits = None, {}, None
        self.show_blocks([])

    def set_expanded(self, collapsible: Collapsible, opened: bool) -> None:
        """Expand or collapse a block; its row keeps its position."""
        if self.shown_session is None:
            return
        if opened:
            self._expanded[collapsible.key] = expand_collapsible(collapsible)
        else:
            self._expanded.pop(collapsible.key, None)
        self.update_blocks(flatten_blocks(self.shown_session.blocks, self._expanded), follow=False)

    def go_to_hit(self, number: int) -> None:
        """Scroll to a hit, counted from 0; wraps around at both ends."""
        if self.shown_session is None or not self.shown_session.hits:
            return
        self._hit = number % len(self.shown_session.hits)
        index = self.shown_session.hits[self._hit]
        before = (block for block in self.shown_session.blocks[:index] if isinstance(block, Collapsible))
        self.scroll_to_block(index + sum(len(self._expanded.get(collapsible.key, ())) for collapsible in before))
        self.hit_changed.emit(self._hit + 1, len(self.shown_session.hits))

    def next_hit(self) -> None:
        self.go_to_hit(self._hit + 1)

    def previous_hit(self) -> None:
        self.go_to_hit(self._hit - 1)

    def _make_marked_widget(self, block: DisplayBlock) -> BlockWidget:
        widget = self._make_block_widget(block)
        widget.mark_hits(self._hits)
        return widget

    def _make_block_widget(self, block: DisplayBlock) -> BlockWidget:
        match block:
            case Heading():
                return HeadingWidget(block, lambda: self._turn_text(block.message))
            case Prose():
                return ProseWidget(block.text, self._open_link)
            case Plain():
                return ProseWidget(block.text, self._open_link, markdown=False)
            case Code():
                return CodeWidget(block)
            case Picture():
                return PictureWidget(block, self._start_task)
            case OmittedContent():
                return make_omission(block)
            case Label():
                return make_label(block)
            case Collapsible():
                expanded = block.key in self._expanded
                return CollapsibleRow(block, expanded, lambda opened: self.set_expanded(block, opened))

    def _turn_text(self, message: int) -> str:
        return turn_text(self.shown_session.session.messages, message) if self.shown_session else ""
