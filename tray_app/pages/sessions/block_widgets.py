"""Widgets of display blocks, except prose, code and pictures, which have modules of their own."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from tray_app import theme
from tray_app.models.sessions.blocks import Collapsible, CollapsibleKind, Heading, Label, OmittedContent
from tray_app.models.sessions.hits import Hits
from tray_app.pages.sessions.block_sizes import ROW
from tray_app.translation import tr
from tray_app.widgets import CopyButton

SCROLL_KEYS = frozenset(
    {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End}
)
"""Keys that scroll the conversation, whichever block has the focus."""
QUIET_PADDING = 8
"""Padding of a quiet button, needed to align its text with the surrounding text."""


class BlockWidget(QWidget):
    """The widget of a display block."""

    height_changed = Signal()
    outset = 0
    """Pixels beyond the left edge of the column, so that texts are aligned."""

    def height_for(self, width: int) -> int:
        """The height in a column of `width`."""
        height = self.heightForWidth(width) if self.hasHeightForWidth() else self.sizeHint().height()
        return max(height, 1)

    def focus_targets(self) -> Sequence[QWidget]:
        """The focusable widgets, in Tab order."""
        return ()

    def mark_hits(self, hits: Hits | None) -> None:
        """Highlight the hits of a search."""

    def hit_top(self) -> int | None:
        """The distance of the first hit from the top, or None."""
        return None


class HeadingWidget(BlockWidget):
    """The role, and a button that copies its message. `text` returns the message."""

    def __init__(self, heading: Heading, text: Callable[[], str]) -> None:
        super().__init__()
        name = QLabel(role_name(heading))
        name.setProperty("role", "heading")
        self.copy = CopyButton(text, label="")
        self.copy.setToolTip(tr("Copy this message"))
        self.copy.setAccessibleName(tr("Copy this message"))
        row = _make_row(self)
        row.addWidget(name)
        row.addStretch(1)
        row.addWidget(self.copy)

    def focus_targets(self) -> Sequence[QWidget]:
        return (self.copy,)


class LineWidget(BlockWidget):
    """A line that is not part of the conversation: a label, or a note about omitted content."""

    def __init__(self, text: str, role: str = "muted") -> None:
        super().__init__()
        self.label = QLabel(text)
        self.label.setProperty("role", role)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.label)


class CollapsibleRow(BlockWidget):
    """A row that expands and collapses on click, Space or Enter. `toggled` is called with the new state."""

    outset = QUIET_PADDING

    def __init__(self, collapsible: Collapsible, opened: bool, toggled: Callable[[bool], None]) -> None:
        super().__init__()
        self._name = collapsible_name(collapsible)
        self._toggled = toggled
        self.button = _CollapsibleButton(self._name)
        self.button.setChecked(opened)
        self.button.toggled.connect(self._handle_toggle)
        row = _make_row(self)
        row.addWidget(self.button)
        if collapsible.is_failed:
            failed = QLabel(tr("Failed"))
            failed.setProperty("role", "error")
            row.addWidget(failed)
        row.addStretch(1)
        self._show_expanded(opened)

    def focus_targets(self) -> Sequence[QWidget]:
        return (self.button,)

    def _handle_toggle(self, opened: bool) -> None:
        self._show_expanded(opened)
        self._toggled(opened)

    def _show_expanded(self, opened: bool) -> None:
        self.button.setIcon(theme.current().icon("mdi6.chevron-down" if opened else "mdi6.chevron-right", "muted"))
        state = tr("open") if opened else tr("closed")
        self.button.setAccessibleName(f"{self._name}, {state}")


class _CollapsibleButton(QPushButton):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.setProperty("role", "quiet")
        self.setCheckable(True)
        self.setAutoDefault(True)  # Enter, besides Space
        self.setIconSize(QSize(theme.size("icon"), theme.size("icon")))
        self._whole = text
        self.setText(text if len(text) <= 60 else f"{text[:30]}…{text[-29:]}")
        self.setToolTip(text if len(text) > 60 else "")


def role_name(heading: Heading) -> str:
    return tr("User") if heading.role == "user" else tr("Assistant")


def collapsible_name(collapsible: Collapsible) -> str:
    names: dict[CollapsibleKind, str] = {
        "system": tr("System prompt"),
        "thinking": tr("Thinking"),
        "tool_call": tr("Tool call {name}").format(name=collapsible.name),
        "tool_result": tr("Tool result"),
        "server_tool": _server_tool_name(collapsible),
    }
    return names[collapsible.kind]


def _server_tool_name(collapsible: Collapsible) -> str:
    """What a tool did that Anthropic runs, in words where it is a usual one."""
    given = collapsible.content.get("input")
    given = given if isinstance(given, dict) else {}
    match collapsible.name:
        case "web_search" if given.get("query"):
            return tr("Searched the web for {query}").format(query=given["query"])
        case "web_fetch" if given.get("url"):
            return tr("Read {address}").format(address=given["url"])
        case "code_execution" | "bash_code_execution" | "text_editor_code_execution":
            return tr("Ran code at Anthropic")
    return tr("Tool call {name}").format(name=collapsible.name)


def make_label(label: Label) -> LineWidget:
    """The line above a part of an expanded block."""
    names = {
        "arguments": tr("Arguments"),
        "result": tr("Result"),
        "error": tr("Error"),
        "no_result": tr("No result yet."),
    }
    return LineWidget(names[label.kind], "error" if label.kind == "error" else "muted")


def make_omission(omitted: OmittedContent) -> LineWidget:
    """The line for omitted content."""
    names = {
        "document": tr("Document"),
        "redacted_thinking": tr("Redacted thinking"),
    }
    name = names.get(omitted.kind) or tr("Content of type {kind}").format(kind=omitted.kind or "?")
    return LineWidget(f"{name} ({omitted.media_type})" if omitted.media_type else name)


def _make_row(widget: QWidget) -> QHBoxLayout:
    row = QHBoxLayout(widget)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.size("grid"))
    widget.setMinimumHeight(ROW)
    return row
