"""The heading of a client's card."""

from PySide6.QtCore import QSize, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QWidget

from tray_app.clients.client import Client
from tray_app.pages.clients.client_model import state_text
from tray_app.pages.clients.client_scan import ClientState
from tray_app.theme import Theme, apply_style
from tray_app.translation import tr
from tray_app.widgets import ElidedLabel, make_button
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column, make_row

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
        self.state = make_label()
        self._summary = make_label(role="muted", wrap=True)
        self.documentation = make_button(
            tr("Documentation"), self._open_documentation, role="quiet", icon="mdi6.open-in-new"
        )
        head = make_row(self._icon, self._name, self.documentation)
        head.setStretchFactor(self._name, 1)
        self.setLayout(make_column(head, self._summary, self.state, spacing=4))
        theme.changed.connect(self._draw_icon)

    def show_client(self, client: Client) -> None:
        """Show another client."""
        self._client = client
        self._name.setText(client.name)
        text = tr("{summary}. Uses {dialect}.")
        self._summary.setText(text.format(summary=client.summary, dialect=client.api_name))
        self.documentation.setToolTip(client.documentation)
        self._draw_icon()

    def show_state(self, state: ClientState) -> None:
        """Show the client's state."""
        self.state.setText(state_text(state))
        self.state.setVisible(bool(state))
        apply_style(self.state, role=_ROLES.get(state, "muted"))

    def _open_documentation(self) -> None:
        if self._client is not None:
            QDesktopServices.openUrl(QUrl(self._client.documentation))

    def _draw_icon(self) -> None:
        if self._client is not None:
            icon = self._theme.icon(self._client.icon)
            self._icon.setPixmap(icon.pixmap(QSize(_ICON, _ICON), self.devicePixelRatioF()))
