"""Cell painting in the request table: status icons, ids in the fixed font."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyleOptionViewItem

from server.core.records import RequestRecord, RequestStatus
from tray_app import theme
from tray_app.models.requests.columns import RequestColumn
from tray_app.models.requests.log import RequestLogModel
from tray_app.widgets import RowDelegate

STATUS_ICONS: dict[RequestStatus, tuple[str, str]] = {
    "running": ("mdi6.progress-clock", "accent"),
    "ok": ("mdi6.check-circle-outline", "ok"),
    "error": ("mdi6.alert-octagon-outline", "error"),
    "cancelled": ("mdi6.minus-circle-outline", "muted"),
}
"""Icon and colour of each status; they differ in shape as well as in colour."""
PADDING = 11
"""Pixels left and right of a cell's text, the same as in the header."""
_MUTED = frozenset({"time", "session"})

_FLAGS = int(Qt.AlignmentFlag.AlignVCenter) | int(Qt.TextFlag.TextSingleLine)
_TEXT = Qt.TextElideMode.ElideMiddle, _FLAGS | int(Qt.AlignmentFlag.AlignLeft)
_FIGURES = Qt.TextElideMode.ElideRight, _FLAGS | int(Qt.AlignmentFlag.AlignRight)


class RequestDelegate(RowDelegate):
    """Draws the cells of `log`.

    It paints without the style: a list that gets hundreds of rows a second is repainted ten times a second, and a style
    queries eight roles of each cell.
    """

    def __init__(self, view: QAbstractItemView, log: RequestLogModel) -> None:
        super().__init__(view)
        self._log = log
        self._icons: dict[tuple[RequestStatus, float, bool], QPixmap] = {}
        self._fixed = theme.fixed_font()
        self._fixed_metrics = QFontMetrics(self._fixed)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        record, column = self._log.records[index.row()], self._log.columns[index.column()]
        rect: QRect = option.rect
        painter.save()
        self._draw_background(painter, rect, option, index.row())
        inner = rect.adjusted(PADDING, 0, -PADDING, 0)
        if column.key == "status":
            inner.setLeft(self._draw_status_icon(painter, inner, record.status))
        self._draw_cell_text(painter, inner, record, column, option)
        painter.restore()

    def _draw_background(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, row: int) -> None:
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.current().colour("selection"))
        elif row == self._hovered.row():
            painter.fillRect(rect, theme.current().colour("hover"))

    def _draw_status_icon(self, painter: QPainter, rect: QRect, status: RequestStatus) -> int:
        """Draw the status icon; return the left edge of the text."""
        side, scale = theme.size("icon"), painter.device().devicePixelRatioF()
        key = (status, scale, theme.current().dark)
        if key not in self._icons:
            name, token = STATUS_ICONS[status]
            self._icons[key] = theme.current().icon(name, token).pixmap(QSize(side, side), scale)
        painter.drawPixmap(rect.left(), rect.center().y() - side // 2 + 1, self._icons[key])
        return rect.left() + side + theme.size("grid")

    def _draw_cell_text(
        self, painter: QPainter, rect: QRect, record: RequestRecord, column: RequestColumn, option: QStyleOptionViewItem
    ) -> None:
        font, metrics = self._cell_font(column, option)
        painter.setFont(font)
        painter.setPen(theme.current().colour(_colour_token(record, column)))
        mode, flags = _FIGURES if column.is_numeric else _TEXT
        text = column.cell_text(record, self._log.current_time())
        if column.short_text is not None and metrics.horizontalAdvance(text) > rect.width():
            text = column.short_text(record)
        painter.drawText(rect, flags, metrics.elidedText(text, mode, rect.width()))

    def _cell_font(self, column: RequestColumn, option: QStyleOptionViewItem) -> tuple[QFont, QFontMetrics]:
        return (self._fixed, self._fixed_metrics) if column.key == "session" else (option.font, option.fontMetrics)


def _colour_token(record: RequestRecord, column: RequestColumn) -> str:
    if column.key == "status":
        return STATUS_ICONS[record.status][1]
    return "muted" if column.key in _MUTED else "text"
