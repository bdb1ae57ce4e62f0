"""The start of the desktop application: settings, the claim to be the only one, Qt, and the keys."""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from server.commands.options import COMMAND_LINE, overrides
from server.errors import SettingsInvalid, SetupError, TrayError
from server.events import StateChanged
from server.logs import configure_logs
from server.settings import Settings, load_settings
from tray_app import crashes
from tray_app.arguments import in_terminal, own_options
from tray_app.autostart import system_autostart
from tray_app.context import Context
from tray_app.event_loop import EventLoop
from tray_app.garbage import GuiThreadGarbage
from tray_app.launch import Launch, activation_token
from tray_app.os_signals import stop_on_signals
from tray_app.preferences import Preferences
from tray_app.qt_application import make_qapplication
from tray_app.single_instance import SingleInstance
from tray_app.theme import Theme
from tray_app.windows.startup import tell, wait_for_key_store, wait_for_settings

T = TypeVar("T")

SERVER_FIRST_SECONDS = 2.0
"""How long the window waits for the server, so that it does not hold it up."""


def start(namespace: argparse.Namespace) -> int:
    """Run until the person quits; the exit code.

    Where the application runs already, it shows its window, and this start ends. Raises SetupError for what was
    typed there, and if somebody reads the terminal; otherwise a dialog says what is wrong.
    """
    try:
        return _start(namespace)
    except SetupError as error:
        typed = isinstance(error, SettingsInvalid) and error.source == COMMAND_LINE
        if typed or in_terminal():
            raise
        _run_on_loop(tell(error))
        return 1


def _start(namespace: argparse.Namespace) -> int:
    given = overrides(namespace)
    # Before Qt, which takes it out of the environment.
    launch = Launch("none" if namespace.hidden else "show", token=activation_token())
    settings = _settings(given)
    if settings is None:
        return 1
    instance = SingleInstance(settings.data_dir)
    if not instance.claim(launch):
        return 0
    configure_logs(settings)
    try:
        with crashes.catching(settings.data_dir):
            _run_on_loop(_run(namespace, settings, given, instance))
    finally:
        instance.release()
    return 0


def _run_on_loop(work: Coroutine[Any, Any, T]) -> T:
    app = make_qapplication()
    with EventLoop(app) as loop:
        asyncio.set_event_loop(loop)
        result: T = loop.run_until_complete(work)
    return result


def _settings(given: Mapping[str, Any]) -> Settings | None:
    """The settings; None if they cannot be used and the person gave up. Raises as `wait_for_settings` does."""
    try:
        return load_settings(given)
    except SettingsInvalid as error:
        if error.source == COMMAND_LINE:
            raise
        return _run_on_loop(wait_for_settings(given))


async def _run(
    namespace: argparse.Namespace, settings: Settings, given: Mapping[str, Any], instance: SingleInstance
) -> None:
    quitting = asyncio.Event()
    with stop_on_signals(quitting.set):
        preferences = Preferences(settings.config_dir)
        context = Context(
            settings,
            key_store=await wait_for_key_store(settings),
            theme=Theme(preferences.theme),
            autostart=system_autostart(own_options(namespace)),
            preferences=preferences,
            overrides=given,
        )
        context.bridge.state_changed.connect(_announce)
        await context.open()
        if not namespace.no_start:
            await _start_server(context)
        await _run_application(namespace, context, instance, quitting)


async def _start_server(context: Context) -> None:
    """The server before the window: clients wait for it, and the window takes a while to be loaded."""
    starting = context.run(context.server.start(), name="start the server", on_error=_left_to_the_window)
    await asyncio.wait([starting], timeout=SERVER_FIRST_SECONDS)


def _left_to_the_window(error: TrayError) -> None:
    """The window shows `ServerControl.problem`."""


async def _run_application(
    namespace: argparse.Namespace, context: Context, instance: SingleInstance, quitting: asyncio.Event
) -> None:
    # Loaded only now, with all that it shows.
    from tray_app.application import Application

    application = Application(make_qapplication(), context, quitting)
    crashes.show_on(application)
    garbage = GuiThreadGarbage()
    instance.message_received.connect(application.take)
    instance.listen()
    # A start that comes now waits for the end of this one, and is the first then.
    application.ending.connect(instance.close)
    await application.run(hidden=namespace.hidden)
    garbage.close()


def _announce(event: StateChanged) -> None:
    """Standard output holds where the server listens, as with `serve`: programs wait for it."""
    if event.state == "running" and sys.stdout is not None:
        # Whoever started us may have stopped reading.
        with contextlib.suppress(OSError):
            print(f"listening on {event.url}", flush=True)
