"""Another look for a widget that is shown already."""

from typing import Any

from PySide6.QtWidgets import QWidget


def apply_style(widget: QWidget, **properties: Any) -> None:
    """Set dynamic properties that the style sheet looks at, such as `role="error"` or `invalid=True`.

    A style sheet does not notice by itself that a property has changed.
    """
    if all(widget.property(name) == value for name, value in properties.items()):
        return
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()
