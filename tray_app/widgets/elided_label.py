"""A label of one line that is elided if there is no space."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

_MIN_CHARACTERS = 6


class ElidedLabel(QLabel):
    """One line of plain text, elided to its width; the tooltip has the full text.

    `text()` returns the full text.
    """

    def __init__(
        self, text: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show `text`; line breaks become spaces."""
        super().setText(" ".join(text.splitlines()))
        self.setToolTip(text)

    @property
    def is_elided(self) -> bool:
        """Whether a part of the text is hidden."""
        return self._visible_text() != self.text()

    def minimumSizeHint(self) -> QSize:
        width = self.fontMetrics().averageCharWidth() * _MIN_CHARACTERS
        return QSize(min(width, super().sizeHint().width()), super().sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        alignment = self.alignment() | Qt.TextFlag.TextSingleLine
        self.style().drawItemText(
            painter,
            self.contentsRect(),
            int(alignment),
            self.palette(),
            self.isEnabled(),
            self._visible_text(),
            self.foregroundRole(),
        )
        painter.end()

    def event(self, event: QEvent) -> bool:
        # A tooltip that repeats the visible text is in the way.
        if event.type() == QEvent.Type.ToolTip and not self.is_elided and self.toolTip() == self.text():
            return True
        return super().event(event)

    def _visible_text(self) -> str:
        return self.fontMetrics().elidedText(self.text(), self._mode, self.contentsRect().width())
