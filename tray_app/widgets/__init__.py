"""Widgets for several pages, which depend only on the theme."""

from tray_app.widgets.announcement import announce
from tray_app.widgets.banner import Banner
from tray_app.widgets.busy import Busy, Spinner
from tray_app.widgets.buttons import CopyButton, make_button
from tray_app.widgets.card import Card
from tray_app.widgets.chip_row import ChipRow
from tray_app.widgets.code_view import CodeView
from tray_app.widgets.confirmation import Confirmation, ask_confirmation
from tray_app.widgets.elided_label import ElidedLabel
from tray_app.widgets.empty_state import EmptyState
from tray_app.widgets.focus_ring import FocusRing
from tray_app.widgets.icon_label import IconLabel
from tray_app.widgets.rows import RowDelegate, apply_row_style, close_header
from tray_app.widgets.search_field import SearchField
from tray_app.widgets.secret_field import SecretField
from tray_app.widgets.status_dot import StatusDot
from tray_app.widgets.toast import Toast

__all__ = [
    "Banner",
    "Busy",
    "Card",
    "ChipRow",
    "CodeView",
    "Confirmation",
    "CopyButton",
    "ElidedLabel",
    "EmptyState",
    "FocusRing",
    "IconLabel",
    "RowDelegate",
    "SearchField",
    "SecretField",
    "Spinner",
    "StatusDot",
    "Toast",
    "announce",
    "apply_row_style",
    "ask_confirmation",
    "close_header",
    "make_button",
]
