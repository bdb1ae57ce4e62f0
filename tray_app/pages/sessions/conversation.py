"""The conversation that is read: its pieces as widgets, folds that open, and the hits of a search."""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from tray_app import theme
from tray_app.models.sessions.blocks import (
    Fold,
    Heading,
    Key,
    Label,
    Note,
    Picture,
    Piece,
    flatten,
    fold_body,
    turn_text,
)
from tray_app.models.sessions.hits import Hits, hits_pattern
from tray_app.models.sessions.markdown import Code, Plain, Prose
from tray_app.models.sessions.session_loader import Reading
from tray_app.pages.sessions.block_widgets import FoldRow, HeadingWidget, PieceWidget, label_widget, note_widget
from tray_app.pages.sessions.code_block import CodeWidget
from tray_app.pages.sessions.conversation_view import ConversationView
from tray_app.pages.sessions.picture import Begin, PictureWidget
from tray_app.pages.sessions.prose import ProseWidget
from tray_app.translation import tr


class Conversation(ConversationView):
    """`begin` does work in the background, `open_link` opens an http address that a person clicked."""

    hit_changed = Signal(int, int)
    """The number of the hit that is shown, from 1 on, and of all; 0 and 0 without any."""

    def __init__(
        self,
        begin: Begin,
        open_link: Callable[[QUrl], object] = QDesktopServices.openUrl,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(self._make, parent)
        self._begin = begin
        self._open_link = open_link
        self._reading: Reading | None = None
        self._opened: dict[Key, tuple[Piece, ...]] = {}
        self._hits: Hits | None = None
        self._hit = 0
        self.setAccessibleName(tr("Conversation"))
        theme.current().changed.connect(self.remake)

    @property
    def reading(self) -> Reading | None:
        """What is shown."""
        return self._reading

    @property
    def opened(self) -> Mapping[Key, Sequence[Piece]]:
        """The folds that are open."""
        return self._opened

    def show_reading(self, reading: Reading) -> None:
        """Show another conversation: from its beginning, or the first hit of the search."""
        self._reading = reading
        self._opened = {}
        self._hits = hits_pattern(reading.search)
        self._hit = 0
        self.show_pieces(flatten(reading.pieces, {}))
        if reading.hits:
            self.go_to_hit(0)
        else:
            self.hit_changed.emit(0, 0)

    def update_reading(self, reading: Reading) -> None:
        """Show what became of the same conversation. The reading place stays, unless the person was at the end."""
        self._reading = reading
        folds = {piece.key: piece for piece in reading.pieces if isinstance(piece, Fold)}
        self._opened = {key: fold_body(folds[key]) for key in self._opened if key in folds}
        self.update_pieces(flatten(reading.pieces, self._opened))
        self._hit = min(self._hit, max(0, len(reading.hits) - 1))
        self.hit_changed.emit(self._hit + 1 if reading.hits else 0, len(reading.hits))

    def clear(self) -> None:
        """Show nothing, and keep nothing of it."""
        self._reading, self._opened, self._hits = None, {}, None
        self.show_pieces([])

    def toggle(self, fold: Fold, opened: bool) -> None:
        """Open or close a fold; its row stays where it is."""
        if self._reading is None:
            return
        if opened:
            self._opened[fold.key] = fold_body(fold)
        else:
            self._opened.pop(fold.key, None)
        self.update_pieces(flatten(self._reading.pieces, self._opened), follow=False)

    def go_to_hit(self, number: int) -> None:
        """Scroll to a hit, counted from 0; behind the last one comes the first."""
        if self._reading is None or not self._reading.hits:
            return
        self._hit = number % len(self._reading.hits)
        place = self._reading.hits[self._hit]
        before = (piece for piece in self._reading.pieces[:place] if isinstance(piece, Fold))
        self.go_to(place + sum(len(self._opened.get(fold.key, ())) for fold in before))
        self.hit_changed.emit(self._hit + 1, len(self._reading.hits))

    def next_hit(self) -> None:
        """Scroll to the next hit."""
        self.go_to_hit(self._hit + 1)

    def previous_hit(self) -> None:
        """Scroll to the hit before."""
        self.go_to_hit(self._hit - 1)

    def _make(self, piece: Piece) -> PieceWidget:
        widget = self._widget(piece)
        widget.mark(self._hits)
        return widget

    def _widget(self, piece: Piece) -> PieceWidget:
        match piece:
            case Heading():
                return HeadingWidget(piece, lambda: self._turn(piece.message))
            case Prose():
                return ProseWidget(piece.text, self._open_link)
            case Plain():
                return ProseWidget(piece.text, self._open_link, markdown=False)
            case Code():
                return CodeWidget(piece)
            case Picture():
                return PictureWidget(piece, self._begin)
            case Note():
                return note_widget(piece)
            case Label():
                return label_widget(piece)
            case Fold():
                return FoldRow(piece, piece.key in self._opened, lambda opened: self.toggle(piece, opened))

    def _turn(self, message: int) -> str:
        return turn_text(self._reading.session.messages, message) if self._reading else ""
