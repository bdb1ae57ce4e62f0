"""Widget of a text block: rendered Markdown, or verbatim text."""

from collections.abc import Sequence
from math import ceil

from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QKeyEvent, QTextCharFormat, QTextCursor, QTextDocument, QWheelEvent
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QVBoxLayout, QWidget

from tray_app import theme
from tray_app.models.sessions.hits import Hits, find_hits
from tray_app.pages.sessions.block_widgets import SCROLL_KEYS, BlockWidget
from tray_app.translation import tr
from tray_app.widgets.markdown_browser import BORDER, MarkdownBrowser, OpenLink


class ProseWidget(BlockWidget):
    """A text as high as its content; verbatim unless `markdown`."""

    outset = BORDER

    def __init__(self, text: str, open_link: OpenLink = QDesktopServices.openUrl, *, markdown: bool = True) -> None:
        super().__init__()
        self.browser = ProseBrowser(text, open_link, markdown=markdown)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.browser)

    def height_for(self, width: int) -> int:
        document = self.browser.document()
        document.setTextWidth(width - 2 * BORDER)
        return ceil(document.size().height()) + 2 * BORDER

    def focus_targets(self) -> Sequence[QWidget]:
        return (self.browser,)

    def mark_hits(self, hits: Hits | None) -> None:
        self.browser.setExtraSelections(hit_selections(self.browser.document(), hits))

    def hit_top(self) -> int | None:
        return first_hit_top(self.browser)


class ProseBrowser(MarkdownBrowser):
    """A text without scroll bars."""

    def __init__(self, text: str, open_link: OpenLink, *, markdown: bool) -> None:
        super().__init__(open_link)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Message text"))
        if markdown:
            self.show_markdown([text])
        else:
            self.show_plain(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave scroll keys to the conversation."""
        if event.key() in SCROLL_KEYS and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave scrolling to the conversation."""
        event.ignore()


def hit_selections(document: QTextDocument, hits: Hits | None) -> list[QTextEdit.ExtraSelection]:
    """Selections that highlight the hits in `document`."""
    selections: list[QTextEdit.ExtraSelection] = []
    for start, end in find_hits(hits, document.toPlainText()) if hits else ():
        cursor = QTextCursor(document)
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        selections.append(_hit_selection(cursor))
    return selections


def first_hit_top(edit: QTextEdit | QPlainTextEdit) -> int | None:
    """The distance of the first highlighted hit from the top of the editor, or None."""
    selections = edit.extraSelections()  # they own their cursors
    return edit.cursorRect(selections[0].cursor).top() if selections else None


def _hit_selection(cursor: QTextCursor) -> QTextEdit.ExtraSelection:
    selection = QTextEdit.ExtraSelection()
    selection.cursor = cursor
    form = QTextCharFormat()
    form.setBackground(theme.current().colour("warning"))
    form.setForeground(theme.current().colour("surface"))
    selection.format = form
    return selection
