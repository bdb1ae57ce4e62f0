"""A field that hides a secret until the user reveals it."""

from collections.abc import Awaitable, Callable

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from server.core.tasks import spawn
from tray_app import theme
from tray_app.translation import tr
from tray_app.widgets.buttons import CopyButton, make_button
from tray_app.widgets.elided_label import ElidedLabel

SHOWN_SECONDS = 10
_DOTS = "•" * 12


class SecretField(QWidget):
    """A secret of `source`, behind dots, with buttons to reveal (10 s) and copy it.

    `name` is the accessible name.
    """

    def __init__(
        self,
        source: Callable[[], Awaitable[str]],
        parent: QWidget | None = None,
        *,
        name: str = "",
        shown_seconds: float = SHOWN_SECONDS,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._name = name or tr("Secret")
        # False again if the field is hidden while `_load_secret` awaits the source.
        self._wanted = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(round(shown_seconds * 1000))
        self._timer.timeout.connect(self.hide_secret)
        self._text = ElidedLabel()
        self._text.setProperty("role", "code")
        self._text.setFont(theme.fixed_font())
        # Wide enough for the dots, which must not be elided.
        self._text.setMinimumWidth(self._text.fontMetrics().horizontalAdvance(_DOTS) + 2)
        self.toggle = make_button(tr("Show"), self._toggle_secret, role="quiet", icon="mdi6.eye-outline")
        self.copy = CopyButton(source)
        self.copy.setAccessibleName(f"{self._name}: {self.copy.text()}")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.size("grid") // 2)
        row.addWidget(self._text, 1)
        row.addWidget(self.toggle)
        row.addWidget(self.copy)
        self.hide_secret()

    @property
    def is_revealed(self) -> bool:
        """Whether the secret is visible."""
        return self._timer.isActive()

    def text(self) -> str:
        """Return the visible text: the secret, or dots."""
        return self._text.text()

    def reveal_secret(self) -> None:
        """Show the secret for 10 s. A failure is logged and shown in the field."""
        spawn(
            self._load_secret(), name="show the key", on_error=lambda _error: self._text.setText(tr("Cannot be read"))
        )

    def hide_secret(self) -> None:
        """Show dots, as after a key rotation."""
        self._wanted = False
        self._timer.stop()
        self._text.setText(_DOTS)
        self._text.setToolTip("")
        self._text.setAccessibleName(f"{self._name}: {tr('hidden')}")
        self._draw_toggle()

    def hideEvent(self, event: QHideEvent) -> None:
        self.hide_secret()

    async def _load_secret(self) -> None:
        self._wanted = True
        secret = await self._source()
        if not self._wanted:  # hidden while the source was awaited: the secret must not appear
            return
        self._timer.start()
        self._text.setText(secret)
        self._text.setAccessibleName(secret)
        self._draw_toggle()

    def _toggle_secret(self) -> None:
        if self.is_revealed:
            self.hide_secret()
        else:
            self.reveal_secret()

    def _draw_toggle(self) -> None:
        self.toggle.setText(tr("Hide") if self.is_revealed else tr("Show"))
        self.toggle.setAccessibleName(f"{self._name}: {self.toggle.text()}")
        self.toggle.setIcon(theme.current().icon("mdi6.eye-off-outline" if self.is_revealed else "mdi6.eye-outline"))
