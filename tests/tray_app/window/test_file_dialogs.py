"""The initial folders of the file dialogs."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QWidget

from tray_app.window.file_dialogs import ask_for_claude, ask_where_to_save


@pytest.fixture
def window(qtbot, theme):
    window = QWidget()
    qtbot.addWidget(window)
    return window


def save(window: QWidget, chosen: list[Path]) -> QFileDialog:
    return ask_where_to_save(window, "Export", "out.jsonl", ["JSON Lines (*.jsonl)"], chosen.append)


def test_a_file_is_saved_among_the_documents(window):
    documents = Path.home() / "Documents"
    documents.mkdir()
    chosen: list[Path] = []
    dialog = save(window, chosen)
    assert [Path(name) for name in dialog.selectedFiles()] == [documents / "out.jsonl"]
    dialog.fileSelected.emit(str(documents / "mine.jsonl"))
    assert chosen == [documents / "mine.jsonl"]
    dialog.reject()


def test_a_missing_documents_folder_is_replaced_by_the_home_directory(window, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dialog = save(window, [])
    assert Path(dialog.selectedFiles()[0]).parent == Path.home()
    dialog.reject()


def test_claude_is_looked_for_where_it_is(window, tmp_path):
    dialog = ask_for_claude(window, tmp_path / "claude", lambda path: None)
    assert Path(dialog.directory().absolutePath()) == tmp_path
    dialog.reject()
    dialog = ask_for_claude(window, None, lambda path: None)
    assert Path(dialog.directory().absolutePath()) == Path.home()
    dialog.reject()
