"""Lookups of a session while the store searches and purges, and the time of a search: the store alone, no server."""

import asyncio
import itertools
import random
import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from statistics import median

from server.core.events import EventBus
from server.core.messages import Message
from server.core.records import RequestFilter, RequestRecord
from server.store import requests, saving
from server.store.database import open_database
from server.store.expiry import Expiry
from server.store.migrate import transaction
from server.store.store import Store
from tests.tools.bench.report import MS, Row, Target, percentile
from tests.tools.bench.rounds import Size, progress
from tests.tools.bench.scene import Scene

LOOKUP = "session lookup"
SEARCH = "search"
ALONE, SEARCHING, PURGING = "nothing else", "during a search", "during a purge"
LOOKUPS = (ALONE, SEARCHING, PURGING)
LOOKUP_MS = 20
SEARCH_MS = 150
MESSAGES = 20
SYLLABLES = [consonant + vowel for consonant in "bcdfghjklmnprstv" for vowel in "aeiou"]
WORDS = [first + second + third for third in SYLLABLES[:5] for first in SYLLABLES for second in SYLLABLES[:50]]
FREQUENCIES = list(itertools.accumulate(1 / (rank + 1) for rank in range(len(WORDS))))
"""As in any language: some words are in most texts, most words in few."""
COMMON, SELDOM = f"{WORDS[3]} {WORDS[5]}", WORDS[1234]
"""Two words of most sessions, and one of few."""
NOW = 1_800_000_000.0
DAY = 86400.0
SECONDS_BETWEEN_LOOKUPS = 0.005


async def measure(scene: Scene, size: Size) -> list[Row]:
    """Fill a store once; each round works with a copy, since a purge empties it."""
    full = scene.home / "full.db"
    await asyncio.to_thread(fill, full, size.sessions, size.logged)
    rounds: list[dict[str, list[float]]] = []
    for _ in range(size.rounds):
        rounds.append(await measure_copy(full, scene.home / "copy.db", size.sessions))
        progress()
    return [_row(rounds, who) for who in rounds[0]]


def _row(rounds: list[dict[str, list[float]]], who: str) -> Row:
    values = [value for taken in rounds for value in taken[who]]
    if who not in LOOKUPS:
        return Row(SEARCH, who, MS, values, targets=[Target(f"{SEARCH_MS} ms", median(values) <= SEARCH_MS)])
    slowest = percentile(values, 0.95)
    targets = [] if who == ALONE else [Target(f"p95 {LOOKUP_MS} ms", slowest <= LOOKUP_MS)]
    relative = [median(taken[who]) / median(taken[ALONE]) for taken in rounds]
    return Row(LOOKUP, who, MS, values, relative, targets)


async def measure_copy(full: Path, copy: Path, sessions: int) -> dict[str, list[float]]:
    """Milliseconds of each search, and of the lookups beside nothing, a search and a purge."""
    shutil.copyfile(full, copy)
    now = NOW
    store = await Store.open(copy, bus=EventBus(), clock=lambda: now, ttl_seconds=DAY)
    try:
        taken = {
            "sessions, common words": [await _timed(lambda: store.list_sessions(search=COMMON))],
            "sessions, rare word": [await _timed(lambda: store.list_sessions(search=SELDOM))],
            "sessions, first letter": [await _timed(lambda: store.list_sessions(search="s"))],
            "requests, common word": [await _timed(lambda: store.list_requests(RequestFilter(search="claude")))],
        }
        ids = [f"s{number}" for number in range(sessions // 2, sessions)]  # those that the purge keeps
        taken[ALONE] = await _look_up(store, ids, lambda: asyncio.sleep(0.2))
        taken[SEARCHING] = await _look_up(store, ids, lambda: store.list_sessions(search=COMMON))
        now = NOW + DAY / 2 + sessions / 2
        taken[PURGING] = await _look_up(store, ids, store.purge_expired)
    finally:
        await store.close()
    return taken


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


async def _look_up(store: Store, ids: list[str], beside: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds of each lookup, one after the other, from when `beside` has begun until it is done."""
    busy = asyncio.ensure_future(beside())
    await asyncio.sleep(0)
    taken = []
    while not (busy.done() and taken):
        taken.append(await _timed(lambda: store.find_session(random.choice(ids))))
        await asyncio.sleep(SECONDS_BETWEEN_LOOKUPS)
    await busy
    return taken


def fill(path: Path, sessions: int, logged: int) -> None:
    """Make a database with so many sessions and requests; half of both are half a day older."""
    chance = random.Random(1)
    with closing(open_database(path).connection) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for number in range(sessions):
            _save_session(connection, number, _used_at(number, sessions), chance)
        records = [_record(number, logged, sessions, chance) for number in range(logged)]
        requests.write_records(connection, records)
        with transaction(connection):
            connection.execute("UPDATE sessions SET title = 'Sorted' WHERE number % 10 = 0")


def _used_at(number: int, count: int) -> float:
    return NOW - (DAY / 2 if number < count // 2 else 0) + number / count


def _save_session(connection: sqlite3.Connection, number: int, at: float, chance: random.Random) -> None:
    texts = [" ".join(chance.choices(WORDS, cum_weights=FREQUENCIES, k=60)) for _ in range(MESSAGES)]
    messages: list[Message] = [
        {"role": "assistant" if index % 2 else "user", "content": [{"type": "text", "text": text}]}
        for index, text in enumerate(texts)
    ]
    exchange = saving.FinishedExchange((texts[0],), messages, "ide/1.0", "claude-opus-5-5", {"output_tokens": 60})
    saving.save_exchange(connection, Expiry(at, None), exchange, f"s{number}")


def _record(number: int, count: int, sessions: int, chance: random.Random) -> RequestRecord:
    return RequestRecord(
        f"req_{number}",
        _used_at(number, count),
        "/v1/messages",
        "ide/1.0",
        "claude-opus-5-5",
        "claude-opus-5-5",
        f"s{number * sessions // count}",
        "claude_cli",
        status="ok",
        http_status=200,
        input_tokens=chance.randrange(10_000),
        output_tokens=chance.randrange(1000),
        request_headers=(("user-agent", "ide/1.0"), ("accept", "*/*")),
    )
