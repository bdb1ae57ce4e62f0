"""Images of a conversation: a thumbnail, a window with the full size, or a sentence if the image is damaged.

Only image data in the conversation is shown. A linked image is not fetched.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QIcon, QImage, QKeySequence, QPixmap, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollArea, QWidget
from shiboken6 import isValid

from server.core.image_size import size_of_base64
from tray_app import theme
from tray_app.models.sessions.blocks import Picture
from tray_app.pages.sessions.block_sizes import THUMBNAIL
from tray_app.pages.sessions.block_widgets import QUIET_PADDING, BlockWidget
from tray_app.translation import tr
from tray_app.widgets.markdown_browser import SAFE_SCHEMES

MAX_PIXELS = 50_000_000
"""Larger images are not decoded: these take 200 MB, and a few bytes can claim a far larger size."""
StartTask = Callable[[Coroutine[Any, Any, None]], object]
"""Runs a coroutine in the background."""


class PictureWidget(BlockWidget):
    """A thumbnail that opens the image in full size. Its height is known before decoding, so nothing shifts."""

    outset = QUIET_PADDING + 2

    def __init__(self, picture: Picture, start_task: StartTask) -> None:
        super().__init__()
        self._picture = picture
        self._start_task = start_task
        self._pixels = size_of_base64(picture.data or "")
        self.problem = QLabel()
        self.problem.setProperty("role", "muted")
        self.problem.setWordWrap(True)
        self.problem.setIndent(QUIET_PADDING)
        self.button = QPushButton()
        self.button.setProperty("role", "quiet")
        self.button.clicked.connect(self._open_full_size)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        row.addWidget(self.problem, 1)
        row.addStretch(0)
        self._show_initial()

    def height_for(self, width: int) -> int:
        return self.button.sizeHint().height() if self.button.isVisibleTo(self) else super().height_for(width)

    def focus_targets(self) -> Sequence[QWidget]:
        return (self.button,) if self.button.isVisibleTo(self) else ()

    def _show_initial(self) -> None:
        if self._picture.data is None:
            self._show_address()
        elif self._pixels is None:
            self._set_problem(tr("This image is damaged or in an unsupported format."))
        elif self._pixels[0] * self._pixels[1] > MAX_PIXELS:
            self._set_problem(tr("This image is too large to show: {size}.").format(size=self._size_text()))
        else:
            self._set_problem("")
            self.button.setIconSize(_thumbnail_size(self._pixels))
            self.button.setIcon(_placeholder_icon(self.button.iconSize()))
            self.button.setAccessibleName(tr("Image, {size}: view full size").format(size=self._size_text()))
            self.button.setToolTip(tr("Image, {size}. Click to view full size.").format(size=self._size_text()))
            self._start_task(self._load_thumbnail())

    def _show_address(self) -> None:
        url = QUrl(self._picture.url)
        known = url.scheme().lower() in SAFE_SCHEMES
        self._set_problem("" if known else tr("This image is linked, not stored in the conversation."))
        self.button.setVisible(known)
        self.button.setText(tr("Open image in browser"))
        self.button.setToolTip(self._picture.url)

    def _set_problem(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        self.button.setVisible(not text)

    def _size_text(self) -> str:
        width, height = self._pixels or (0, 0)
        return f"{width} × {height}"  # noqa: RUF001 - a multiplication sign

    async def _load_thumbnail(self) -> None:
        if not isValid(self):
            return  # deleted before the task started
        size = self.button.iconSize() * self.devicePixelRatioF()
        image = await asyncio.to_thread(decode_image, self._picture.data or "", size)
        if not isValid(self):
            return  # deleted while decoding, because it was scrolled out of view
        if image is None:
            self._set_problem(tr("This image is damaged or in an unsupported format."))
            self.height_changed.emit()
            return
        pixmap = QPixmap.fromImage(image)
        pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        self.button.setIcon(QIcon(pixmap))

    def _open_full_size(self) -> None:
        if self._picture.data is None:
            QDesktopServices.openUrl(QUrl(self._picture.url))
        else:
            self._start_task(self._show_full_size())

    async def _show_full_size(self) -> None:
        image = await asyncio.to_thread(decode_image, self._picture.data or "", None)
        if image is not None and isValid(self):
            window = ImageWindow(image, self.window())
            window.show()


class ImageWindow(QScrollArea):
    """An image in full size. Esc closes it."""

    def __init__(self, image: QImage, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowFlag(Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Image, {width} × {height}").format(width=image.width(), height=image.height()))  # noqa: RUF001
        self.label = QLabel()
        self.label.setPixmap(QPixmap.fromImage(image))
        self.label.setAccessibleName(self.windowTitle())
        self.setWidget(self.label)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.close)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Close), self, self.close)
        screen = self.screen().availableGeometry().size() * 0.8
        self.resize((self.label.sizeHint() + QSize(24, 24)).boundedTo(screen))


def decode_image(data: str, size: QSize | None) -> QImage | None:
    """Decode base64 `data` and scale it down to `size`, if given; None if it is damaged. Slow: use a thread."""
    try:
        image = QImage.fromData(base64.b64decode(data))
    except (binascii.Error, ValueError):
        return None
    if image.isNull():
        return None
    if size is None or (image.width() <= size.width() and image.height() <= size.height()):
        return image
    return image.scaled(size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)


def _placeholder_icon(size: QSize) -> QIcon:
    pixmap = QPixmap(size)
    pixmap.fill(theme.current().colour("hover"))
    return QIcon(pixmap)


def _thumbnail_size(pixels: tuple[int, int]) -> QSize:
    size = QSize(*pixels)
    maximum = QSize(*THUMBNAIL)
    if size.width() > maximum.width() or size.height() > maximum.height():
        size.scale(maximum, Qt.AspectRatioMode.KeepAspectRatio)
    return size.expandedTo(QSize(theme.size("icon"), theme.size("icon")))
