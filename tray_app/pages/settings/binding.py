"""Bindings, which show a value in a row and save what the user enters."""

import asyncio
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from server.config.settings import Settings
from server.core.errors import DragomanError, PortUnavailable
from tray_app.context import Context
from tray_app.pages.settings.fields import Field
from tray_app.pages.settings.row import SettingRow
from tray_app.pages.settings.validation import parse_setting, setting_problem
from tray_app.translation import tr
from tray_app.widgets.action_row import Action

Refusal = Callable[[DragomanError], bool]
"""Shows an error in a special way. Returns False for an error that needs none."""


class Value:
    """A value that a row can show and set. By default it takes any input."""

    name: str

    def current_value(self) -> Any:
        """The value in force."""
        raise NotImplementedError

    def default_value(self) -> Any:
        """The default value."""
        raise NotImplementedError

    def problem_with(self, typed: Any) -> str:
        """Return why the entered value is invalid, as a sentence, or an empty text."""
        return ""

    def parse_typed(self, typed: Any) -> Any:
        """Convert a valid entered value to the type of `current_value`."""
        return typed

    def fixed_by(self) -> str:
        """The source that fixes the value, or an empty text if the user can change it."""
        return ""

    async def save_value(self, value: Any) -> None:
        """Set the value. Raises DragomanError, in which case nothing has changed."""
        raise NotImplementedError


class SettingValue(Value):
    """A setting of the server. `fixed_by` is the source that fixes it."""

    def __init__(self, context: Context, name: str, fixed_by: str = "") -> None:
        self.name = name
        self._context = context
        self._fixed_by = fixed_by

    def current_value(self) -> Any:
        return getattr(self._context.settings, self.name)

    def default_value(self) -> Any:
        return Settings.model_fields[self.name].get_default(call_default_factory=True)

    def problem_with(self, typed: Any) -> str:
        return setting_problem(self.name, typed)

    def parse_typed(self, typed: Any) -> Any:
        return parse_setting(self.name, typed)

    def fixed_by(self) -> str:
        return self._fixed_by

    async def save_value(self, value: Any) -> None:
        await self._context.change_settings({self.name: value})


class Binding(QObject):
    """Connects a row, its field and a value. Never overwrites an edit."""

    saved = Signal()

    def __init__(self, context: Context, value: Value, row: SettingRow, field: Field) -> None:
        super().__init__(row)
        self.value, self.row, self.field = value, row, field
        self.refusal: Refusal = lambda _: False
        self._context = context
        self._saving: Any = None
        """The raw value being saved. Enter, and then leaving the field, both commit it: it is saved once."""
        self._task: asyncio.Task[Any] | None = None
        field.name_for_screen_readers(row.label, row.help.text())
        field.committed.connect(self.commit_edit)
        field.edited.connect(row.clear_message)
        row.reset_requested.connect(self._reset_to_default)
        self._show_current()
        self._update_marks()

    def refresh(self) -> None:
        """Show the value in force, unless the user is editing."""
        if not self.field.dirty or self.value.fixed_by():
            self._show_current()
        self._update_marks()

    def commit_edit(self) -> None:
        """Save a changed value, or show why it is invalid."""
        typed = self.field.raw_value()
        if not self.field.dirty or typed == self._saving or not self.field.isEnabled():
            return
        if problem := self.field.input_problem() or self.value.problem_with(self.field.entered_value()):
            self._show_refusal(problem)
        elif (value := self.value.parse_typed(self.field.entered_value())) == self.value.current_value():
            self._show_current()
            self.row.clear_message()
        else:
            self.start_saving(value, typed)

    def start_saving(self, value: Any, typed: Any = None) -> None:
        """Save `value`. `typed` is the raw value that the user entered for it."""
        self._saving = typed
        work = self._save_and_show(value, typed)
        self._task = self._context.run(work, name=f"save {self.value.name}", on_error=self._show_save_error)

    async def finish_pending(self) -> None:
        """Wait until the value is saved."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _save_and_show(self, value: Any, typed: Any) -> None:
        try:
            await self.value.save_value(value)
        finally:
            self._saving = None
        # The user may have edited the field again while it was being saved: that edit stays.
        if typed is None or self.field.raw_value() == typed:
            self._show_current()
            self.row.show_saved()
        self._update_marks()
        self.saved.emit()

    def _reset_to_default(self) -> None:
        self.row.clear_message()
        self.start_saving(self.value.default_value())

    def _show_save_error(self, error: DragomanError) -> None:
        if not self.refusal(error):
            # The hint for a port names the command line's option.
            hint = "" if isinstance(error, PortUnavailable) else error.hint
            self._show_refusal(f"{error.message} {hint}".strip())

    def _show_refusal(self, problem: str) -> None:
        current = self.field.format_value(self.value.current_value())
        keep: Action = (tr("Keep {value}").format(value=current), self._keep_current)
        self.row.show_problem(problem, [keep] if current and len(current) < 30 else [])

    def _keep_current(self) -> None:
        self._show_current()
        self.row.clear_message()
        self.field.setFocus()

    def _show_current(self) -> None:
        self.field.show_value(self.value.current_value())

    def _update_marks(self) -> None:
        fixed = self.value.fixed_by()
        default, current = self.value.default_value(), self.value.current_value()
        default_text = self.field.format_value(default) or tr("empty")
        self.row.offer_reset("" if fixed or current == default else default_text)
        self.row.show_fixed(fixed)
