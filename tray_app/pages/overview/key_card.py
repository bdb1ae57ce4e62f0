"""The API key that clients need: hidden, copied, replaced, and where it is kept."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from server.core.errors import TrayError
from tray_app.context import Context
from tray_app.pages.overview.problem_panel import ProblemPanel
from tray_app.translation import tr
from tray_app.widgets import Card, SecretField, ask_confirmation, make_button


class KeyCard(Card):
    """The key, or what it means that none is required. `say` shows a short word to the person."""

    def __init__(self, context: Context, say: Callable[[str], None]) -> None:
        super().__init__(tr("API key"))
        self._say = say
        self._context = context
        self._field = SecretField(lambda: context.key_store.get_or_create(), name=tr("API key"))
        self._place = _wrapped("muted")
        self._rotate = make_button(tr("Replace key..."), self._ask_to_rotate, icon="mdi6.key-change")
        self.header.addWidget(self._rotate)
        self._move = make_button(
            tr("Choose where to keep it..."), lambda: context.show_page("settings", setting="key_storage")
        )
        self._problem_panel = ProblemPanel()
        self._kept = _column(self._field, self._place, self._move, self._problem_panel)
        self._open = _column(_none_required(), make_button(tr("Require a key"), self._require, role="primary"))
        self.body.addWidget(self._kept)
        self.body.addWidget(self._open)
        self.body.addStretch(1)
        context.settings_changed.connect(self.update_state)
        self.update_state()

    def update_state(self) -> None:
        """Look again at where the key is, and whether one is required."""
        context, store = self._context, self._context.key_store
        required = context.settings.api_key_required
        self._kept.setVisible(required)
        self._open.setHidden(required)
        self._rotate.setVisible(required)
        fixed = store.kind == "environment"
        self._rotate.setEnabled(not fixed)
        self._rotate.setToolTip(tr("An environment variable sets the key. Change it there.") if fixed else "")
        self._place.setText(tr("The key is kept {place}.").format(place=store.short_description))
        lost = store.kind == "memory" and context.settings.key_storage != "memory"
        self._move.setVisible(lost)
        role = "warning" if lost else "muted"
        if self._place.property("role") != role:
            self._place.setProperty("role", role)
            self._place.style().polish(self._place)

    def _ask_to_rotate(self) -> None:
        ask_confirmation(
            self,
            tr("Replace the API key?"),
            tr("Clients using the current key stop working until you give them the new one."),
            confirm_label=tr("Replace key"),
            keep_label=tr("Keep current key"),
            on_confirmed=lambda: self._context.run(self._replace(), name="replace the key", on_error=self._fail),
        )

    async def _replace(self) -> None:
        await self._context.key_store.rotate_key()
        self._field.hide_secret()
        self._problem_panel.clear()
        self.update_state()
        self._say(tr("New key created. Update your clients."))

    def _require(self) -> None:
        change = self._context.change_settings({"api_key_required": True})
        self._context.run(change, name="require a key")

    def _fail(self, error: TrayError) -> None:
        self._problem_panel.show_problem(error)


def _none_required() -> QLabel:
    label = _wrapped("warning")
    label.setText(tr("No key is required: any program that can reach the server can use your account."))
    return label


def _wrapped(role: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("role", role)
    return label


def _side(widget: QWidget) -> Qt.AlignmentFlag:
    """Buttons keep their width."""
    return Qt.AlignmentFlag.AlignLeft if isinstance(widget, QPushButton) else Qt.AlignmentFlag(0)


def _column(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    for widget in widgets:
        column.addWidget(widget, alignment=_side(widget))
    return holder
