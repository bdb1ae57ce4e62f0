"""Rendered Markdown. Nothing is executed or fetched: HTML stays text, images become their names."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QUrl
from PySide6.QtGui import (
    QColor,
    QDesktopServices,
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextDocumentFragment,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QTextBrowser

from tray_app import theme
from tray_app.translation import tr

_FRONT_MATTER = 0x100000
"""A Qt feature without a name in Python: it would hide text between `---` lines."""
_FEATURES = QTextDocument.MarkdownFeature(
    (QTextDocument.MarkdownFeature.MarkdownDialectGitHub.value & ~_FRONT_MATTER)
    | QTextDocument.MarkdownFeature.MarkdownNoHTML.value
)
_HEADING_PIXELS = {1: 18, 2: 16, 3: 15}
_LINE_PERCENT = 125.0
BORDER = 1
_PARAGRAPH_GAP = 8
_LIST_INDENT = 20
SAFE_SCHEMES = frozenset({"http", "https"})
OpenLink = Callable[[QUrl], object]


class MarkdownBrowser(QTextBrowser):
    """Read-only text without a frame. Its links open in the browser, those to the web only."""

    def __init__(self, open_link: OpenLink = QDesktopServices.openUrl) -> None:
        super().__init__()
        self._open_link = open_link
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setProperty("role", "prose")
        self.setOpenLinks(False)
        self.setTabChangesFocus(True)
        self.viewport().setAutoFillBackground(False)
        self.apply_theme()
        self.anchorClicked.connect(self._open_safe_link)
        self.document().setDocumentMargin(0)
        self.document().setIndentWidth(_LIST_INDENT)
        self.document().setDefaultFont(self.font())
        self.document().setUndoRedoEnabled(False)

    def apply_theme(self) -> None:
        """Take over the theme's colours. The text has to be shown again."""
        self.setStyleSheet(_browser_style())

    def show_markdown(self, texts: Sequence[str]) -> None:
        """Show Markdown texts below each other. What one leaves open, such as a code block, ends with it."""
        if len(texts) == 1:
            self.document().setMarkdown(texts[0], _FEATURES)
        else:
            self.clear()
            for text in texts:
                _append_markdown(self.document(), text)
        self._apply_style(_PARAGRAPH_GAP)

    def show_plain(self, text: str) -> None:
        """Show a text verbatim."""
        self.document().setPlainText(text)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._apply_style(0)

    def loadResource(self, type: int, name: QUrl | str) -> None:
        """Load nothing, neither from the network nor from this computer."""
        return

    def _apply_style(self, paragraph_gap: int) -> None:
        whole = QTextCursor(self.document())
        whole.beginEditBlock()  # laid out once, at the end
        _apply_document_style(self.document(), paragraph_gap=paragraph_gap)
        whole.endEditBlock()

    def _open_safe_link(self, url: QUrl) -> None:
        if url.scheme().lower() in SAFE_SCHEMES:
            self._open_link(url)


def _browser_style() -> str:
    accent = theme.current().colour("accent").name()
    return (
        f"QTextBrowser {{ background: transparent; border: {BORDER}px solid transparent; padding: 0; }}"
        f"QTextBrowser:focus {{ border-color: {accent}; padding: 0; }}"
    )


def _append_markdown(document: QTextDocument, text: str) -> None:
    added = QTextDocument()
    added.setDefaultFont(document.defaultFont())
    added.setMarkdown(text, _FEATURES)
    end = QTextCursor(document)
    end.movePosition(QTextCursor.MoveOperation.End)
    if not document.isEmpty():
        end.insertBlock(QTextBlockFormat(), QTextCharFormat())
    first = end.position()
    end.insertFragment(QTextDocumentFragment(added))
    # The first block takes the format of the one that it was inserted into: a heading would be none.
    end.setPosition(first)
    end.setBlockFormat(added.firstBlock().blockFormat())


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
