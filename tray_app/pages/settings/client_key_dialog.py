"""The dialogs that make a client key, show it once, and change its rules."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from server.core.errors import DragomanError, SetupError
from server.secrets.client_key_ring import ClientKeyRing
from server.secrets.client_keys import ClientKey
from tray_app import theme
from tray_app.context import Context
from tray_app.pages.settings.client_key_form import ClientKeyForm
from tray_app.translation import tr
from tray_app.widgets import announce, make_button
from tray_app.widgets.new_secret import NewSecret
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_row

WIDTH = 560


class ClientKeyDialog(QDialog):
    """Makes a key, or changes the rules of `key`. `on_saved` gets the entry, and the key itself if it is new."""

    def __init__(
        self,
        parent: QWidget,
        context: Context,
        models: Sequence[str],
        *,
        on_saved: Callable[[ClientKey, str | None], None],
        key: ClientKey | None = None,
    ) -> None:
        super().__init__(parent.window())
        self._context = context
        self._on_saved = on_saved
        self._key = key
        title = tr("New client key") if key is None else tr("Key of {name}").format(name=key.name)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(WIDTH)
        self.form = ClientKeyForm(key, models, context.clock())
        self.problem = make_label(role="error", wrap=True)
        self.problem.hide()
        self.cancel = make_button(tr("Cancel"), self.reject)
        self.save = make_button(tr("Create key") if key is None else tr("Save"), self._start_saving, role="primary")
        self.cancel.setAutoDefault(False)
        self.save.setDefault(True)
        self._column = QVBoxLayout(self)
        self._lay_out(title)
        self._fit_height()
        (self.form.name if key is None else self.form.model.edit).setFocus()

    @property
    def _clients(self) -> ClientKeyRing:
        return self._context.key_store.clients

    def _lay_out(self, title: str) -> None:
        margin = theme.size("margin")
        hint = tr("Rules apply to every request that is made with this key. Leave a field empty for no rule.")
        column = self._column
        column.setContentsMargins(margin, margin, margin, margin)
        column.setSpacing(8)
        column.addWidget(make_label(title, "heading"))
        column.addWidget(make_label(hint, "muted", wrap=True))
        column.addSpacing(8)
        column.addWidget(self.form)
        column.addWidget(self.problem)
        column.addSpacing(8)
        column.addLayout(make_row(None, self.cancel, self.save))

    def _fit_height(self) -> None:
        # Without this the layout's minimum is that of labels on one line, and the rows of the form overlap.
        self.ensurePolished()
        self.setMinimumHeight(self._column.heightForWidth(WIDTH))

    def _start_saving(self) -> None:
        self.save.setEnabled(False)
        self._context.run(self._save(), name="save a client key", on_error=self._show_problem)

    async def _save(self) -> None:
        try:
            rules = self.form.rules()
            if self._key is not None:
                entry, secret = await self._clients.change_key(self._key.id, **rules), None
            elif not (name := self.form.name.text().strip()):
                self.form.name.setFocus()
                raise SetupError(tr("Enter a name for the key."))
            else:
                entry, secret = await self._clients.add_key(name, **rules)
        finally:
            self.save.setEnabled(True)
        self.accept()
        self._on_saved(entry, secret)

    def _show_problem(self, error: DragomanError) -> None:
        self.problem.setText(str(error))
        self.problem.show()
        self._fit_height()
        announce(self.problem, str(error))


class NewKeyDialog(QDialog):
    """Shows a new key, which is not shown again."""

    def __init__(self, parent: QWidget, name: str, secret: str) -> None:
        super().__init__(parent.window())
        title = tr("Key of {name}").format(name=name)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(WIDTH)
        self.secret = NewSecret(secret, name=title)
        self.done_button = make_button(tr("Done"), self.accept, role="primary")
        self.done_button.setDefault(True)
        margin = theme.size("margin")
        column = QVBoxLayout(self)
        column.setContentsMargins(margin, margin, margin, margin)
        column.setSpacing(8)
        column.addWidget(make_label(title, "heading"))
        text = tr("Copy the key now and give it to the client. It cannot be shown again.")
        column.addWidget(make_label(text, wrap=True))
        column.addWidget(self.secret)
        column.addSpacing(8)
        column.addLayout(make_row(None, self.done_button))
        self.secret.copy.setFocus()
