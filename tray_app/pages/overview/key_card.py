"""The card of the API key."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from server.core.errors import TrayError
from tray_app.context import Context
from tray_app.pages.overview.problem_panel import ProblemPanel
from tray_app.translation import tr
from tray_app.widgets import Card, SecretField, button, confirm


class KeyCard(Card):
    """Shows the key and its location, or a warning that none is required. `notify` shows a short message."""

    def __init__(self, context: Context, notify: Callable[[str], None]) -> None:
        super().__init__(tr("API key"))
        self._notify = notify
        self._context = context
        self._field = SecretField(lambda: context.key_store.get_or_create(), name=tr("API key"))
        self._location = _make_label("muted")
        self._rotate = button(tr("Replace key..."), self._ask_to_rotate, icon="mdi6.key-change")
        self.header.addWidget(self._rotate)
        self._move = button(tr("Choose where to keep it..."), lambda: context.show("settings", setting="key_storage"))
        self._problem_panel = ProblemPanel()
        self._key_panel = _stack_widgets(self._field, self._location, self._move, self._problem_panel)
        self._no_key_panel = _stack_widgets(
            _make_open_warning(), button(tr("Require a key"), self._require_key, role="primary")
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
        self._location.setText(tr("The key is kept {place}.").format(place=store.place))
        lost = store.kind == "memory" and context.settings.key_storage != "memory"
        self._move.setVisible(lost)
        role = "warning" if lost else "muted"
        if self._location.property("role") != role:
            self._location.setProperty("role", role)
            self._location.style().polish(self._location)

    def _ask_to_rotate(self) -> None:
        confirm(
            self,
            tr("Replace the API key?"),
            tr("Clients using the current key stop working until you give them the new one."),
            confirm_label=tr("Replace key"),
            keep_label=tr("Keep current key"),
            on_confirmed=lambda: self._context.run(
                self._replace_key(), name="replace the key", on_error=self._show_key_error
            ),
        )

    async def _replace_key(self) -> None:
        await self._context.key_store.rotate()
        self._field.conceal()
        self._problem_panel.clear_problem()
        self.update_state()
        self._notify(tr("New key created. Update your clients."))

    def _require_key(self) -> None:
        change = self._context.change_settings({"api_key_required": True})
        self._context.run(change, name="require a key")

    def _show_key_error(self, error: TrayError) -> None:
        self._problem_panel.show_problem(error)


def _make_open_warning() -> QLabel:
    label = _make_label("warning")
    label.setText(tr("No key is required: any program that can reach the server can use your account."))
    return label


def _make_label(role: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("role", role)
    return label


def _alignment_of(widget: QWidget) -> Qt.AlignmentFlag:
    """Align buttons left, so that they keep their width."""
    return Qt.AlignmentFlag.AlignLeft if isinstance(widget, QPushButton) else Qt.AlignmentFlag(0)


def _stack_widgets(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    for widget in widgets:
        column.addWidget(widget, alignment=_alignment_of(widget))
    return holder
