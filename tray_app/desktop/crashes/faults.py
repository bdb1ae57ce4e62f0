"""Fault log: the threads' stacks at a segmentation fault or abort."""

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

FAULT_LOG = "faults.log"
OLD_FAULT_LOG = "faults.log.1"


def enable_fault_log(logs: Path) -> Callable[[], None]:
    """Write faults to a file in `logs`, and return a function that ends that.

    If the file cannot be written, the log says so and the program starts anyway.
    """
    was_enabled = faulthandler.is_enabled()
    try:
        make_private_dir(logs)
        _rotate_file(logs)
        handle = os.open(logs / FAULT_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        log.warning("faults cannot be written to %s: %s", logs / FAULT_LOG, error)
        return lambda: None
    faulthandler.enable(handle, all_threads=True)

    def disable_fault_log() -> None:
        faulthandler.disable()
        os.close(handle)
        if was_enabled and sys.__stderr__ is not None:
            faulthandler.enable(sys.__stderr__)

    return disable_fault_log


@contextlib.contextmanager
def default_signals() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the process at once within the block."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_DFL) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _rotate_file(logs: Path) -> None:
    """Rename the last run's fault log, the only trace of its crash."""
    file = logs / FAULT_LOG
    if file.exists() and file.stat().st_size:
        retry_while_open(file, lambda: os.replace(file, logs / OLD_FAULT_LOG))
        log.error("the last run crashed below Python; see %s", logs / OLD_FAULT_LOG)
