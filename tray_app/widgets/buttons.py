"""Push buttons, and a button that copies text."""

from collections.abc import Awaitable, Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QPushButton, QWidget

from server.core.tasks import spawn
from tray_app import theme
from tray_app.translation import tr
from tray_app.widgets.announcement import announce

TextSource = Callable[[], str | Awaitable[str]]
COPIED_MS = 1000

_ICON_TOKENS = {"primary": "on_accent", "destroy": "on_error", "danger": "error"}


def make_button(text: str, slot: Callable[[], Any], *, role: str = "", icon: str = "", hint: str = "") -> QPushButton:
    """Return a push button that calls `slot` without arguments.

    `role` is "primary", "danger", "destroy" or "quiet"; `icon` is a name of qtawesome. `hint` is the tooltip, and the
    accessible name of a button without text.
    """
    button = QPushButton(text)
    apply_button_style(button, role=role, icon=icon, hint=hint)
    button.clicked.connect(lambda _checked=False: slot())
    return button


def apply_button_style(button: QPushButton, *, role: str = "", icon: str = "", hint: str = "") -> None:
    """Set a button's role, icon and hint. Tab focuses the button, a click does not."""
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    EnterKeyFilter(button)
    button.setProperty("role", role)
    button.setIconSize(QSize(theme.size("icon"), theme.size("icon")))
    if icon:
        button.setIcon(theme.current().icon(icon, _ICON_TOKENS.get(role, "text")))
    if hint:
        button.setToolTip(hint)
    if not button.text():
        button.setAccessibleName(hint)


class EnterKeyFilter(QObject):
    """Lets Enter press a focused button, as Space does; Qt does so only in dialogs."""

    def __init__(self, button: QAbstractButton) -> None:
        super().__init__(button)
        button.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not (isinstance(event, QKeyEvent) and isinstance(watched, QAbstractButton)):
            return super().eventFilter(watched, event)
        if event.type() == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                watched.click()
            return True
        return super().eventFilter(watched, event)


class CopyButton(QPushButton):
    """Copies the text of a sync or async source, and shows "Copied" for 1 s."""

    def __init__(self, text_source: TextSource, label: str | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source = text_source
        self._label = tr("Copy") if label is None else label
        self._reset_timer = QTimer(self)
        self._reset_timer.setSingleShot(True)
        self._reset_timer.setInterval(COPIED_MS)
        self._reset_timer.timeout.connect(self._reset_label)
        apply_button_style(self, role="quiet", icon="mdi6.content-copy", hint="" if self._label else tr("Copy"))
        self._reset_label()
        self.clicked.connect(self.copy_text)

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        texts = (tr("Copied"), self._label, self.text())
        widths = [metrics.size(Qt.TextFlag.TextShowMnemonic, text).width() for text in texts]
        hint = super().sizeHint()
        return QSize(hint.width() + (max(widths) - widths[-1] if self._label else 0), hint.height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def copy_text(self) -> None:
        """Copy now, as a click does. A failure is logged and shown on the button."""
        text = self._source()
        if isinstance(text, str):
            self._set_clipboard(text)
        else:
            spawn(
                self._copy_awaited(text),
                name="copy",
                on_error=lambda _error: self._show_result(tr("Not copied"), "mdi6.alert-outline"),
            )

    async def _copy_awaited(self, text: Awaitable[str]) -> None:
        self._set_clipboard(await text)

    def _set_clipboard(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._show_result(tr("Copied"), "mdi6.check")

    def _show_result(self, text: str, icon: str) -> None:
        if self._label:
            self.setText(text)
        self.setIcon(theme.current().icon(icon))
        announce(self, text)
        self._reset_timer.start()

    def _reset_label(self) -> None:
        self.setText(self._label)
        self.setIcon(theme.current().icon("mdi6.content-copy"))
