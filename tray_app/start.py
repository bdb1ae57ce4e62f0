"""The start of the desktop application: settings, the claim to be the only one, Qt, and the keys."""

import argparse
import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from server.cli.options import overrides
from server.config import former_name
from server.config.own_commands import COMMAND, announce
from server.config.settings import Settings, load_settings
from server.core.console import say
from server.core.errors import COMMAND_LINE, SettingsInvalid, SetupError, TrayError
from server.core.events import StateChanged
from server.core.tasks import spawn
from server.logs import configure_logs
from server.secrets import KeyStore
from server.secrets.opening import key_from_environment
from tray_app.arguments import in_terminal, own_options
from tray_app.context import Context
from tray_app.desktop import crashes
from tray_app.desktop.autostart import system_autostart
from tray_app.desktop.crashes import faults
from tray_app.desktop.instance.launch import Launch, activation_token, launch_of
from tray_app.desktop.instance.single_instance import SingleInstance
from tray_app.desktop.loop.event_loop import EventLoop
from tray_app.desktop.loop.garbage import GuiThreadGarbage
from tray_app.desktop.loop.os_signals import stop_on_signals
from tray_app.desktop.loop.qt_application import TrayApplication, make_qapplication
from tray_app.preferences import Preferences
from tray_app.theme import Theme
from tray_app.window.startup import show_startup_error, wait_for_key_store, wait_for_settings

T = TypeVar("T")

SERVER_FIRST_SECONDS = 2.0
"""How long the window waits for the server, so that it does not hold it up."""
CANCEL_SECONDS = 5.0
"""How long what is still going on may take to end."""


def start(namespace: argparse.Namespace) -> int:
    """Run until the person quits; the exit code.

    Where the application runs already, it shows its window, and this start ends. Raises SetupError for what was
    typed there, and if somebody reads the terminal; otherwise a dialog says what is wrong.
    """
    try:
        return _start(namespace)
    except SetupError as error:
        if in_terminal() or (isinstance(error, SettingsInvalid) and error.source == COMMAND_LINE):
            raise
        _ask(error, show_startup_error(error))
        return 1


def _start(namespace: argparse.Namespace) -> int:
    given = overrides(namespace)
    # Before Qt, which takes it out of the environment.
    launch = launch_of(hidden=namespace.hidden, page=namespace.page, token=activation_token())
    settings = _settings(given)
    if settings is None:
        return 1
    key_from_environment()  # one that cannot be used is said before anything is begun
    instance = SingleInstance(settings.data_dir)
    if not instance.claim(launch):
        return 0
    configure_logs(settings)
    former_name.log_changes()
    announce(settings.data_dir, settings.config_dir, window=True)
    try:
        with crashes.catching(settings.data_dir):
            _run_on_loop(_Start(namespace, settings, given, instance).run(launch))
    finally:
        instance.release()
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
    """What goes on would be cut off in the middle, as `asyncio.run` does not do it either."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=CANCEL_SECONDS))
    loop.run_until_complete(loop.shutdown_asyncgens())


def _ask(error: SetupError, work: Coroutine[Any, Any, T]) -> T:
    """A dialog about an error when there is nothing to take down: Ctrl-C ends the program at once."""
    # For those who look into the journal of what was started at login.
    say(f"{COMMAND}: {error}", "stderr")
    with faults.default_signals():
        return _run_on_loop(work)


def _settings(given: Mapping[str, Any]) -> Settings | None:
    """The settings; None if they cannot be used and the person gave up. Raises as `wait_for_settings` does."""
    try:
        return load_settings(given)
    except SettingsInvalid as error:
        if error.source == COMMAND_LINE:
            raise
        return _ask(error, wait_for_settings(given))


class _Start:
    """A start, and the run after it. Other starts are heard from its beginning, and heeded when there is a window."""

    def __init__(
        self, namespace: argparse.Namespace, settings: Settings, given: Mapping[str, Any], instance: SingleInstance
    ) -> None:
        self._namespace = namespace
        self._settings = settings
        self._given = given
        self._instance = instance
        self._quitting = asyncio.Event()
        self._waiting: list[Launch] = []
        self._take: Callable[[Launch], object] = self._waiting.append

    async def run(self, launch: Launch) -> None:
        """Return when all has been taken down."""
        app = make_qapplication()
        app.quit_requested.connect(self._quitting.set)
        self._instance.message_received.connect(lambda launch: self._take(launch))
        with stop_on_signals(self._quitting.set):
            self._instance.listen()
            key_store = await self._unless_quitting(wait_for_key_store(self._settings))
            if key_store is None:
                return
            context = self._context(key_store)
            try:
                await context.open()
                await self._run_in(context, app, launch)
            finally:
                # Also after an error, which is shown next: nobody is to be told that all is well.
                self._instance.close()
                await context.close()

    def _context(self, key_store: KeyStore) -> Context:
        preferences = Preferences(self._settings.config_dir)
        context = Context(
            self._settings,
            key_store=key_store,
            theme=Theme(preferences.theme),
            autostart=system_autostart(own_options(self._namespace)),
            preferences=preferences,
            overrides=self._given,
        )
        context.bridge.state_changed.connect(_announce)
        return context

    async def _run_in(self, context: Context, app: TrayApplication, launch: Launch) -> None:
        if not self._namespace.no_start:
            await self._start_server(context)
        if self._quitting.is_set():
            return
        # Loaded only now, with all that it shows.
        from tray_app.application import Application

        application = Application(app, context, self._quitting)
        # It asks before it quits, where the desktop only says that it should.
        app.quit_requested.disconnect(self._quitting.set)
        crashes.show_on(application)
        garbage = GuiThreadGarbage()
        self._take = application.take
        for other in self._waiting:
            application.take(other)
        # A start that comes now waits for the end of this one, and is the first then.
        application.ending.connect(self._instance.close)
        try:
            await application.run(launch)
        finally:
            crashes.show_on(None)
            garbage.close()

    async def _start_server(self, context: Context) -> None:
        """The server before the window: clients wait for it, and the window takes a while to be loaded."""
        starting = context.run(context.server.start(), name="start the server", on_error=_left_to_the_window)
        await asyncio.wait([starting], timeout=SERVER_FIRST_SECONDS)

    async def _unless_quitting(self, work: Coroutine[Any, Any, T]) -> T | None:
        """What `work` gives; None if the program is told to end meanwhile. Raises as it does."""
        working = spawn(work, name="start")
        quitting = spawn(self._quitting.wait(), name="wait for the end")
        try:
            await asyncio.wait([working, quitting], return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            for task in (working, quitting):
                task.cancel()


def _left_to_the_window(error: TrayError) -> None:
    """The window shows `ServerControl.problem`."""


def _announce(event: StateChanged) -> None:
    """Standard output holds where the server listens, as with `serve`: programs wait for it."""
    if event.state == "running":
        say(f"listening on {event.url}")
