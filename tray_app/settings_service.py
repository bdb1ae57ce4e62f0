"""Changes of the settings in force from the window: validated, applied at once, and written to the file."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from PySide6.QtCore import QObject, Signal

from server.config.settings import Settings, fixed_settings, load_settings, with_changes, write_settings
from server.core.errors import DragomanError
from server.hosting.runtime import Runtime
from server.logs import configure_logs
from server.secrets import KeyStore, open_storage

log = logging.getLogger(__name__)


class SettingsService(QObject):
    """The window's access to the settings in force, which the runtime holds.

    `overrides` are the settings of the command line, which take precedence over the file.
    """

    changed = Signal()

    def __init__(self, runtime: Runtime, key_store: KeyStore, overrides: Mapping[str, Any]) -> None:
        super().__init__()
        self.overrides = overrides
        self.lock = asyncio.Lock()
        """Held during a change: two changes from the same settings would undo each other."""
        self._runtime = runtime
        self._key_store = key_store

    @property
    def current(self) -> Settings:
        """The settings in force."""
        return self._runtime.settings

    @property
    def fixed(self) -> dict[str, str]:
        """The settings that the environment or the command line sets, with the name of that source."""
        return fixed_settings(self.overrides)

    async def change(self, changes: Mapping[str, Any]) -> None:
        """Apply settings at once, and write them to the file. None resets a setting to its default.

        Where the environment or the command line sets a setting, only the file changes. Raises SettingsInvalid,
        PortUnavailable, or another SetupError if secrets cannot be moved; nothing has changed then.
        """
        async with self.lock:
            before, fixed = self.current, self.fixed
            after = with_changes(before, {name: value for name, value in changes.items() if name not in fixed})
            async with self._move_secrets(after):
                await self._apply(after)
                try:
                    await asyncio.to_thread(write_settings, before.config_dir, changes)
                except BaseException:
                    await self._restore(before)
                    raise

    async def reload(self) -> None:
        """Apply changes that were made to the file itself. Raises as `change` does."""
        async with self.lock:
            loaded = await asyncio.to_thread(load_settings, self.overrides)
            # The store, the log and the single-instance lock stay in their folder until the next start.
            settings = loaded.model_copy(update={"data_dir": self.current.data_dir})
            async with self._move_secrets(settings):
                await self._apply(settings)

    async def _apply(self, settings: Settings) -> None:
        before = self.current
        if settings == before:
            return
        await self._runtime.reconfigure(settings)
        if settings.log_level != before.log_level or settings.log_prompts != before.log_prompts:
            configure_logs(settings)
        self.changed.emit()

    async def _restore(self, settings: Settings) -> None:
        try:
            await self._apply(settings)
        except DragomanError as error:
            log.error("the previous settings cannot be applied again: %s", error)

    @asynccontextmanager
    async def _move_secrets(self, settings: Settings) -> AsyncIterator[None]:
        """Move secrets to the storage that `settings` name; move them back if the block fails."""
        if settings.key_storage == self.current.key_storage:
            yield
            return
        move = await self._key_store.move_to(await open_storage(settings, or_memory=False))
        try:
            yield
        except BaseException:
            await move.undo_move()
            raise
        await move.complete_move()
