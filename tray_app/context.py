"""What every page is given: the server, its settings and its store, and the ways to another page."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from server.composition import Server, open_store
from server.config.settings import Settings
from server.config.settings_in_force import SettingsInForce
from server.core.errors import TrayError
from server.core.events import EventBus
from server.core.tasks import spawn
from server.hosting.runtime import Hosted, Runtime
from server.secrets import KeyStore
from server.store.store import Store
from tray_app.bridge import Bridge
from tray_app.desktop.autostart import Autostart
from tray_app.preferences import Preferences
from tray_app.server_control import ServerControl
from tray_app.settings_service import SettingsService
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
        host: Callable[["Context"], Callable[[SettingsInForce, EventBus], Coroutine[Any, Any, Hosted]]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.bus = bus or EventBus()
        self.key_store = key_store
        self.theme = theme
        self.autostart = autostart
        self.preferences = preferences
        self.clock = clock
        self.store: Store | None = None
        self.store_problem: TrayError | None = None
        self.report_bug: Callable[[BaseException], None] = lambda _: None
        """Shows an error that nobody expected; it was logged already."""
        self._purging: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False
        self.bridge = Bridge(self.bus)
        self._runtime = Runtime(
            SettingsInForce(settings), bus=self.bus, host=host(self) if host else self._create_server
        )
        self.settings_service = SettingsService(self._runtime, key_store, overrides or {})
        self.settings_service.changed.connect(self._apply_expiry)
        self.settings_service.changed.connect(self.settings_changed)
        self.server = ServerControl(self._runtime, self.bus)
        self.status = StatusWatch(self)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.settings_service.current

    async def open(self) -> None:
        """Open the store, unless it is open. Does not fail: `store_problem` says why there is none.

        It is tried again at a start, and by the pages that show what is in it.
        """
        async with self._opening:
            if self.store is None and not self._closed:
                await self._open_store()

    async def _open_store(self) -> None:
        try:
            self.store = await open_store(self.settings, self.bus, self.clock)
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
        async with self.settings_service.lock:
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
        return await self.key_store.get_or_create() if self.settings.api_key_required else None

    async def change_settings(self, changes: Mapping[str, Any]) -> None:
        """`SettingsService.change`."""
        await self.settings_service.change(changes)

    async def reload_settings(self) -> None:
        """`SettingsService.reload`."""
        await self.settings_service.reload()

    def show_page(self, page: str, **details: Any) -> None:
        """Go to a page, and there to what the details name."""
        self.page_requested.emit(page, details)

    def toggle_server(self, *, on_error: OnError | None = None) -> None:
        """Start or stop the server, as its button says. No answer is cut off without a question."""
        if self.server.state == "running" and self.server.in_flight and not self.server.is_finishing:
            self.stop_requested.emit()
        else:
            self.run(self.server.toggle(), name="start or stop the server", on_error=on_error)

    def run(
        self, work: Coroutine[Any, Any, T], *, name: str, on_error: OnError | None = None
    ) -> "asyncio.Task[T | None]":
        """Do `work` in the background, for slots, which cannot wait.

        A TrayError goes to `on_error`, or is shown on the window; any other error is a bug, and is shown as one.
        """
        task = spawn(self._report_errors(work, on_error), name=name, on_error=self.report_bug)
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

    async def _report_errors(self, work: Coroutine[Any, Any, T], on_error: OnError | None) -> T | None:
        try:
            return await work
        except TrayError as error:
            log.warning("%s", error)
            (on_error or self.problem.emit)(error)
            return None

    def _apply_expiry(self) -> None:
        if self.store is not None:
            self.store.set_ttl(self.settings.session_ttl_seconds)

    async def _create_server(self, settings: SettingsInForce, bus: EventBus) -> Server:
        if self.store is None:
            await self.open()
        if self.store_problem is not None:
            raise self.store_problem
        return await Server.create(settings, bus, key_store=self.key_store, store=self.store)
