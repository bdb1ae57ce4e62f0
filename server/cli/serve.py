"""`dragoman serve`: the server without a desktop, until it is told to stop."""

import argparse
import asyncio
import contextlib
import functools
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator

from server.cli.options import overrides
from server.config import former_name
from server.config.addresses import is_this_computer
from server.config.own_commands import COMMAND, announce, own_command
from server.config.settings import Settings, load_settings
from server.core.console import write_line
from server.core.events import Event, EventBus, Notice, NoticeCleared, StateChanged
from server.hosting.own_address import refuse_itself
from server.hosting.runtime import Host, Runtime
from server.logs import configure_logs
from server.secrets import KeyStore, open_key_store

log = logging.getLogger(__name__)

HARD_EXIT = 130


def run(namespace: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C; a second one ends the program at once. Raises SetupError."""
    settings = load_settings(overrides(namespace))
    refuse_itself(settings, os.environ.get("ANTHROPIC_BASE_URL", ""))
    configure_logs(settings)
    former_name.log_changes()
    announce(settings.data_dir, settings.config_dir, window=False)
    _warn(settings)
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> int:
    from server.composition import Server

    key_store = await open_key_store(settings)
    return await serve(settings, functools.partial(Server.create, key_store=key_store), key_store)


async def serve(settings: Settings, host: Host, key_store: KeyStore) -> int:
    """Serve what `host` makes until the program is told to stop; 0 then, and 1 if the server ends by itself."""
    bus = EventBus()
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def listener(event: Event) -> None:
        if isinstance(event, StateChanged) and event.state == "failed" and not failed.done():
            failed.set_result(None)

    bus.subscribe(_Journal())
    bus.subscribe(listener)
    runtime = Runtime(settings, bus=bus, host=host)
    with _cancelled_by_signals():
        try:
            await runtime.start()
            _announce(runtime, await _whereabouts(settings, key_store))
            await failed
        except asyncio.CancelledError:
            return 0
        finally:
            await runtime.stop()
    return 1


@contextlib.contextmanager
def _cancelled_by_signals() -> Iterator[None]:
    """The first signal cancels the current task, which has its cleaning up to do; the second ends the program."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    received: list[int] = []

    def on_signal(number: int) -> None:
        if received:
            os._exit(HARD_EXIT)
        received.append(number)
        log.info("stopping (%s); repeat to stop immediately", signal.Signals(number).name)
        if task is not None:
            task.cancel()

    remove = [_add_handler(loop, number, on_signal) for number in _stop_signals()]
    try:
        yield
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
    # A closed terminal stops the server, unless nohup says otherwise.
    hangup = [] if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *hangup]


async def _whereabouts(settings: Settings, key_store: KeyStore) -> str:
    """One line: where the API key is, or in memory, where nobody could find it, the key itself."""
    if not settings.api_key_required:
        return "API key: not required; any program that can reach this address can use the server"
    key = await key_store.get_or_create()
    if key_store.kind == "memory":
        return f"API key: {key} ({key_store.description})"
    if key_store.kind == "environment":
        return f"API key: {key_store.description}"
    return f"API key: {key_store.description}; '{own_command('key')}' prints it"


def _announce(runtime: Runtime, whereabouts: str) -> None:
    """Standard output holds these two lines and nothing else: programs wait for the first."""
    write_line(f"listening on {runtime.url}\n{whereabouts}")


def _warn(settings: Settings) -> None:
    if settings.unknown_keys:
        names = ", ".join(settings.unknown_keys)
        log.warning("%s has unknown settings: %s", settings.settings_file, names)
    if not settings.api_key_required and not is_this_computer(settings.host):
        log.warning("anyone on the network can use this server: no API key is required")


class _Journal:
    """Logs what happens. A start that fails is not among it: the error that it raises is shown to the person."""

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
                _tell(event)
            case NoticeCleared(topic):
                log.info("resolved: %s", topic)


def _tell(notice: Notice) -> None:
    """Show a notice whatever the log's level is: without a window there is nothing else that shows it."""
    level = logging.getLevelNamesMapping()[notice.level.upper()]
    text = f"{notice.message} {notice.hint}".strip()
    if log.isEnabledFor(level):
        log.log(level, "%s", text)
    elif notice.level != "info":
        write_line(f"{COMMAND}: {text}", "stderr")
