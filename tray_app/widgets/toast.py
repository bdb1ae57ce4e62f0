"""A short message at the bottom of a window that disappears by itself."""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from tray_app import theme
from tray_app.widgets.announcement import announce


class Toast(QFrame):
    """Floats over the bottom of `parent`. For confirmations, never for errors."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = parent
        self.setProperty("role", "toast")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, theme.size("grid"), 16, theme.size("grid"))
        row.addWidget(self._text)
        parent.installEventFilter(self)
        self.hide()

    def text(self) -> str:
        """Return the current or last message."""
        return self._text.text()

    def show_message(self, text: str, seconds: float = 3) -> None:
        """Show `text` for some seconds."""
        self._text.setText(text)
        self._update_position()
        self.show()
        self.raise_()
        self._timer.start(round(seconds * 1000))
        announce(self, text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._update_position()
        return super().eventFilter(watched, event)

    def _update_position(self) -> None:
        self.adjustSize()
        host = self._host
        self.move((host.width() - self.width()) // 2, host.height() - self.height() - theme.size("margin"))
