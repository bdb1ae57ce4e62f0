"""A program that uses a store and kills itself with SIGKILL at its n-th SQL statement.

Usage: killed_process.py DATABASE N. Prints `opened`, then `saved ID COUNT` or `deleted ID` after each acknowledgement.
"""

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path

from server.core.events import EventBus
from server.core.stored_responses import FinishedResponse
from server.store.store import Store
from tests.store.conversations import exchange, record, saved_as


class Countdown:
    def __init__(self, statements):
        self.left = statements

    def __call__(self, _statement):
        self.left -= 1
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def watch(countdown):
    connect = sqlite3.connect

    def watched(*args, **options):
        connection = connect(*args, **options)
        connection.set_trace_callback(countdown)
        return connection

    sqlite3.connect = watched


def report(*words):
    print(*words, flush=True)  # noqa: T201


async def work(path):
    store = await Store.open(path, bus=EventBus())
    report("opened")
    for number in range(1000):
        name = f"p{os.getpid()}-{number}"
        for count in (2, 4):
            texts = [f"text {at} " * 50 for at in range(count)]
            await store.save_session(name, **saved_as(exchange(*texts)))
            report("saved", name, count)
        first, second = f"{name}-1", f"{name}-2"
        items = [{"id": f"{name}-{at}", "content": text} for at, text in enumerate((name, "b", "c", "d"))]
        answered = FinishedResponse(first, {"status": "completed"}, items[:1], items[1:2])
        await store.save_session(first, **saved_as(exchange(name, "b")), explicit=False, response=answered)
        report("saved", first, 2)
        answered = FinishedResponse(second, answered.body, items[2:3], items[3:], items[:2], (first,))
        whole = saved_as(exchange(name, "b", "c", "d"))
        await store.save_session(second, **whole, explicit=False, prefix=2, response=answered)
        report("saved", second, 4)
        await store.record_request(record(name))
        if number % 3 == 2:
            await store.delete_session(name)
            report("deleted", name)
        if number % 5 == 4:
            await store.purge_expired()


if __name__ == "__main__":
    watch(Countdown(int(sys.argv[2])))
    asyncio.run(work(Path(sys.argv[1])))
