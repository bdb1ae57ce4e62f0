"""Code is shown and copied unchanged, with syntax colours."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QTextDocument
from PySide6.QtWidgets import QPlainTextEdit
from pytestqt.qtbot import QtBot

from tray_app.theme import Theme
from tray_app.widgets import CodeView
from tray_app.widgets.syntax import SyntaxHighlighter

PYTHON = 'for n in range(10):\n    print("# no comment")  # a comment'


def coloured(text: str, language: str) -> list[tuple[str, str]]:
    """Return the coloured parts of a text, each with its colour."""
    document = QTextDocument(text)
    highlighter = SyntaxHighlighter(document)
    highlighter.set_language(language)
    highlighter.rehighlight()
    parts = []
    block = document.begin()
    while block.isValid():
        layout = block.layout()
        assert layout is not None
        parts += [
            (block.text()[form.start : form.start + form.length], form.format.foreground().color().name())
            for form in layout.formats()
        ]
        block = block.next()
    return parts


def tokens(theme: Theme, *pairs: tuple[str, str]) -> list[tuple[str, str]]:
    return [(text, QColor(theme.colour(token)).name()) for text, token in pairs]


def test_the_text_is_copied_as_it_is(theme: Theme, qtbot: QtBot) -> None:
    view = CodeView(PYTHON, "python")
    qtbot.addWidget(view)
    qtbot.mouseClick(view.copy, Qt.MouseButton.LeftButton)

    assert QGuiApplication.clipboard().text() == PYTHON


def test_it_is_as_high_as_its_text_up_to_a_limit(theme: Theme, qtbot: QtBot) -> None:
    heights = []
    for lines in (1, 3, 18, 400):
        view = CodeView("\n".join(["line"] * lines))
        qtbot.addWidget(view)
        heights.append(view.sizeHint().height())

    assert heights[0] < heights[1] < heights[2] == heights[3]
    longer = CodeView("\n".join(["line"] * 400), max_lines=40)
    qtbot.addWidget(longer)
    assert heights[3] < longer.sizeHint().height() < 3 * heights[3]


def test_the_same_text_again_leaves_the_place_where_it_is(theme: Theme, qtbot: QtBot) -> None:
    view = CodeView("\n".join(str(n) for n in range(400)))
    qtbot.addWidget(view)
    view.resize(300, 200)
    with qtbot.waitExposed(view):
        view.show()
    bar = view.findChildren(QPlainTextEdit)[0].verticalScrollBar()
    bar.setValue(200)
    view.set_text("\n".join(str(n) for n in range(400)))

    assert bar.value() == 200


def test_python(theme: Theme) -> None:
    assert coloured(PYTHON, "python") == tokens(
        theme,
        ("for", "accent"),
        ("in", "accent"),
        ("10", "warning"),
        ('"# no comment"', "ok"),
        ("# a comment", "muted"),
    )


def test_json_tells_keys_from_texts(theme: Theme) -> None:
    assert coloured('{"model": "so\\"n", "n": -1.5e3, "stop": null}', "json") == tokens(
        theme,
        ('"model"', "accent"),
        ('"so\\"n"', "ok"),
        ('"n"', "accent"),
        ("-1.5e3", "warning"),
        ('"stop"', "accent"),
        ("null", "accent"),
    )


def test_an_address_in_a_command_is_no_number(theme: Theme) -> None:
    assert coloured("curl http://127.0.0.1:8000 # go", "bash") == tokens(theme, ("# go", "muted"))


@pytest.mark.parametrize(("text", "language"), [(PYTHON, ""), (PYTHON, "cobol"), ('"' + "x" * 10_000 + '"', "json")])
def test_what_is_not_known_or_too_long_stays_plain(theme: Theme, text: str, language: str) -> None:
    assert coloured(text, language) == []


def test_the_colours_follow_the_theme(theme: Theme) -> None:
    document = QTextDocument("10")
    highlighter = SyntaxHighlighter(document)
    highlighter.set_language("json")
    theme.set_choice("dark")
    layout = document.begin().layout()
    assert layout is not None

    assert layout.formats()[0].format.foreground().color() == theme.colour("warning")
