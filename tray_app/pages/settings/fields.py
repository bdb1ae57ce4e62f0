"""The controls of settings. Each shows a value, and returns the user's input."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget

from tray_app.translation import tr
from tray_app.widgets import FocusRing
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_row

WIDTH = 240
"""Minimum width of a column of the page, in pixels."""
SHORT = 120


class Field(QWidget):
    """A control. Subclasses implement `raw_value` and `_set_value`."""

    committed = Signal()
    """The user has finished editing: Enter, loss of focus, or a choice."""
    edited = Signal()
    """The user is editing."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Any = None
        self.line = make_row()
        self.setLayout(self.line)

    def show_value(self, value: Any) -> None:
        """Show `value`, replacing an edit."""
        self._set_value(value)
        self._shown = self.raw_value()

    @property
    def dirty(self) -> bool:
        """Whether the user has changed the value last shown."""
        return bool(self.raw_value() != self._shown)

    def raw_value(self) -> Any:
        """The control's content, which `dirty` compares."""
        raise NotImplementedError

    def entered_value(self) -> Any:
        """The control's content, as the settings accept it."""
        return self.raw_value()

    def input_problem(self) -> str:
        """Return why the content cannot be parsed, as a sentence, or an empty text."""
        return ""

    def format_value(self, value: Any) -> str:
        """Format a value for a message."""
        return as_text(value)

    def _set_value(self, value: Any) -> None:
        raise NotImplementedError

    def name_for_screen_readers(self, name: str, description: str) -> None:
        """Name the control that takes the focus: in an editable box, its line edit."""
        control = self.focusProxy() or self
        for named in (control, *control.findChildren(QLineEdit)):
            named.setAccessibleName(name)
            named.setAccessibleDescription(description)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Revert an edit on Esc, before Esc has any other effect."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            escape = event.key() == Qt.Key.Key_Escape
            if escape and self.dirty:
                self._set_raw_value(self._shown)
                self.edited.emit()
                return True
        return super().eventFilter(watched, event)

    def _set_raw_value(self, raw: Any) -> None:
        self._set_value(raw)


class TextField(Field):
    """A line of text, followed by `unit`. `format_value` converts a value to text."""

    def __init__(
        self,
        *,
        unit: str = "",
        placeholder: str = "",
        short: bool = False,
        format_value: Callable[[Any], str] | None = None,
    ) -> None:
        super().__init__()
        self._format = format_value or as_text
        self.edit = QLineEdit(placeholderText=placeholder)
        self.edit.setFixedWidth(SHORT) if short else self.edit.setMinimumWidth(SHORT)
        self.line.addWidget(self.edit, 0 if short else 1)
        if unit:
            self.line.addWidget(make_label(unit, "muted"))
        if short:
            self.line.addStretch(1)
        self.setFocusProxy(self.edit)
        self.edit.installEventFilter(self)
        self.edit.textEdited.connect(self.edited)
        self.edit.editingFinished.connect(self.committed)

    def raw_value(self) -> str:
        return self.edit.text().strip()

    def format_value(self, value: Any) -> str:
        return self._format(value)

    def _set_value(self, value: Any) -> None:
        self.edit.setText(self._format(value))

    def _set_raw_value(self, raw: Any) -> None:
        self.edit.setText(raw)


class SwitchField(Field):
    """On or off."""

    def __init__(self) -> None:
        super().__init__()
        self.box = QCheckBox()
        FocusRing(self.box)
        self.line.addWidget(self.box)
        self.line.addStretch(1)
        self.setFocusProxy(self.box)
        self.box.toggled.connect(lambda on: self.box.setText(self.format_value(on)))
        self.box.setText(self.format_value(False))
        self.box.clicked.connect(self.edited)
        self.box.clicked.connect(self.committed)

    def raw_value(self) -> bool:
        return self.box.isChecked()

    def format_value(self, value: Any) -> str:
        return tr("On") if value else tr("Off")

    def _set_value(self, value: Any) -> None:
        self.box.setChecked(bool(value))


_STEPS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)


class QuietComboBox(QComboBox):
    """A combo box that ignores the wheel, which scrolls the page.

    The arrow keys open its list: a choice applies at once, so stepping through the values must not choose each.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)

    def wheelEvent(self, event: Any) -> None:
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _STEPS and not self.isEditable():
            self.showPopup()
        else:
            super().keyPressEvent(event)


class ChoiceField(Field):
    """One of several values. A value that is none of them is added."""

    def __init__(self, choices: Sequence[tuple[Any, str]] = ()) -> None:
        super().__init__()
        self.box = QuietComboBox()
        self.line.addWidget(self.box, 1)
        self.setFocusProxy(self.box)
        self.set_choices(choices)
        self.box.activated.connect(self.edited)
        self.box.activated.connect(self.committed)

    def set_choices(self, choices: Sequence[tuple[Any, str]]) -> None:
        """Replace the choices, and keep the current one."""
        chosen = self.raw_value() if self.box.count() else None
        self.box.clear()
        for value, label in choices:
            self.box.addItem(label, value)
        if chosen is not None:
            self._set_value(chosen)

    def raw_value(self) -> Any:
        return self.box.currentData()

    def format_value(self, value: Any) -> str:
        index = self.box.findData(value)
        return self.box.itemText(index) if index >= 0 else as_text(value)

    def _set_value(self, value: Any) -> None:
        if self.box.findData(value) < 0:
            self.box.addItem(as_text(value), value)
        self.box.setCurrentIndex(self.box.findData(value))


class PortsField(ChoiceField):
    """One of several lists of ports. A choice's value is the list as text."""

    def format_value(self, value: Any) -> str:
        return super().format_value(as_text(value))

    def _set_value(self, value: Any) -> None:
        super()._set_value(as_text(value))


class NameField(Field):
    """A name, typed or chosen from a list."""

    def __init__(self) -> None:
        super().__init__()
        self.box = QuietComboBox()
        self.box.setEditable(True)
        self.box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.line.addWidget(self.box, 1)
        self.setFocusProxy(self.box)
        self.box.installEventFilter(self)
        self.edit = QLineEdit()
        self.box.setLineEdit(self.edit)
        self.edit.textEdited.connect(self.edited)
        self.box.activated.connect(self.edited)
        self.box.activated.connect(self.committed)
        self.edit.editingFinished.connect(self.committed)

    def set_choices(self, names: Sequence[str]) -> None:
        """Replace the names to choose from, and keep the text."""
        typed = self.box.currentText()
        blocked = self.box.blockSignals(True)
        self.box.clear()
        self.box.addItems(list(names))
        self.box.setEditText(typed)
        self.box.blockSignals(blocked)

    def raw_value(self) -> str:
        return self.box.currentText().strip()

    def _set_value(self, value: Any) -> None:
        blocked = self.box.blockSignals(True)
        self.box.setEditText(as_text(value))
        self.box.blockSignals(blocked)


def as_text(value: Any) -> str:
    """Format a value as the user would type it, such as lists with commas."""
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        return ", ".join(str(part) for part in value)
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)
