"""Filter for the requests of one client key."""

from PySide6.QtCore import Signal

from server.core.records import MAIN_KEY
from tray_app.context import Context
from tray_app.pages.settings.fields import QuietComboBox
from tray_app.translation import tr


class KeyFilter(QuietComboBox):
    """A choice of all keys, the main key or a client key; hidden while there are no client keys."""

    changed = Signal()
    """`key` changed."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.setAccessibleName(tr("Key"))
        self.setToolTip(tr("Show the requests of one key"))
        self.setMinimumContentsLength(12)
        self._show_names(())
        self.activated.connect(lambda _: self.changed.emit())

    @property
    def key(self) -> str | None:
        """The name of the key to show; None for all."""
        name: str | None = self.currentData()
        return name

    def set_key(self, name: str | None) -> None:
        """Choose a key, which may have been revoked. Emits nothing."""
        if name is not None and self.findData(name) < 0:
            self.addItem(name, name)
        self.setCurrentIndex(max(0, self.findData(name)))
        self.setVisible(self.count() > 2)

    def read_keys(self) -> None:
        """Read the names of the client keys."""
        self._context.run(self._load_names(), name="read the client keys", on_error=lambda _: None)

    async def _load_names(self) -> None:
        keys = await self._context.key_store.clients.list_keys()
        self._show_names([key.name for key in keys])

    def _show_names(self, names: "list[str] | tuple[str, ...]") -> None:
        chosen = self.key if self.count() else None
        self.clear()
        self.addItem(tr("All keys"), None)
        self.addItem(tr("Main key"), MAIN_KEY)
        for name in names:
            self.addItem(name, name)
        self.set_key(chosen)
