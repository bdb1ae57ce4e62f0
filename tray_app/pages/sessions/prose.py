"""Widget of a text block: rendered Markdown, or verbatim text.

Nothing is executed or fetched: HTML stays text, images become their names.
"""

from collections.abc import Callable, Sequence
from math import ceil

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QDesktopServices,
    QFont,
    QKeyEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QTextBrowser, QTextEdit, QVBoxLayout, QWidget

from tray_app import theme
from tray_app.models.sessions.hits import Hits, find_hits
from tray_app.pages.sessions.block_widgets import SCROLL_KEYS, BlockWidget
from tray_app.translation import tr

_FRONT_MATTER = 0x100000
"""A Qt feature without a name in Python: it would hide text between `---` lines."""
_FEATURES = QTextDocument.MarkdownFeature(
    (QTextDocument.MarkdownFeature.MarkdownDialectGitHub.value & ~_FRONT_MATTER)
    | QTextDocument.MarkdownFeature.MarkdownNoHTML.value
)
_HEADING_PIXELS = {1: 18, 2: 16, 3: 15}
_LINE_PERCENT = 125.0
_BORDER = 1
_PARAGRAPH_GAP = 8
_LIST_INDENT = 20
SAFE_SCHEMES = frozenset({"http", "https"})
OpenLink = Callable[[QUrl], object]


class ProseWidget(BlockWidget):
    """A text as high as its content; verbatim unless `markdown`."""

    outset = _BORDER

    def __init__(self, text: str, open_link: OpenLink = QDesktopServices.openUrl, *, markdown: bool = True) -> None:
        super().__init__()
        self.browser = ProseBrowser(text, open_link, markdown=markdown)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.browser)

    def height_for(self, width: int) -> int:
        document = self.browser.document()
        document.setTextWidth(width - 2 * _BORDER)
        return ceil(document.size().height()) + 2 * _BORDER

    def focus_targets(self) -> Sequence[QWidget]:
        return (self.browser,)

    def mark_hits(self, hits: Hits | None) -> None:
        self.browser.setExtraSelections(hit_selections(self.browser.document(), hits))

    def hit_top(self) -> int | None:
        return first_hit_top(self.browser)


class ProseBrowser(QTextBrowser):
    """Read-only text without frame and scroll bars."""

    def __init__(self, text: str, open_link: OpenLink, *, markdown: bool) -> None:
        super().__init__()
        self._open_link = open_link
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setProperty("role", "prose")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setOpenLinks(False)
        self.setTabChangesFocus(True)
        self.setAccessibleName(tr("Message text"))
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet(_browser_style())
        self.anchorClicked.connect(self._open_safe_link)
        self.document().setDocumentMargin(0)
        self.document().setIndentWidth(_LIST_INDENT)
        self.document().setDefaultFont(self.font())
        self.document().setUndoRedoEnabled(False)
        if markdown:
            self.document().setMarkdown(text, _FEATURES)
        else:
            self.document().setPlainText(text)
            self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        whole = QTextCursor(self.document())
        whole.beginEditBlock()  # laid out once, at the end
        _apply_document_style(self.document(), paragraph_gap=_PARAGRAPH_GAP if markdown else 0)
        whole.endEditBlock()

    def loadResource(self, type: int, name: QUrl | str) -> None:
        """Load nothing, neither from the network nor from this computer."""
        return

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave scroll keys to the conversation."""
        if event.key() in SCROLL_KEYS and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave scrolling to the conversation."""
        event.ignore()

    def _open_safe_link(self, url: QUrl) -> None:
        if url.scheme().lower() in SAFE_SCHEMES:
            self._open_link(url)


def _browser_style() -> str:
    accent = theme.current().colour("accent").name()
    return (
        f"QTextBrowser {{ background: transparent; border: {_BORDER}px solid transparent; padding: 0; }}"
        f"QTextBrowser:focus {{ border-color: {accent}; padding: 0; }}"
    )


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


def _apply_document_style(document: QTextDocument, *, paragraph_gap: int) -> None:
    """Apply the theme's fonts and colours, and replace images with their names."""
    colours = theme.current()
    code = QTextCharFormat()
    code.setFont(theme.fixed_font())
    code.setBackground(colours.colour("hover"))
    block = document.begin()
    while block.isValid():
        cursor = QTextCursor(block)
        shape = QTextBlockFormat()
        shape.setLineHeight(_LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        following = block.next()
        in_list = block.textList() is not None and following.textList() is not None
        if following.isValid() and not in_list and cursor.currentTable() is None:
            shape.setBottomMargin(paragraph_gap)
        cursor.mergeBlockFormat(shape)
        _apply_fragment_styles(document, block.position(), code, colours.colour("accent"))
        block = block.next()


def _heading_format(form: QTextCharFormat, level: int) -> QTextCharFormat:
    form = QTextCharFormat(form)
    form.clearProperty(QTextCharFormat.Property.FontSizeAdjustment)  # it takes precedence over a size in pixels
    form.setProperty(QTextCharFormat.Property.FontPixelSize, _HEADING_PIXELS.get(level, 14))
    form.setFontWeight(QFont.Weight.DemiBold)
    return form


def _apply_fragment_styles(document: QTextDocument, start: int, code: QTextCharFormat, link: QColor) -> None:
    for position, length, form in _block_fragments(document, start):
        cursor = QTextCursor(document)
        cursor.setPosition(position)
        cursor.setPosition(position + length, QTextCursor.MoveMode.KeepAnchor)
        if level := cursor.blockFormat().headingLevel():
            cursor.setCharFormat(_heading_format(form, level))
        if form.isImageFormat():
            _name_image(cursor, form)
        elif form.isAnchor():
            colour = QTextCharFormat()
            colour.setForeground(link)
            cursor.mergeCharFormat(colour)
        elif form.fontFixedPitch():
            cursor.mergeCharFormat(code)


def _block_fragments(document: QTextDocument, start: int) -> list[tuple[int, int, QTextCharFormat]]:
    """Position, length and format of the fragments of the text block at `start`, last one first."""
    found = []
    iterator = document.findBlock(start).begin()
    while not iterator.atEnd():
        fragment = iterator.fragment()
        found.append((fragment.position(), fragment.length(), fragment.charFormat()))
        iterator += 1
    return found[::-1]


def _name_image(cursor: QTextCursor, form: QTextCharFormat) -> None:
    image = form.toImageFormat()
    alternative = form.property(QTextCharFormat.Property.ImageAltText)
    name = str(alternative or "") or image.name()
    plain = QTextCharFormat()
    if QUrl(image.name()).scheme().lower() in SAFE_SCHEMES:
        plain.setAnchor(True)
        plain.setAnchorHref(image.name())
        plain.setForeground(theme.current().colour("accent"))
    cursor.insertText(tr("[Image: {name}]").format(name=name), plain)
