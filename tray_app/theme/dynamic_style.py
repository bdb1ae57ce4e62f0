"""Style a widget by dynamic properties."""

from typing import Any

from PySide6.QtWidgets import QWidget


def apply_style(widget: QWidget, **properties: Any) -> None:
    """Set properties that the style sheet selects by, such as `invalid=True`.

    Qt does not reapply the style sheet when a property changes.
    """
    if all(widget.property(name) == value for name, value in properties.items()):
        return
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()
