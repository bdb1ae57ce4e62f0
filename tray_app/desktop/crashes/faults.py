"""Crashes below Python (segmentation faults, aborts): where each thread was, in a file beside the log."""

import contextlib
import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from server.config.paths import make_private_dir, retry_while_open

log = logging.getLogger(__name__)

FILE = "faults.log"
OLDER = "faults.log.1"


def install(logs: Path) -> Callable[[], None]:
    """Write faults to a file in `logs`; call what is returned to end that.

    A file that cannot be written is no reason not to start.
    """
    was_enabled = faulthandler.is_enabled()
    try:
        make_private_dir(logs)
        _put_aside(logs)
        handle = os.open(logs / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        log.warning("faults cannot be written to %s: %s", logs / FILE, error)
        return lambda: None
    faulthandler.enable(handle, all_threads=True)

    def undo() -> None:
        faulthandler.disable()
        os.close(handle)
        if was_enabled and sys.__stderr__ is not None:
            faulthandler.enable(sys.__stderr__)

    return undo


@contextlib.contextmanager
def default_signals() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the process at once: what would have heeded them is gone."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_DFL) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _put_aside(logs: Path) -> None:
    """Keep what the last run left, which is all that is known of its end."""
    file = logs / FILE
    if file.exists() and file.stat().st_size:
        retry_while_open(file, lambda: os.replace(file, logs / OLDER))
        log.error("the last run ended by a fault below Python; %s says where", logs / OLDER)
