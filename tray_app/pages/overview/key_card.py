"""The card of the API key."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from server.core.errors import DragomanError
from tray_app import theme
from tray_app.context import Context
from tray_app.pages.overview.problem_panel import ProblemPanel
from tray_app.translation import tr
from tray_app.widgets import Card, Confirmation, SecretField, ask_confirmation, make_button
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column


class KeyCard(Card):
    """Shows the key and its location, or a warning that none is required."""

    def __init__(self, context: Context, notify: Callable[[str], None]) -> None:
        super().__init__(tr("API key"))
        self._notify = notify
        self._context = context
        self._field = SecretField(lambda: context.key_store.get_or_create(), name=tr("API key"))
        self._location = make_label(role="muted", wrap=True)
        self._rotate = make_button(tr("Replace key..."), self._ask_to_rotate, icon="mdi6.key-change")
        self.header.addWidget(self._rotate)
        self._move = make_button(
            tr("Choose where to keep it..."), lambda: context.show_page("settings", setting="key_storage")
        )
        self._problem_panel = ProblemPanel()
        self._key_panel = _stack_widgets(self._field, self._location, self._move, self._problem_panel)
        warning = tr("No key is required: any program that can reach the server can use your account.")
        self._no_key_panel = _stack_widgets(
            make_label(warning, "warning", wrap=True),
            make_button(tr("Require a key"), self._require_key, role="primary"),
        )
        self.body.addWidget(self._key_panel)
        self.body.addWidget(self._no_key_panel)
        self.body.addStretch(1)
        context.settings_changed.connect(self.update_state)
        self.update_state()

    def update_state(self) -> None:
        """Show where the key is stored, and whether one is required."""
        context, store = self._context, self._context.key_store
        required = context.settings.api_key_required
        self._key_panel.setVisible(required)
        self._no_key_panel.setHidden(required)
        self._rotate.setVisible(required)
        fixed = store.kind == "environment"
        self._rotate.setEnabled(not fixed)
        self._rotate.setToolTip(tr("An environment variable sets the key. Change it there.") if fixed else "")
        self._location.setText(tr("The key is kept {place}.").format(place=store.short_description))
        lost = store.kind == "memory" and context.settings.key_storage != "memory"
        self._move.setVisible(lost)
        theme.apply_style(self._location, role="warning" if lost else "muted")

    def _ask_to_rotate(self) -> None:
        confirm_replacement(self, self._start_replacing)

    def _start_replacing(self) -> None:
        self._context.run(self._replace_key(), name="replace the key", on_error=self._show_key_error)

    def _show_key_error(self, error: DragomanError) -> None:
        self._problem_panel.show_problem(error)

    async def _replace_key(self) -> None:
        await self._context.key_store.rotate_key()
        self._field.hide_secret()
        self._problem_panel.clear_problem()
        self.update_state()
        self._notify(tr("New key created. Update your clients."))

    def _require_key(self) -> None:
        change = self._context.change_settings({"api_key_required": True})
        self._context.run(change, name="require a key")


def confirm_replacement(parent: QWidget, replace: Callable[[], object]) -> Confirmation:
    """Ask before the API key is replaced."""
    return ask_confirmation(
        parent,
        tr("Replace the API key?"),
        tr("Clients using the current key stop working until you give them the new one."),
        confirm_label=tr("Replace key"),
        keep_label=tr("Keep current key"),
        on_confirmed=replace,
    )


def _stack_widgets(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    column = make_column(*widgets)
    for widget in widgets:
        # Buttons keep their width.
        if isinstance(widget, QPushButton):
            column.setAlignment(widget, Qt.AlignmentFlag.AlignLeft)
    holder.setLayout(column)
    return holder
