"""The application's parts that every page uses: the server, its settings and store, and page navigation."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from server.composition import Server, open_store
from server.config.settings import Settings
from server.config.settings_in_force import SettingsInForce
from server.core.errors import DragomanError
from server.core.events import EventBus
from server.core.tasks import spawn
from server.hosting.runtime import HostedFactory, Runtime
from server.secrets import KeyStore
from server.store.store import Store
from tray_app.bridge import Bridge
from tray_app.desktop.autostart import Autostart
from tray_app.preferences import Preferences
from tray_app.server_control import ServerControl
from tray_app.settings_service import SettingsService
from tray_app.status_watch import StatusWatch
from tray_app.theme import Theme
from tray_app.updates.check import UpdateCheck

T = TypeVar("T")
OnError = Callable[[DragomanError], None]

log = logging.getLogger(__name__)

CANCEL_SECONDS = 5.0
"""How long background work may take to end after its cancellation."""


class Context(QObject):
    """The application's parts. Created once; `open` comes before the first page, `close` at the end.

    `overrides` are the settings of the command line, which take precedence over the file.
    """

    page_requested = Signal(str, object)
    """A page's key, and a dictionary of details for it."""
    problem = Signal(object)
    """A DragomanError that no view shows."""
    settings_changed = Signal()
    stop_requested = Signal()
    """The server is to stop while requests run: the user must choose how."""

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
        host: Callable[["Context"], HostedFactory] | None = None,
        clock: Callable[[], float] = time.time,
        updates: Callable[["Context"], UpdateCheck] = UpdateCheck,
    ) -> None:
        super().__init__()
        self.bus = bus or EventBus()
        self.key_store = key_store
        self.theme = theme
        self.autostart = autostart
        self.preferences = preferences
        self.clock = clock
        self.store: Store | None = None
        self.store_problem: DragomanError | None = None
        self.report_bug: Callable[[BaseException], None] = lambda _: None
        """Shows an unexpected error, which is already logged."""
        self._purging: asyncio.Task[None] | None = None
        # A page and a start may open the store at the same time; it must be opened once.
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
        self.updates = updates(self)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.settings_service.current

    async def open(self) -> None:
        """Open the store unless it is open. Never fails: `store_problem` is the reason if there is none.

        The start of the server and the pages that show the store's content call this again.
        """
        async with self._opening:
            if self.store is None and not self._closed:
                await self._open_store()

    async def _open_store(self) -> None:
        try:
            self.store = await open_store(self.settings, self.bus, self.clock)
        except DragomanError as error:
            self.store_problem = error
            log.warning("%s", error)
        else:
            self.store_problem = None
            self._purging = spawn(self.store.run_purge(), name="purge")

    async def close(self) -> None:
        """Stop the server, cancel what `run` started, and close everything. Answers are saved. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self.updates.stop()
        await self.server.stop()
        # A change of settings that has begun must be written to the file before its task is cancelled.
        async with self.settings_service.lock:
            await self._cancel_work()
        # A task may have started the server again before it was cancelled.
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
        """Show a page, and the item on it that the details name."""
        self.page_requested.emit(page, details)

    def toggle_server(self, *, on_error: OnError | None = None) -> None:
        """Start or stop the server. While requests run, the user is asked first."""
        if self.server.state == "running" and self.server.in_flight and not self.server.is_finishing:
            self.stop_requested.emit()
        else:
            self.run(self.server.toggle(), name="start or stop the server", on_error=on_error)

    def run(
        self, work: Coroutine[Any, Any, T], *, name: str, on_error: OnError | None = None
    ) -> "asyncio.Task[T | None]":
        """Run `work` in the background, for slots, which must not block.

        A DragomanError goes to `on_error`, otherwise to the window. Any other error is a bug and is shown as one.
        """
        task = spawn(self._report_errors(work, on_error), name=name, on_error=self.report_bug)
        # If the task is cancelled before its first step, Python would warn that `work` was never awaited.
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
        except DragomanError as error:
            log.warning("%s", error)
            (on_error or self.problem.emit)(error)
            return None

    def _apply_expiry(self) -> None:
        if self.store is not None:
            self.store.set_ttl(self.settings.session_ttl_seconds)

    async def _create_server(self, in_force: SettingsInForce, bus: EventBus) -> Server:
        if self.store is None:
            await self.open()
        if self.store_problem is not None:
            raise self.store_problem
        return await Server.create(in_force, bus, key_store=self.key_store, store=self.store)
