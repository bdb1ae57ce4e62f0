"""Rows and columns of widgets."""

from collections.abc import Iterable
from typing import TypeVar

from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget

Box = TypeVar("Box", bound=QBoxLayout)
Item = QWidget | QLayout | None
"""A widget, a nested layout, or None for a stretch."""


def make_row(*items: Item, spacing: int = 8) -> QHBoxLayout:
    """Lay out items side by side, without margins. `spacing` is in pixels."""
    return _fill(QHBoxLayout(), items, spacing)


def make_column(*items: Item, spacing: int = 8) -> QVBoxLayout:
    """Lay out items below each other, without margins. `spacing` is in pixels."""
    return _fill(QVBoxLayout(), items, spacing)


def _fill(box: Box, items: Iterable[Item], spacing: int) -> Box:
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(spacing)
    for item in items:
        if item is None:
            box.addStretch(1)
        elif isinstance(item, QWidget):
            box.addWidget(item)
        else:
            box.addLayout(item)
    return box
