"""`dragoman serve`: runs the server without a desktop until a signal or `quit` stops it."""

import argparse
import asyncio
import contextlib
import functools
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator

from server.config import former_name
from server.config.arguments import settings_overrides
from server.config.own_commands import COMMAND, own_command, set_host
from server.config.settings import Settings, load_settings
from server.config.settings_in_force import SettingsInForce
from server.core.console import write_line
from server.core.events import Event, EventBus, Notice, NoticeCleared, StateChanged
from server.core.tasks import spawn
from server.hosting.instances import OwnInstance, register_instance
from server.hosting.runtime import HostedFactory, Runtime
from server.logs import configure_logs
from server.secrets import KeyStore, open_key_store

log = logging.getLogger(__name__)

HARD_EXIT = 130


def run(namespace: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C; a second signal ends the program at once. Raises SetupError."""
    settings = load_settings(settings_overrides(namespace))
    configure_logs(settings)
    former_name.log_changes()
    set_host(settings.data_dir, settings.config_dir, window=False)
    for text in settings.warnings():
        log.warning("%s", text)
    with register_instance(settings.data_dir) as instance:
        return asyncio.run(_serve(settings, instance))


async def _serve(settings: Settings, instance: OwnInstance) -> int:
    from server.composition import Server

    key_store = await open_key_store(settings)
    host = functools.partial(Server.create, key_store=key_store)
    return await serve_until_stopped(settings, host, key_store, instance)


async def serve_until_stopped(
    settings: Settings, host: HostedFactory, key_store: KeyStore, instance: OwnInstance | None = None
) -> int:
    """Serve what `host` makes until a signal or `quit`. Returns 0, or 1 if the server ends by itself."""
    bus = EventBus()
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_event(event: Event) -> None:
        if isinstance(event, StateChanged) and event.state == "failed" and not failed.done():
            failed.set_result(None)

    bus.subscribe(_EventLog())
    bus.subscribe(on_event)
    runtime = Runtime(SettingsInForce(settings), bus=bus, host=host)
    with _cancelled_by_signals() as cancel:
        try:
            if instance is not None:
                await instance.listen(lambda now: spawn(_quit(runtime, cancel, now=now), name="quit"))
            await runtime.start()
            _print_address(runtime, await _describe_key(settings, key_store))
            await failed
        except asyncio.CancelledError:
            return 0
        finally:
            await runtime.stop()
            if instance is not None:
                instance.stop_listening()
    return 1


async def _quit(runtime: Runtime, cancel: Callable[[], None], *, now: bool) -> None:
    """End the program as `quit` asks: after the running requests, or at once."""
    log.info("stopping (quit)")
    if not now:
        await runtime.finish()
    cancel()


@contextlib.contextmanager
def _cancelled_by_signals() -> Iterator[Callable[[], None]]:
    """Cancel the current task on the first signal, so that it cleans up; end the program on the second.

    Yields a function that cancels it too.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    # Another cancellation would interrupt the cleanup.
    cancelled = False

    def cancel() -> None:
        nonlocal cancelled
        if task is not None and not cancelled:
            task.cancel()
        cancelled = True

    def on_signal(number: int) -> None:
        if cancelled:
            os._exit(HARD_EXIT)
        log.info("stopping (%s); repeat to stop immediately", signal.Signals(number).name)
        cancel()

    remove = [_add_handler(loop, number, on_signal) for number in _stop_signals()]
    try:
        yield cancel
    finally:
        for undo in remove:
            undo()


def _add_handler(loop: asyncio.AbstractEventLoop, number: int, handler: Callable[[int], None]) -> Callable[[], object]:
    try:
        loop.add_signal_handler(number, handler, number)
    except NotImplementedError:  # Windows
        before = signal.signal(number, lambda number, _: loop.call_soon_threadsafe(handler, number))
        return lambda: signal.signal(number, before)
    return lambda: loop.remove_signal_handler(number)


def _stop_signals() -> list[int]:
    if sys.platform == "win32":
        return [signal.SIGINT, signal.SIGTERM, signal.SIGBREAK]
    # A closed terminal stops the server, except under nohup.
    hangup = [] if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *hangup]


async def _describe_key(settings: Settings, key_store: KeyStore) -> str:
    """Describe in one line where the API key is; a key in memory is printed, since nothing else can show it."""
    if not settings.api_key_required:
        return "API key: not required; any program that can reach this address can use the server"
    key = await key_store.get_or_create()
    if key_store.kind == "memory":
        return f"API key: {key} ({key_store.description})"
    if key_store.kind == "environment":
        return f"API key: {key_store.description}"
    return f"API key: {key_store.description}; '{own_command('key')}' prints it"


def _print_address(runtime: Runtime, key_line: str) -> None:
    """Print the only two lines on standard output. Programs wait for the first."""
    write_line(f"listening on {runtime.url}\n{key_line}")


class _EventLog:
    """Logs events, except a start that fails: its error is printed."""

    def __init__(self) -> None:
        self._served = False

    def __call__(self, event: Event) -> None:
        match event:
            case StateChanged(state="running", url=url):
                self._served = True
                log.info("listening on %s", url)
            case StateChanged(state="stopped") if self._served:
                log.info("stopped")
            case StateChanged(state="failed", reason=reason) if self._served:
                log.error("%s", reason)
            case Notice():
                _log_notice(event)
            case NoticeCleared(topic):
                log.info("resolved: %s", topic)


def _log_notice(notice: Notice) -> None:
    """Log a notice; print a warning that is below the log level, because there is no window to show it."""
    level = logging.getLevelNamesMapping()[notice.level.upper()]
    text = f"{notice.message} {notice.hint}".strip()
    if log.isEnabledFor(level):
        log.log(level, "%s", text)
    elif notice.level != "info":
        write_line(f"{COMMAND}: {text}", "stderr")
