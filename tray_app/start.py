"""Startup of the desktop application: settings, the single-instance lock, Qt, and the key store."""

import argparse
import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from server.config import former_name
from server.config.arguments import settings_overrides
from server.config.own_commands import COMMAND, set_host
from server.config.settings import Settings, load_settings
from server.core.console import write_line
from server.core.errors import COMMAND_LINE, DragomanError, SettingsInvalid, SetupError
from server.core.events import StateChanged
from server.core.tasks import spawn
from server.hosting.instances import OwnInstance, QuitHandler, register_instance
from server.logs import configure_logs
from server.secrets import KeyStore
from server.secrets.opening import key_from_environment
from tray_app.arguments import has_terminal, own_options
from tray_app.context import Context
from tray_app.desktop import crashes
from tray_app.desktop.autostart import system_autostart
from tray_app.desktop.crashes import faults
from tray_app.desktop.instance.launch import Launch, activation_token, make_launch
from tray_app.desktop.instance.single_instance import SingleInstance
from tray_app.desktop.loop.event_loop import EventLoop
from tray_app.desktop.loop.garbage import GuiThreadCollector
from tray_app.desktop.loop.os_signals import stop_on_signals
from tray_app.desktop.loop.qt_application import TrayApplication, make_qapplication
from tray_app.preferences import Preferences
from tray_app.theme import Theme
from tray_app.window.startup import show_startup_error, wait_for_key_store, wait_for_settings

T = TypeVar("T")

SERVER_FIRST_SECONDS = 2.0
"""How long loading the window waits for the server to start."""
CANCEL_SECONDS = 5.0
"""How long running tasks may take to end."""


def run_application(namespace: argparse.Namespace) -> int:
    """Run until the user quits. Returns the exit code.

    If the application already runs, it shows its window and this process ends. Raises SetupError for an invalid value
    on the command line, and for any error if there is a terminal; otherwise a dialog shows the error.
    """
    try:
        return _start_application(namespace)
    except SetupError as error:
        if has_terminal() or (isinstance(error, SettingsInvalid) and error.source == COMMAND_LINE):
            raise
        _run_dialog(error, show_startup_error(error))
        return 1


def _start_application(namespace: argparse.Namespace) -> int:
    overrides = settings_overrides(namespace)
    # Before Qt starts, because Qt removes the activation token from the environment.
    launch = make_launch(hidden=namespace.hidden, page=namespace.page, token=activation_token())
    settings = _load_settings(overrides)
    if settings is None:
        return 1
    key_from_environment()  # raises for an invalid key before anything starts
    instance = SingleInstance(settings.data_dir)
    if not instance.claim_data_dir(launch):
        return 0
    configure_logs(settings)
    former_name.log_changes()
    set_host(settings.data_dir, settings.config_dir, window=True)
    try:
        with crashes.catch_crashes(settings.data_dir), register_instance(settings.data_dir) as registered:
            _run_on_loop(_Startup(namespace, settings, overrides, instance, registered).run(launch))
    finally:
        instance.release_claim()
    return 0


def _run_on_loop(work: Coroutine[Any, Any, T]) -> T:
    app = make_qapplication()
    with EventLoop(app) as loop:
        asyncio.set_event_loop(loop)
        try:
            result: T = loop.run_until_complete(work)
        finally:
            _end_tasks(loop)
    return result


