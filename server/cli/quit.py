"""`dragoman quit`: asks every running instance of the data folder to end, and waits until it has ended."""

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence

from server.config.arguments import settings_overrides
from server.config.own_commands import own_command, set_host
from server.config.settings import load_settings
from server.core.console import write_line
from server.core.errors import SetupError
from server.hosting.instances import REQUEST_SECONDS, RunningInstance, find_instances

POLL_SECONDS = 0.05


def run(namespace: argparse.Namespace) -> int:
    """End the instances, or report that none runs. Raises SetupError if one still runs after `--timeout` seconds."""
    settings = load_settings(settings_overrides(namespace))
    set_host(settings.data_dir, settings.config_dir, window=False)
    try:
        found = find_instances(settings.data_dir)
    except OSError as error:
        raise SetupError(
            f"The data directory {settings.data_dir} cannot be read: {error.strerror or error}.",
            hint="Run the command as the user who started Dragoman.",
        ) from error
    if not found:
        write_line(f"Dragoman is not running with the data directory {settings.data_dir}.")
        return 0
    _end_instances(found, now=namespace.now, deadline=time.monotonic() + namespace.timeout)
    write_line(f"Dragoman has quit{_name_processes(found)}.")
    return 0


def _end_instances(instances: Sequence[RunningInstance], *, now: bool, deadline: float) -> None:
    running = list(instances)
    while True:
        for instance in running:
            instance.request_quit(now=now, timeout=min(REQUEST_SECONDS, max(POLL_SECONDS, deadline - time.monotonic())))
        running = [instance for instance in running if instance.is_running()]
        if not running or time.monotonic() >= deadline:
            break
        time.sleep(POLL_SECONDS)
    if running:
        raise SetupError(f"Dragoman is still running{_name_processes(running)}.", hint=_give_hint(running, now=now))
    _wait_for_processes(instances, deadline)


def _give_hint(running: Sequence[RunningInstance], *, now: bool) -> str:
    if not all(instance.accepted for instance in running):
        return "It does not respond. Wait a moment and try again. If that does not help, end that process."
    if now:
        return "It is ending. Try again with a longer --timeout, or end that process."
    return f"It ends when the last running request has finished; `{own_command('quit', '--now')}` cuts them off."


def _name_processes(instances: Sequence[RunningInstance]) -> str:
    known = [str(instance.process) for instance in instances if instance.process is not None]
    return f" ({'process' if len(known) == 1 else 'processes'} {', '.join(known)})" if known else ""


def _wait_for_processes(instances: Sequence[RunningInstance], deadline: float) -> None:
    """Wait for the ends of processes whose locks are free: on Windows their program files are in use until then."""
    if sys.platform == "win32":
        import psutil

        for instance in instances:
            if instance.process is not None:
                with contextlib.suppress(psutil.Error):
                    psutil.Process(instance.process).wait(max(POLL_SECONDS, deadline - time.monotonic()))
