import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QFont, QTextDocument, QWheelEvent
from PySide6.QtTest import QTest

from tray_app.pages.sessions.prose import ProseWidget


@pytest.fixture
def shown(theme, qtbot):
    opened = []

    def show(markdown):
        widget = ProseWidget(markdown, opened.append)
        widget.opened = opened
        widget.resize(400, widget.height_for(400))
        qtbot.addWidget(widget)
        widget.show()
        return widget

    return show


def plain(widget):
    return widget.browser.toPlainText()


def click_first_link(widget):
    browser = widget.browser
    cursor = browser.cursorForPosition(browser.rect().topLeft())
    cursor.movePosition(cursor.MoveOperation.NextCharacter, n=2)
    place = browser.cursorRect(cursor).center()
    assert browser.anchorAt(place)
    QTest.mouseClick(browser.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)


def test_markdown_is_laid_out(shown):
    assert plain(shown("# Title\n\nA **bold** word\n\n- one\n- two")) == "Title\nA bold word\none\ntwo"


@pytest.mark.parametrize(
    "text",
    [
        "2*3*4",
        "# a\n\n\n  - b\n\tc  d  ",
        "```\ncode\n```",
        "<b>x</b> &amp; [a](https://x.test)",
        "![i](a.png)",
        "x" * 900,
    ],
)
def test_what_was_sent_is_shown_as_it_is(theme, qtbot, text):
    widget = ProseWidget(text, markdown=False)
    qtbot.addWidget(widget)
    assert plain(widget) == text
    widget.browser.selectAll()
    assert widget.browser.createMimeDataFromSelection().text() == text
    narrow, wide = widget.height_for(100), widget.height_for(800)
    assert narrow >= wide
    assert widget.browser.document().idealWidth() <= 800


@pytest.mark.parametrize(
    "html", ["<script>alert(1)</script>", "<b>bold</b>", '<img src="file:///etc/passwd">', "<a href='x:y'>z</a>"]
)
def test_html_stays_text(shown, html):
    assert plain(shown(f"Before {html} after")) == f"Before {html} after"


def test_what_looks_like_front_matter_is_not_swallowed(shown):
    assert "name: x" in plain(shown("---\nname: x\n---\n\nText"))


def test_verbatim_lines_stay_in_one_paragraph(shown):
    widget = shown("one\u2028two")
    assert plain(widget) == "one\ntwo"
    assert widget.browser.document().blockCount() == 1


@pytest.mark.parametrize(
    "address",
    ["https://x.test/a.png", "file:///etc/passwd", "//server/share/a.png", "data:image/png;base64,AAAA", "a.png"],
)
def test_no_image_is_ever_loaded(shown, address):
    widget = shown(f"![a diagram]({address}) after")
    assert plain(widget) == "[Image: a diagram] after"
    assert widget.browser.loadResource(QTextDocument.ResourceType.ImageResource, QUrl(address)) is None


@pytest.mark.parametrize("address", ["https://x.test/page", "http://x.test"])
def test_a_link_opens_after_a_click(shown, address):
    widget = shown(f"[link]({address})")
    assert not widget.opened
    click_first_link(widget)
    assert widget.opened == [QUrl(address)]


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "file:///etc/passwd", "vscode://x", "smb://x/y", "mailto:a@b.test"]
)
def test_a_link_to_anything_but_the_web_does_nothing(shown, address):
    widget = shown(f"[link]({address})")
    click_first_link(widget)
    assert widget.opened == []
    assert plain(widget) == "link"


def test_a_block_is_as_high_as_its_text(shown):
    widget = shown("word " * 200)
    assert widget.height_for(200) > widget.height_for(400) > 60
    assert not widget.browser.verticalScrollBar().isVisible()


def test_code_within_a_line_is_in_the_fixed_font(shown, theme):
    widget = shown("a `code` b")
    cursor = widget.browser.document().find("code")
    assert cursor.charFormat().font().families() == theme.fixed_font().families()


@pytest.mark.parametrize(("level", "pixels"), [(1, 18), (2, 16), (3, 15), (6, 14)])
def test_headings_stand_out(shown, level, pixels):
    widget = shown(f"{'#' * level} Title with `code`\n\ntext")
    font = widget.browser.document().find("Title").charFormat().font()
    assert (font.pixelSize(), font.weight()) == (pixels, QFont.Weight.DemiBold)


def test_the_wheel_is_the_conversations(shown):
    widget = shown("text")
    event = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    widget.browser.wheelEvent(event)
    assert not event.isAccepted()
