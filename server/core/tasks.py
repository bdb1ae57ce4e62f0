"""Background tasks, all of which are started here."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
ErrorHandler = Callable[[BaseException], None]

log = logging.getLogger(__name__)

# The event loop keeps only weak references: an unreferenced task may be garbage-collected before its end.
_running: set[asyncio.Task[Any]] = set()


def spawn(coro: Coroutine[Any, Any, T], *, name: str, on_error: ErrorHandler | None = None) -> asyncio.Task[T]:
    """Run `coro` in the background of the running loop.

    An error is logged and passed to `on_error`; cancellation is not an error.
    """
    task = asyncio.get_running_loop().create_task(coro, name=name)
    _running.add(task)

    def report_error(task: asyncio.Task[T]) -> None:
        _running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        log.error("the task %r failed", name, exc_info=error)
        if on_error is not None:
            on_error(error)

    task.add_done_callback(report_error)
    return task
