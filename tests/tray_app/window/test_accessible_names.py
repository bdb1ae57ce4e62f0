"""Every control has an accessible name."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QWidget

from tray_app.context import Context
from tray_app.window.main_window import MainWindow
from tray_app.window.pages import other_entries, rail_entries


def is_control(widget: QWidget) -> bool:
    tabbed = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
    return widget.isVisible() and (tabbed or isinstance(widget, QAbstractButton | QLineEdit))


def name_of(widget: QWidget) -> str:
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface.text(QAccessible.Text.Name) if interface is not None else ""


def where(widget: QWidget) -> str:
    """The widget and its parents, for the failure message."""
    parent = widget.parentWidget()
    return type(widget).__name__ + (f" in {where(parent)}" if parent is not None else "")


async def test_on_every_page(context: Context) -> None:
    entries = [*rail_entries(), *other_entries()]
    window = MainWindow(context, entries)
    window.show()
    controls: list[QWidget] = []
    for entry in entries:
        window.go_to_page(entry.key)
        on_page = [widget for widget in window.findChildren(QWidget) if is_control(widget)]
        assert [where(widget) for widget in on_page if not name_of(widget)] == []
        controls += on_page
    assert len(controls) > 100
    for page in window.pages.values():
        await page.finish_pending()
    window.hide()
    window.deleteLater()
