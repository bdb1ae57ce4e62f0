"""The row of the user's own Anthropic API key, which is never shown again."""

from PySide6.QtWidgets import QLineEdit, QWidget

from server.core.errors import DragomanError
from server.secrets.anthropic_key import ANTHROPIC_API_KEY, PREFIX, checked_anthropic_key
from server.secrets.key_store import KEY_VARIABLE
from tray_app.context import Context
from tray_app.pages.settings.row import SettingRow
from tray_app.translation import tr
from tray_app.widgets import ask_confirmation, make_button
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_row


class AnthropicKeyRow(SettingRow):
    """A field for a new key, or a note and a button for the stored one."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.edit = QLineEdit(echoMode=QLineEdit.EchoMode.Password, placeholderText=f"{PREFIX}...")
        self.store = make_button(tr("Store key"), self._ask_to_store)
        self.stored = make_label(wrap=True)
        self.remove = make_button(tr("Remove key..."), self._ask_to_remove)
        control = QWidget()
        line = make_row(self.edit, self.store, self.stored, self.remove)
        for text in (self.edit, self.stored):
            line.setStretchFactor(text, 1)
        control.setLayout(line)
        control.setFocusProxy(self.edit)
        super().__init__(
            ANTHROPIC_API_KEY,
            tr("My Anthropic API key"),
            tr("Used when Claude Code cannot answer. Stored with your secrets and not shown again."),
            control,
            keywords=tr("sk-ant fallback secret token"),
        )
        self.edit.setAccessibleName(self.label)
        self.edit.textEdited.connect(self.clear_message)
        self.edit.returnPressed.connect(self._ask_to_store)
        self._show_stored(None)

    def check_stored(self) -> None:
        """Check whether a key is stored."""
        self._context.run(self._read_stored(), name="read the Anthropic API key", on_error=self.show_error)

    def clear_typed(self) -> None:
        """Clear a key that was typed but not stored."""
        self.edit.clear()

    async def _read_stored(self) -> None:
        key = await self._context.key_store.get(ANTHROPIC_API_KEY)
        self._show_stored(key is not None)

    def _show_stored(self, stored: bool | None) -> None:
        """Show the field or the note. None means not known yet."""
        key_store = self._context.key_store
        refused = _why_not_kept(key_store.kind)
        for widget in (self.edit, self.store):
            widget.setVisible(not stored)
            widget.setEnabled(stored is not None and not refused)
        for shown in (self.stored, self.remove):
            shown.setVisible(bool(stored))
        place = "" if key_store.kind == "environment" else key_store.description
        self.stored.setText(tr("Stored {place}").format(place=place).strip())
        self.show_warning("muted", "" if stored else refused)

    def _ask_to_store(self) -> None:
        try:
            key = checked_anthropic_key(self.edit.text())
        except DragomanError as error:
            self.show_error(error)
            return
        self._context.run(self._store_key(key), name="store the Anthropic API key", on_error=self.show_error)

    async def _store_key(self, key: str) -> None:
        await self._context.key_store.set(ANTHROPIC_API_KEY, key)
        self.edit.clear()
        self._show_stored(True)
        self.show_saved()

    def _ask_to_remove(self) -> None:
        self.question = ask_confirmation(
            self,
            tr("Remove your Anthropic API key?"),
            tr("Requests that Claude Code cannot serve will fail. The key stays valid at Anthropic."),
            confirm_label=tr("Remove key"),
            keep_label=tr("Keep key"),
            on_confirmed=self._start_removing,
        )

    def _start_removing(self) -> None:
        self._context.run(self._remove_key(), name="remove the Anthropic API key", on_error=self.show_error)

    async def _remove_key(self) -> None:
        await self._context.key_store.set(ANTHROPIC_API_KEY, None)
        self._show_stored(False)
        self.show_saved()


def _why_not_kept(kind: str) -> str:
    if kind == "environment":
        return tr("Cannot be stored while {variable} sets the server's key.").format(variable=KEY_VARIABLE)
    if kind == "memory":
        return tr("There is no permanent place to store it. Choose one under Access, Keep secrets in.")
    return ""
