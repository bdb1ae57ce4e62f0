"""The row of client keys: a list with use and rules, and buttons to make, change and revoke keys."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QDialog, QWidget

from server.secrets.client_keys import ClientKey
from tray_app.context import Context
from tray_app.models.client_keys import ClientKeyModel, load_key_rows
from tray_app.pages.settings.client_key_dialog import ClientKeyDialog, NewKeyDialog
from tray_app.pages.settings.client_key_table import ClientKeyTable
from tray_app.pages.settings.models_section import known_models
from tray_app.pages.settings.row import SettingRow
from tray_app.translation import tr
from tray_app.widgets import make_button
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column

CLIENT_KEYS_ROW = "client_keys"
"""The row's key, for `open_details(setting=...)`."""
REFRESH_MS = 1000


class ClientKeysRow(SettingRow):
    """Reads the keys when the page is shown, and their use again after each request while it is."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.model = ClientKeyModel(context.clock)
        self.table = ClientKeyTable(self.model)
        self.table.setAccessibleName(tr("Client keys"))
        self.empty = make_label(tr("Keys that you make for single clients appear here."), "muted", wrap=True)
        body = QWidget()
        body.setLayout(make_column(self.empty, self.table, spacing=0))
        super().__init__(
            CLIENT_KEYS_ROW,
            tr("Client keys"),
            tr("Keys for single clients, with rules and limits of their own. They cannot read sessions or requests."),
            body,
            keywords=tr("named key token limit quota budget expiry allowlist revoke system text"),
            wide=True,
        )
        self.add = make_button(tr("Add key..."), self._ask_for_new, icon="mdi6.plus")
        self.add.setAccessibleName(tr("Client keys: Add key"))
        self.edit = make_button(tr("Edit..."), self._edit_selected)
        self.revoke = make_button(tr("Revoke"), self._revoke_selected, role="danger")
        self.requests = make_button(tr("Show requests"), self._show_requests, role="quiet")
        self.add_below(self.add, self.edit, self.revoke, self.requests)
        self.dialog: QDialog | None = None
        """The dialog opened last."""
        self._is_watched = False
        self._refresh_timer = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._refresh_timer.timeout.connect(self.refresh_keys)
        self.table.edit_wanted.connect(self._edit_selected)
        self.table.revoke_wanted.connect(self._revoke_selected)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._enable_buttons())
        self.model.modelReset.connect(self._show_or_hide_table)
        context.bridge.requests_changed.connect(lambda _: self._refresh_soon())
        self._show_or_hide_table()

    def watch_keys(self, watched: bool) -> None:
        """Begin or end to follow changes: the page is visible, or no longer."""
        self._is_watched = watched
        if watched:
            self.refresh_keys()

    def refresh_keys(self) -> None:
        """Read the keys and their use."""
        self._context.run(self._load(), name="read the client keys", on_error=self.show_error)

    async def _load(self) -> None:
        context = self._context
        self.model.show_rows(await load_key_rows(context.key_store.clients, context.store, context.clock()))
        self._enable_buttons()

    def _refresh_soon(self) -> None:
        # A timer, since records arrive ten times a second; not restarted, or a busy server would never be shown.
        if self._is_watched and self.model.rows and not self._refresh_timer.isActive():
            self._refresh_timer.start()

    def _show_or_hide_table(self) -> None:
        has_rows = bool(self.model.rows)
        self.empty.setVisible(not has_rows)
        for widget in (self.table, self.edit, self.revoke, self.requests):
            widget.setVisible(has_rows)
        # A hidden proxy would end the way of the Tab key.
        first = self.table if has_rows else self.add
        self.control.setFocusProxy(first)
        self.name.setBuddy(first)
        self._enable_buttons()

    def _enable_buttons(self) -> None:
        for button in (self.edit, self.revoke, self.requests):
            button.setEnabled(self._selected() is not None)

    def _selected(self) -> ClientKey | None:
        row = self.table.selected_row()
        return None if row is None or row >= len(self.model.rows) else self.model.rows[row].key

    def _ask_for_new(self) -> None:
        self._open_dialog(None)

    def _edit_selected(self) -> None:
        if (key := self._selected()) is not None:
            self._open_dialog(key)

    def _open_dialog(self, key: ClientKey | None) -> None:
        self.clear_message()
        models = known_models(self._context)
        self._open(ClientKeyDialog(self, self._context, models, on_saved=self._show_saved, key=key))

    def _show_saved(self, entry: ClientKey, secret: str | None) -> None:
        self.refresh_keys()
        if secret is None:
            self.show_saved()
        else:
            self._open(NewKeyDialog(self, entry.name, secret))

    def _open(self, dialog: QDialog) -> None:
        self.dialog = dialog
        dialog.open()

    def _revoke_selected(self) -> None:
        if (key := self._selected()) is not None:
            self._context.run(self._revoke(key), name="revoke a client key", on_error=self.show_error)

    async def _revoke(self, key: ClientKey) -> None:
        await self._context.key_store.clients.revoke_key(key.id)
        await self._load()
        text = tr("The key of {name} is refused from now on. Its running requests finish.").format(name=key.name)
        self.show_note("muted", text, [(tr("Undo"), lambda: self._undo(key))])

    def _undo(self, key: ClientKey) -> None:
        self._context.run(self._restore(key), name="restore a client key", on_error=self.show_error)

    async def _restore(self, key: ClientKey) -> None:
        await self._context.key_store.clients.restore_key(key.id)
        self.clear_message()
        await self._load()

    def _show_requests(self) -> None:
        if (key := self._selected()) is not None:
            self._context.show_page("requests", key=key.name)
