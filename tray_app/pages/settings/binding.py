"""Joins a row with what it sets: shows the value in force, and saves what the person makes of it."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal

from server.config.settings import Settings
from server.core.errors import PortUnavailable, TrayError
from tray_app.context import Context
from tray_app.pages.settings.fields import Field
from tray_app.pages.settings.row import SettingRow
from tray_app.pages.settings.validation import parse_setting, setting_problem
from tray_app.translation import tr
from tray_app.widgets.action_row import Action

Refusal = Callable[[TrayError], bool]
"""Shows an error in a way of its own; False if it is one like any other."""


class Value(Protocol):
    """Something that can be set."""

    name: str

    def current_value(self) -> Any:
        """The value in force."""
        ...

    def default_value(self) -> Any:
        """The value that it has by itself."""
        ...

    def problem_with(self, typed: Any) -> str:
        """Why what was typed does not do, as a sentence; empty if it does."""
        ...

    def parse_typed(self, typed: Any) -> Any:
        """What was typed, as `current` would give it; it has no problem."""
        ...

    def fixed_by(self) -> str:
        """What else decides on it; empty: the person does."""
        ...

    async def save_value(self, value: Any) -> None:
        """Set it. Raises TrayError, and nothing has changed then."""
        ...


class SettingValue:
    """A setting of the server. `fixed_by` is what else decides on it: a variable, or the command line."""

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
    """A row, its field, and the value behind it. What a person has typed is never overwritten by what is in force."""

    saved = Signal()

    def __init__(self, context: Context, value: Value, row: SettingRow, field: Field) -> None:
        super().__init__(row)
        self.value, self.row, self.field = value, row, field
        self.refusal: Refusal = lambda _: False
        self._context = context
        self._saving: Any = None
        self._task: asyncio.Task[Any] | None = None
        field.name_for_screen_readers(row.label, row.help.text())
        field.committed.connect(self.commit_edit)
        field.edited.connect(row.clear_message)
        row.reset_requested.connect(self._reset_to_default)
        self._show_current()
        self._update_marks()

    def refresh(self) -> None:
        """Show what is in force, unless the person is at something else."""
        if not self.field.dirty or self.value.fixed_by():
            self._show_current()
        self._update_marks()

    def commit_edit(self) -> None:
        """Save what is there, if it is new; say what is wrong with it otherwise."""
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
        """Save `value`; `typed` is what the person typed for it."""
        self._saving = typed
        work = self._save_and_show(value, typed)
        self._task = self._context.run(work, name=f"save {self.value.name}", on_error=self._show_save_error)

    async def finish_pending(self) -> None:
        """Wait for what is being saved."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _save_and_show(self, value: Any, typed: Any) -> None:
        try:
            await self.value.save_value(value)
        finally:
            self._saving = None
        # Who has typed on in the meantime is not disturbed.
        if typed is None or self.field.raw_value() == typed:
            self._show_current()
            self.row.show_saved()
        self._update_marks()
        self.saved.emit()

    def _reset_to_default(self) -> None:
        self.row.clear_message()
        self.start_saving(self.value.default_value())

    def _show_save_error(self, error: TrayError) -> None:
        if not self.refusal(error):
            # The hint for a port is about the command line.
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
        words = self.field.format_value(default) or tr("empty")
        self.row.offer_reset("" if fixed or current == default else words)
        self.row.show_fixed(fixed)
