"""The conversation that is read: its pieces as widgets, folds that open, and the hits of a search."""

from collections.abc import Callable, Mapping, Sequence

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
from tray_app.pages.sessions.block_widgets import (
    BlockWidget,
    CollapsibleRow,
    HeadingWidget,
    make_label_widget,
    make_omitted_widget,
)
from tray_app.pages.sessions.code_block import CodeWidget
from tray_app.pages.sessions.conversation_view import ConversationView
from tray_app.pages.sessions.picture import PictureWidget, StartTask
from tray_app.pages.sessions.prose import ProseWidget
from tray_app.translation import tr


class SessionView(ConversationView):
    """`begin` does work in the background, `open_link` opens an http address that a person clicked."""

    hit_changed = Signal(int, int)
    """The number of the hit that is shown, from 1 on, and of all; 0 and 0 without any."""

    def __init__(
        self,
        begin: StartTask,
        open_link: Callable[[QUrl], object] = QDesktopServices.openUrl,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(self._make_marked_widget, parent)
        self._start_task = begin
        self._open_link = open_link
        self._session: LoadedSession | None = None
        self._expanded_bodies: dict[BlockKey, tuple[DisplayBlock, ...]] = {}
        self._hits: Hits | None = None
        self._hit = 0
        self.setAccessibleName(tr("Conversation"))
        theme.current().changed.connect(self.rebuild_widgets)

    @property
    def shown_session(self) -> LoadedSession | None:
        """What is shown."""
        return self._session

    @property
    def expanded_bodies(self) -> Mapping[BlockKey, Sequence[DisplayBlock]]:
        """The folds that are open."""
        return self._expanded_bodies

    def show_session(self, reading: LoadedSession) -> None:
        """Show another conversation: from its beginning, or the first hit of the search."""
        self._session = reading
        self._expanded_bodies = {}
        self._hits = hits_pattern(reading.search)
        self._hit = 0
        self.show_blocks(flatten_blocks(reading.blocks, {}))
        if reading.hits:
            self.go_to_hit(0)
        else:
            self.hit_changed.emit(0, 0)

    def update_session(self, reading: LoadedSession) -> None:
        """Show what became of the same conversation. The reading place stays, unless the person was at the end."""
        self._session = reading
        folds = {piece.key: piece for piece in reading.blocks if isinstance(piece, Collapsible)}
        self._expanded_bodies = {key: expand_collapsible(folds[key]) for key in self._expanded_bodies if key in folds}
        self.update_blocks(flatten_blocks(reading.blocks, self._expanded_bodies))
        self._hit = min(self._hit, max(0, len(reading.hits) - 1))
        self.hit_changed.emit(self._hit + 1 if reading.hits else 0, len(reading.hits))

    def clear_view(self) -> None:
        """Show nothing, and keep nothing of it."""
        self._session, self._expanded_bodies, self._hits = None, {}, None
        self.show_blocks([])

    def set_expanded(self, fold: Collapsible, opened: bool) -> None:
        """Open or close a fold; its row stays where it is."""
        if self._session is None:
            return
        if opened:
            self._expanded_bodies[fold.key] = expand_collapsible(fold)
        else:
            self._expanded_bodies.pop(fold.key, None)
        self.update_blocks(flatten_blocks(self._session.blocks, self._expanded_bodies), follow=False)

    def go_to_hit(self, number: int) -> None:
        """Scroll to a hit, counted from 0; behind the last one comes the first."""
        if self._session is None or not self._session.hits:
            return
        self._hit = number % len(self._session.hits)
        place = self._session.hits[self._hit]
        before = (piece for piece in self._session.blocks[:place] if isinstance(piece, Collapsible))
        self.scroll_to_block(place + sum(len(self._expanded_bodies.get(fold.key, ())) for fold in before))
        self.hit_changed.emit(self._hit + 1, len(self._session.hits))

    def next_hit(self) -> None:
        """Scroll to the next hit."""
        self.go_to_hit(self._hit + 1)

    def previous_hit(self) -> None:
        """Scroll to the hit before."""
        self.go_to_hit(self._hit - 1)

    def _make_marked_widget(self, piece: DisplayBlock) -> BlockWidget:
        widget = self._make_block_widget(piece)
        widget.mark_hits(self._hits)
        return widget

    def _make_block_widget(self, piece: DisplayBlock) -> BlockWidget:
        match piece:
            case Heading():
                return HeadingWidget(piece, lambda: self._turn_text(piece.message))
            case Prose():
                return ProseWidget(piece.text, self._open_link)
            case Plain():
                return ProseWidget(piece.text, self._open_link, markdown=False)
            case Code():
                return CodeWidget(piece)
            case Picture():
                return PictureWidget(piece, self._start_task)
            case OmittedContent():
                return make_omitted_widget(piece)
            case Label():
                return make_label_widget(piece)
            case Collapsible():
                return CollapsibleRow(
                    piece, piece.key in self._expanded_bodies, lambda opened: self.set_expanded(piece, opened)
                )

    def _turn_text(self, message: int) -> str:
        return turn_text(self._session.session.messages, message) if self._session else ""
