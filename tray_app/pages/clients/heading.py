"""The heading of a client's card."""

from PySide6.QtCore import QSize, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from tray_app.clients.client import Client
from tray_app.pages.clients.client_model import state_text
from tray_app.pages.clients.client_scan import ClientState
from tray_app.theme import Theme
from tray_app.translation import tr
from tray_app.widgets import ElidedLabel, button

_ICON = 28
_ROLES: dict[ClientState, str] = {"configured": "ok", "outdated": "warning", "damaged": "error"}


class Heading(QWidget):
    """Icon, name, summary and state of a client, and a link to its documentation."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._client: Client | None = None
        self._icon = QLabel()
        self._name = ElidedLabel()
        self._name.setProperty("role", "heading")
        self.state = QLabel()
        self._summary = QLabel()
        self._summary.setProperty("role", "muted")
        self._summary.setWordWrap(True)
        self.documentation = button(
            tr("Documentation"), self._open_documentation, role="quiet", icon="mdi6.open-in-new"
        )
        self._arrange_heading()
        theme.changed.connect(self._draw_icon)

    def show_client(self, client: Client) -> None:
        """Show another client."""
        self._client = client
        self._name.setText(client.name)
        text = tr("{summary}. Uses {dialect}.")
        self._summary.setText(text.format(summary=client.summary, dialect=client.api))
        self.documentation.setToolTip(client.documentation)
        self._draw_icon()

    def show_state(self, state: ClientState) -> None:
        """Show the client's state."""
        self.state.setText(state_text(state))
        self.state.setVisible(bool(state))
        self.state.setProperty("role", _ROLES.get(state, "muted"))
        self.state.style().polish(self.state)

    def _open_documentation(self) -> None:
        if self._client is not None:
            QDesktopServices.openUrl(QUrl(self._client.documentation))

    def _draw_icon(self) -> None:
        if self._client is not None:
            icon = self._theme.icon(self._client.icon)
            self._icon.setPixmap(icon.pixmap(QSize(_ICON, _ICON), self.devicePixelRatioF()))

    def _arrange_heading(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._icon)
        head.addWidget(self._name, 1)
        head.addWidget(self.documentation)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._summary)
        column.addWidget(self.state)
