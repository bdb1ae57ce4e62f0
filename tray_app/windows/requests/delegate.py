"""How cells are drawn: the status with its shape and colour, ids in the fixed font."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QStyleOptionViewItem

from server.store.types import RequestRecord, RequestStatus
from tray_app import theme
from tray_app.models.requests import RECORD_ROLE, RequestLog
from tray_app.widgets import RowDelegate

STATUS_ICONS: dict[RequestStatus, tuple[str, str]] = {
    "running": ("mdi6.progress-clock", "accent"),
    "ok": ("mdi6.check-circle-outline", "ok"),
    "error": ("mdi6.alert-octagon-outline", "error"),
    "cancelled": ("mdi6.minus-circle-outline", "muted"),
}
"""Each status by shape and colour: neither alone has to be told apart."""
_MUTED = frozenset({"time", "session"})


class RequestDelegate(RowDelegate):
    """Draws the cells of a RequestLog."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        model = index.model()
        record = index.data(RECORD_ROLE)
        if not isinstance(model, RequestLog) or not isinstance(record, RequestRecord):
            return
        key = model.columns[index.column()].key
        if key == "status":
            self._mark(option, record)
        elif key in _MUTED:
            _colour(option, "muted")
        if key == "session":
            option.font = theme.fixed_font()
        if model.columns[index.column()].figures:
            option.textElideMode = Qt.TextElideMode.ElideRight

    def _mark(self, option: QStyleOptionViewItem, record: RequestRecord) -> None:
        name, token = STATUS_ICONS[record.status]
        option.icon = theme.current().icon(name, token)
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
        option.decorationSize = QSize(theme.size("icon"), theme.size("icon"))
        _colour(option, token)


def _colour(option: QStyleOptionViewItem, token: str) -> None:
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.HighlightedText):
        option.palette.setColor(role, theme.current().colour(token))
