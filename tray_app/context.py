"""What every page is given: the server, its settings and its store, and the ways to another page."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from server.composition import Server, open_store
from server.config.settings import Settings, load_settings, sources, with_changes, write_settings
from server.core.errors import TrayError
from server.core.events import EventBus
from server.core.tasks import spawn
from server.hosting.runtime import Hosted
from server.logs import configure_logs
from server.secrets import KeyStore, open_vault
from server.store.store import Store
from tray_app.bridge import Bridge
from tray_app.desktop.autostart import Autostart
from tray_app.preferences import Preferences
from tray_app.server_control import ServerControl
from tray_app.status_watch import StatusWatch
from tray_app.theme import Theme

T = TypeVar("T")
OnError = Callable[[TrayError], None]

log = logging.getLogger(__name__)

CANCEL_SECONDS = 5.0
"""How long work in the background may take to end, once it was told to."""


class Context(QObject):
    """The application's parts. Made once; `open` before the first page, `close` at the end.

    `overrides` are the settings of the command line, which win over the file.
    """

    page_requested = Signal(str, object)
    """A page's key, and a dictionary of details for it."""
    problem = Signal(object)
    """A TrayError that no view took."""
    settings_changed = Signal()
    stop_requested = Signal()
    """The server is to be stopped while it answers: the user is asked how."""

    def __init__(
        self,
        settings: Settings,
        *,
        key_store: KeyStore,
        theme: Theme,
        autostart: Autostart,
        preferences: Preferences,
        overrides: Mapping[str, Any] | None = None,
        bus: EventBus | None = None,
        host: Callable[["Context"], Callable[[Settings, EventBus], Coroutine[Any, Any, Hosted]]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.bus = bus or EventBus()
        self.overrides: Mapping[str, Any] = overrides or {}
        self.key_store = key_store
        self.theme = theme
        self.autostart = autostart
        self.preferences = preferences
        self.clock = clock
        self.store: Store | None = None
        self.store_problem: TrayError | None = None
        self.report_bug: Callable[[BaseException], None] = lambda _: None
        """Shows an error that nobody expected; it was logged already."""
        self._settings = settings
        self._purging: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False
        self.bridge = Bridge(self.bus)
        self.server = ServerControl(lambda: self._settings, self.bus, host(self) if host else self._host)
        self.status = StatusWatch(self)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    async def open(self) -> None:
        """Open the store, unless it is open. Does not fail: `store_problem` says why there is none.

        It is tried again at a start, and by the pages that show what is in it.
        """
        async with self._opening:
            if self.store is None and not self._closed:
                await self._open()

    async def _open(self) -> None:
        try:
            self.store = await open_store(self._settings, self.bus, self.clock)
        except TrayError as error:
            self.store_problem = error
            log.warning("%s", error)
        else:
            self.store_problem = None
            self._purging = spawn(self.store.run_purge(), name="purge")

    async def close(self) -> None:
        """Stop the server, end what `run` began, and close everything; what was answered is kept. Harmless twice."""
        if self._closed:
            return
        self._closed = True
        await self.server.stop()
        # A change of settings is not cut in two.
        async with self._changing:
            await self._cancel_work()
        # It may have been started meanwhile.
        await self.server.stop()
        self.status.close()
        self.server.close()
        self.bridge.close()
        if self._purging is not None:
            self._purging.cancel()
            await asyncio.wait([self._purging])
        if self.store is not None:
            await self.store.close()
            self.store = None
        self.preferences.sync()

    async def api_key(self) -> str | None:
        """The key that clients need; None if they need none. Raises SetupError."""
        return await self.key_store.get_or_create() if self._settings.api_key_required else None

    async def change_settings(self, changes: Mapping[str, Any]) -> None:
        """Apply settings at once, and write them to the file. A name with None goes back to its default.

        Where the environment or the command line fixes a setting, only the file changes. Raises SettingsInvalid and
        PortUnavailable, and another SetupError where secrets cannot be moved; nothing has changed then.
        """
        async with self._changing:
            before = self._settings
            fixed = sources(self.overrides)
            after = with_changes(before, {name: value for name, value in changes.items() if name not in fixed})
            async with self._secrets_moved(after):
                await self._apply(after)
                try:
                    await asyncio.to_thread(write_settings, before.config_dir, changes)
                except BaseException:
                    await self._take_back(before)
                    raise

    async def reload_settings(self) -> None:
        """Take over what was changed in the file by other hands. Raises as `change_settings` does."""
        async with self._changing:
            settings = await asyncio.to_thread(load_settings, self.overrides)
            # The store, the log and the claim to be the only one are where they are until the next start.
            settings = with_changes(settings, {"data_dir": self._settings.data_dir})
            async with self._secrets_moved(settings):
                await self._apply(settings)

    def show(self, page: str, **details: Any) -> None:
        """Go to a page, and there to what the details name."""
        self.page_requested.emit(page, details)

    def toggle_server(self, *, on_error: OnError | None = None) -> None:
        """Start or stop the server, as its button says. No answer is cut off without a question."""
        if self.server.state == "running" and self.server.in_flight and not self.server.finishing:
            self.stop_requested.emit()
        else:
            self.run(self.server.toggle(), name="start or stop the server", on_error=on_error)

    def run(
        self, work: Coroutine[Any, Any, T], *, name: str, on_error: OnError | None = None
    ) -> "asyncio.Task[T | None]":
        """Do `work` in the background, for slots, which cannot wait.

        A TrayError goes to `on_error`, or is shown on the window; any other error is a bug, and is shown as one.
        """
        task = spawn(self._guarded(work, on_error), name=name, on_error=self.report_bug)
        # A task that is cancelled before its first step leaves `work` as it is, and Python would complain of that.
        task.add_done_callback(lambda _: work.close())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _cancel_work(self) -> None:
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CANCEL_SECONDS)

    async def _guarded(self, work: Coroutine[Any, Any, T], on_error: OnError | None) -> T | None:
        try:
            return await work
        except TrayError as error:
            log.warning("%s", error)
            (on_error or self.problem.emit)(error)
            return None

    async def _apply(self, settings: Settings) -> None:
        before = self._settings
        if settings == before:
            return
        await self.server.reconfigure(settings)
        self._settings = settings
        if self.store is not None and settings.session_ttl_hours != before.session_ttl_hours:
            hours = settings.session_ttl_hours
            self.store.set_ttl(None if hours is None else hours * 3600)
        if settings.log_level != before.log_level or settings.log_prompts != before.log_prompts:
            configure_logs(settings)
        self.settings_changed.emit()

    async def _take_back(self, settings: Settings) -> None:
        try:
            await self._apply(settings)
        except TrayError as error:
            log.error("the settings of before cannot be applied any more: %s", error)

    @asynccontextmanager
    async def _secrets_moved(self, settings: Settings) -> AsyncIterator[None]:
        """Secrets are where `settings` say, and still where they were until the block has written that down."""
        if settings.key_storage == self._settings.key_storage:
            yield
            return
        move = await self.key_store.move(await open_vault(settings, or_memory=False))
        try:
            yield
        except BaseException:
            await move.undo()
            raise
        await move.finish()

    async def _host(self, settings: Settings, bus: EventBus) -> Server:
        if self.store is None:
            await self.open()
        if self.store_problem is not None:
            raise self.store_problem
        return await Server.create(settings, bus, key_store=self.key_store, store=self.store)
