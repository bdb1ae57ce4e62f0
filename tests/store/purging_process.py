"""A program that deletes from a store, and kills itself with SIGKILL at the n-th SQL statement after it has begun to.

Usage: purging_process.py DATABASE N WORK, where WORK is `purge` or `delete`.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from server.core.events import EventBus, SessionsDeleted
from server.store.store import Store
from tests.store.killed_process import Countdown, report

NOW = 1_000_000.0
DAY = 86400.0


async def work(path, statements, what):
    bus = EventBus()
    bus.subscribe(lambda event: report("deleted") if isinstance(event, SessionsDeleted) else None)
    store = await Store.open(path, bus=bus, clock=lambda: NOW, ttl_seconds=DAY)
    await store._threads.submit_job(lambda connection: connection.set_trace_callback(Countdown(statements)))
    await (store.purge_expired() if what == "purge" else store.delete_sessions(search="xylophone"))
    await store.close()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
