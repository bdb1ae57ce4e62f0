"""Every text of the window reaches translators, and what they write reaches the window."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QTableView, QWidget

from server.models.families import SHORT_NAMES
from tests.tools.translatable import messages, non_literals
from tests.tray_app.made_up_language import made_up_language
from tray_app.clients.catalogue import CLIENTS
from tray_app.context import Context
from tray_app.translation import Later, counted, tr
from tray_app.window.main_window import MainWindow
from tray_app.window.pages import other_entries, rail_entries

MARKED = re.compile(r"⟦[^⟦⟧]*(?:⟦[^⟦⟧]*⟧[^⟦⟧]*)*⟧")


@pytest.mark.parametrize(
    ("n", "text"),
    [(0, "0 requests"), (1, "1 request"), (2, "2 requests"), (21, "21 requests"), (1204, "1,204 requests")],
)
def test_one_is_singular(n: int, text: str) -> None:
    assert counted(n, "1 request", "{n} requests") == text


def test_every_text_is_a_literal() -> None:
    assert non_literals() == []
    assert len(messages()) > 700


async def test_a_translation_is_used_for_each_kind_of_text(tmp_path: Path) -> None:
    later = Later("Agent for the terminal")
    assert str(later) == "Agent for the terminal"
    with made_up_language(tmp_path):
        assert tr("Overview") == "⟦Overview⟧"
        assert tr("%n min ago", n=5) == "⟦5 min ago⟧"
        assert counted(3, "1 request", "{n} requests") == "⟦3 requests⟧"
        assert str(later) == "⟦Agent for the terminal⟧"
    assert tr("Overview") == "Overview"


@pytest.fixture
def translated(qapp: QApplication, tmp_path: Path) -> Iterator[None]:
    """Translated from the start, as the application is."""
    with made_up_language(tmp_path):
        yield


async def test_every_visible_text_of_every_page_is_translated(translated: None, context: Context) -> None:
    entries = [*rail_entries(), *other_entries()]
    window = MainWindow(context, entries)
    window.show()
    seen: set[str] = set()
    for entry in entries:
        window.go_to_page(entry.key)
        await window.pages[entry.key].finish_pending()
        visible = [widget for widget in [window, *window.findChildren(QWidget)] if widget.isVisible()]
        seen |= {text for widget in visible for text in texts_of(widget)}
    for page in window.pages.values():
        await page.finish_pending()
    window.hide()
    window.deleteLater()
    # The server's own words, which the log has, too.
    data = names() | {context.key_store.description}
    assert sorted(text for text in seen if MARKED.sub("", text) not in data and has_words(text)) == []
    assert sum("⟦" in text for text in seen) > 200


def texts_of(widget: QWidget) -> Iterator[str]:
    """What can be read on the widget, in its tooltip or by a screen reader."""
    yield from (widget.toolTip(), widget.accessibleName(), widget.accessibleDescription())
    match widget:
        case QLabel() | QAbstractButton():
            yield widget.text()
        case QLineEdit():
            yield widget.placeholderText()
        case QComboBox():
            yield from (widget.itemText(index) for index in range(widget.count()))
        case QTableView():
            model = widget.model()
            columns = range(model.columnCount() if model is not None else 0)
            yield from (str(model.headerData(column, Qt.Orientation.Horizontal) or "") for column in columns)


def names() -> set[str]:
    """What is the same in every language: clients, models, and kinds of files."""
    languages = {snippet.language for client in CLIENTS for snippet in client.snippets}
    return {client.name for client in CLIENTS} | languages | {"default", *SHORT_NAMES}


def has_words(text: str) -> bool:
    """Whether there is a word that is not translated, apart from addresses, paths, units and keys of the keyboard."""
    rest = MARKED.sub("", text).replace("sk-ant-...", "")
    rest = re.sub(r"\(Ctrl\+\d\)|https?://\S+|^/.*|^[0-9a-f.:]+ \(\w+\)$|\b[kM]B\b", "", rest)
    return re.search(r"[^\W\d_]{2}", rest) is not None
