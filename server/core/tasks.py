"""The one place where background tasks are made."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
ErrorHandler = Callable[[BaseException], None]

log = logging.getLogger(__name__)

# The event loop keeps only weak references: a task that nobody holds may vanish half done.
_running: set[asyncio.Task[Any]] = set()


def spawn(coro: Coroutine[Any, Any, T], *, name: str, on_error: ErrorHandler | None = None) -> asyncio.Task[T]:
    """Run `coro` in the background of the running loop. A failure is logged and handed to `on_error`.

    Cancelling the task is no failure.
    """
    task = asyncio.get_running_loop().create_task(coro, name=name)
    _running.add(task)

    def done(task: asyncio.Task[T]) -> None:
        _running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        log.error("the task %r failed", name, exc_info=error)
        if on_error is not None:
            on_error(error)

    task.add_done_callback(done)
    return task
