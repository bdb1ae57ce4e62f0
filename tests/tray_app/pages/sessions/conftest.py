"""The page over a real store, and conversations to put into it."""

import base64
from functools import partial

import pytest
from PySide6.QtCore import QBuffer, QByteArray
from PySide6.QtGui import QImage

from tests.store.conversations import exchange, saved_as
from tray_app.pages.sessions.page import SessionsPage


class Pages:
    """The page, and what a test does with it."""

    def __init__(self, context, page):
        self.context = context
        self.page = page
        self.requested = []
        self.problems = []
        context.page_requested.connect(lambda *asked: self.requested.append(asked))
        context.problem.connect(self.problems.append)

    @property
    def browser(self):
        return self.page.browser

    @property
    def conversation(self):
        return self.browser.pane.conversation

    def ids(self):
        return [session.id for session in self.browser.model.sessions]

    def title(self):
        return self.browser.pane.header.title.text()

    def pieces(self):
        return [slot.piece for slot in self.conversation.slots]

    async def rest(self):
        """All that was begun is done, and what followed from it."""
        self.context.bridge.flush()
        while self.page.work._running:
            await self.page.work.settle()
            self.context.bridge.flush()

    async def save(self, session_id, *texts, **options):
        await self.context.store.save_session(session_id, **saved_as(exchange(*texts)), **options)
        await self.rest()

    async def session_of(self, checkpoint_id):
        """The id of the session."""
        return (await self.context.store.find_summary(checkpoint_id)).id

    async def save_messages(self, session_id, *messages, system=()):
        await self.context.store.save_session(
            session_id, system=system, messages=messages, client="ide/1", model="opus", usage={}
        )
        await self.rest()

    async def search(self, text):
        self.browser.search.setText(text)
        self.browser.search.returnPressed.emit()
        await self.rest()

    async def read(self, session_id):
        row = self.browser.model.row_of(session_id)
        self.browser.table.selectRow(row)
        await self.rest()


@pytest.fixture
async def pages(context, bugs, monkeypatch):
    """The page, seen, over an empty store."""
    page = SessionsPage(context)
    page.resize(900, 640)
    page.show()
    page.activate()
    pages = Pages(context, page)
    # What can be undone stays so, however long a test takes.
    undo_bar = page.browser.undo_bar
    monkeypatch.setattr(undo_bar, "offer", partial(undo_bar.offer, seconds=600))
    await pages.rest()
    yield pages
    await page.finish_pending()
    page.close()
    page.deleteLater()


@pytest.fixture
async def listed(pages):
    """Four sessions: d c b a."""
    for at, name in enumerate("abcd"):
        await pages.save(name, f"Question {name}", f"Answer number {at}")
    return pages


@pytest.fixture
def png(qapp):
    """A picture of 640 x 400 pixels, in base64."""
    image = QImage(640, 400, QImage.Format.Format_RGB32)
    image.fill(0x336699)
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    assert image.save(buffer, "PNG")
    return base64.b64encode(content.data()).decode()
