import asyncio
import base64
import zlib

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from shiboken6 import delete

from tray_app.models.sessions.blocks import Picture
from tray_app.pages.sessions.picture import ImageWindow, PictureWidget, decode_image


@pytest.fixture
def shown(theme, qtbot):
    """A function that shows a picture; its `done` awaits the tasks that the picture started."""
    tasks = []
    window = QWidget()
    qtbot.addWidget(window)

    def show(picture):
        widget = PictureWidget(picture, lambda work: tasks.append(asyncio.ensure_future(work)))
        widget.setParent(window)
        window.show()
        widget.show()
        return widget

    async def done():
        await asyncio.gather(*tasks)

    show.done = done
    return show


async def test_an_image_is_shown_small_and_has_its_height_from_the_start(shown, png):
    widget = shown(Picture("image/png", png))
    before = widget.height_for(400)
    placeholder = widget.button.icon().cacheKey()
    await shown.done()
    assert widget.button.icon().cacheKey() != placeholder
    assert widget.button.icon().actualSize(QSize(1000, 1000)) == QSize(240, 150)
    assert widget.height_for(400) == before
    assert "640 × 400" in widget.button.accessibleName()


async def test_a_click_shows_it_in_full_size_and_esc_closes_it(shown, png):
    widget = shown(Picture("image/png", png))
    await shown.done()
    widget.button.click()
    await shown.done()
    (window,) = widget.window().findChildren(ImageWindow)
    assert window.isVisible()
    assert window.label.pixmap().size() == QSize(640, 400)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()


@pytest.mark.parametrize("data", ["AAAA", "", "not base64 at all!", base64.b64encode(b"<svg/>").decode()])
async def test_a_damaged_image_says_so(shown, data):
    widget = shown(Picture("image/png", data))
    await shown.done()
    assert "damaged" in widget.problem.text()
    assert not widget.button.isVisibleTo(widget)
    assert not widget.focus_targets()


async def test_an_image_that_breaks_off_says_so_when_it_was_looked_into(shown, png):
    whole = base64.b64decode(png)
    widget = shown(Picture("image/png", base64.b64encode(whole[:40]).decode()))
    heights = []
    widget.height_changed.connect(lambda: heights.append(1))
    await shown.done()
    assert "damaged" in widget.problem.text()
    assert heights


async def test_an_image_that_claims_to_be_huge_is_not_decoded(shown):
    header = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    bomb = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big")
    widget = shown(Picture("image/png", base64.b64encode(bomb).decode()))
    await shown.done()
    assert "too large" in widget.problem.text()


async def test_an_image_that_is_an_address_is_not_fetched(shown):
    widget = shown(Picture("", None, "https://x.test/a.png"))
    await shown.done()
    assert widget.button.icon().isNull()
    assert widget.button.text() == "Open image in browser"
    assert (
        shown(Picture("", None, "file:///etc/passwd")).problem.text() == "This image is linked, not stored "
        "in the conversation."
    )


async def test_an_image_that_is_scrolled_away_while_it_loads_does_no_harm(shown, png):
    widget = shown(Picture("image/png", png))
    delete(widget)
    await shown.done()


def test_a_small_image_is_not_made_larger(qapp, png):
    assert decode_image(png, QSize(2000, 2000)).size().width() == 640
    assert decode_image(png, None).size().width() == 640
    assert decode_image("%%%", None) is None