def _end_tasks(loop: EventLoop) -> None:
    """Cancel the remaining tasks and wait for them, like `asyncio.run`."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=CANCEL_SECONDS))
    loop.run_until_complete(loop.shutdown_asyncgens())


def _run_dialog(error: SetupError, work: Coroutine[Any, Any, T]) -> T:
    """Show a dialog about an error before the application runs. Ctrl-C ends the program at once."""
    # For the system's journal, when the application was started at login.
    write_line(f"{COMMAND}: {error}", "stderr")
    with faults.default_signals():
        return _run_on_loop(work)


def _load_settings(overrides: Mapping[str, Any]) -> Settings | None:
    """Load the settings; None if they are invalid and the user quits. Raises as `wait_for_settings` does."""
    try:
        return load_settings(overrides)
    except SettingsInvalid as error:
        if error.source == COMMAND_LINE:
            raise
        return _run_dialog(error, wait_for_settings(overrides))


class _Startup:
    """The startup and the run after it. Launches that arrive during startup are handled when there is a window."""

    def __init__(
        self,
        namespace: argparse.Namespace,
        settings: Settings,
        overrides: Mapping[str, Any],
        instance: SingleInstance,
        registered: OwnInstance,
    ) -> None:
        self._namespace = namespace
        self._settings = settings
        self._overrides = overrides
        self._instance = instance
        self._registered = registered
        self._quitting = asyncio.Event()
        self._early_launches: list[Launch] = []
        self._handle_launch: Callable[[Launch], object] = self._early_launches.append
        self._handle_quit: QuitHandler = lambda now: self._quitting.set()

    async def run(self, launch: Launch) -> None:
        """Run the application. Returns when everything is closed."""
        app = make_qapplication()
        app.quit_requested.connect(self._quitting.set)
        self._instance.launch_received.connect(lambda launch: self._handle_launch(launch))
        with stop_on_signals(self._quitting.set):
            self._instance.start_listening()
            await self._registered.listen(lambda now: self._handle_quit(now))
            try:
                await self._run_unless_quitting(app, launch)
            finally:
                self._registered.stop_listening()

    async def _run_unless_quitting(self, app: TrayApplication, launch: Launch) -> None:
        key_store = await self._unless_quitting(wait_for_key_store(self._settings))
        if key_store is None:
            return
        context = self._make_context(key_store)
        try:
            await context.open()
            await self._run_in_context(context, app, launch)
        finally:
            # First, so that a later launch does not hand over to an instance that ends or has failed.
            self._instance.close()
            await context.close()

    def _make_context(self, key_store: KeyStore) -> Context:
        preferences = Preferences(self._settings.config_dir)
        context = Context(
            self._settings,
            key_store=key_store,
            theme=Theme(preferences.theme),
            autostart=system_autostart(own_options(self._namespace)),
            preferences=preferences,
            overrides=self._overrides,
        )
        context.bridge.state_changed.connect(_print_address)
        return context

    async def _run_in_context(self, context: Context, app: TrayApplication, launch: Launch) -> None:
        if not self._namespace.no_start:
            await self._start_server(context)
        if self._quitting.is_set():
            return
        # Imported here because it loads the whole window, which takes a while.
        from tray_app.application import Application

        application = Application(app, context, self._quitting)
        # The application handles quit requests from here on, and asks the user first.
        app.quit_requested.disconnect(self._quitting.set)
        crashes.show_on(application)
        garbage = GuiThreadCollector()
        self._handle_launch = application.handle_launch
        self._handle_quit = application.quit_by_command
        for other in self._early_launches:
            application.handle_launch(other)
        # A launch during the shutdown waits for its end and then starts a new instance.
        application.ending.connect(self._instance.close)
        try:
            await application.run(launch)
        finally:
            crashes.show_on(None)
            garbage.close()

    async def _start_server(self, context: Context) -> None:
        """Start the server before the window, which loads slowly, because clients wait for the server."""
        starting = context.run(context.server.start(), name="start the server", on_error=_ignore_error)
        await asyncio.wait([starting], timeout=SERVER_FIRST_SECONDS)

    async def _unless_quitting(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Return the result of `work`, or None if the program is asked to quit first. Raises as `work` does."""
        working = spawn(work, name="start")
        quitting = spawn(self._quitting.wait(), name="wait for the end")
        try:
            await asyncio.wait([working, quitting], return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            for task in (working, quitting):
                task.cancel()


def _ignore_error(error: DragomanError) -> None:
    """Ignore the error, because the window shows `ServerControl.problem`."""


def _print_address(event: StateChanged) -> None:
    """Print the server's address, as `serve` does. Programs wait for that line."""
    if event.state == "running":
        write_line(f"listening on {event.url}")
