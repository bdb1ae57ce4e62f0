"""`python -m tests.tools.bench.window`: the window in a process of its own, and how late its event loop is.

A thread asks the loop every few milliseconds to run something, and notes how long that takes: that is how long a
request's bytes would wait. Rows come as the server brings them: each request begins, goes on and ends, and is kept
in the store. The result is JSON on standard output: the lags in milliseconds.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from server.config.settings import Settings
from server.core.events import RequestFinished, RequestStarted, RequestUpdated
from server.core.records import RequestRecord
from server.secrets import KeyStore
from server.secrets.storage import MemoryStorage
from tray_app.context import Context
from tray_app.desktop.autostart import system_autostart
from tray_app.desktop.loop.event_loop import EventLoop
from tray_app.desktop.loop.garbage import GuiThreadCollector
from tray_app.desktop.loop.qt_application import make_qapplication
from tray_app.preferences import Preferences
from tray_app.theme import Theme
from tray_app.window.main_window import MainWindow
from tray_app.window.pages import other_entries, rail_entries

PROBE_SECONDS = 0.005
WARM_UP_SECONDS = 1.0
TICK_SECONDS = 0.02
PAGES = ("requests", "overview", "sessions", "clients", "settings")


def main(arguments: Sequence[str]) -> int:
    """Run the window and print the lags."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rows", type=float, default=0, help="requests that begin and end, a second")
    parser.add_argument("--page", choices=PAGES, help="the page that is shown; none: the window is hidden")
    options = parser.parse_args(arguments)
    app = make_qapplication()
    with tempfile.TemporaryDirectory() as place, EventLoop(app) as loop:
        asyncio.set_event_loop(loop)
        lags = loop.run_until_complete(_measure(Path(place), options))
    print(json.dumps(lags))
    return 0


async def _measure(place: Path, options: argparse.Namespace) -> list[float]:
    settings = Settings(data_dir=place / "data", config_dir=place / "config", port=0, spares=0)
    context = Context(
        settings,
        key_store=KeyStore(MemoryStorage()),
        theme=Theme("light"),
        autostart=system_autostart(),
        preferences=Preferences(settings.config_dir),
    )
    await context.open()
    await context.server.start()
    window = MainWindow(context, rail_entries(), other_entries())
    if options.page:
        window.go_to_page(options.page)
        window.bring_up()
    garbage = GuiThreadCollector()
    rows = asyncio.ensure_future(_bring_rows(context, options.rows)) if options.rows else None
    await asyncio.sleep(WARM_UP_SECONDS)
    lags = await _lags(options.seconds)
    if rows is not None:
        rows.cancel()
    garbage.close()
    await window.finish_pending()
    await context.close()
    return lags


async def _bring_rows(context: Context, rate: float) -> None:
    """Requests, evenly over time; each lasts for three ticks."""
    stages: list[tuple[Callable[[RequestRecord], Any], dict[str, Any]]] = [
        (RequestStarted, {}),
        (RequestUpdated, {"ttft": 0.03, "model": "claude-opus-5-5"}),
        (RequestFinished, {"status": "ok", "http_status": 200, "duration": 0.06, "output_tokens": 120}),
    ]
    began, made, batches = time.monotonic(), 0, list[list[RequestRecord]]()
    while True:
        due = int((time.monotonic() - began) * rate)
        batches.append([_record(context, number) for number in range(made, due)])
        made = due
        batches = batches[-len(stages) :]
        for (event, changes), batch in zip(stages, reversed(batches), strict=False):
            for record in batch:
                now = replace(record, **changes)
                context.bus.publish(event(now))
                if event is RequestFinished and context.store is not None:
                    await context.store.record_request(now)
        await asyncio.sleep(TICK_SECONDS)


def _record(context: Context, number: int) -> RequestRecord:
    client = f"Client/{number % 7}.0"
    return RequestRecord(
        f"req_{number:026d}",
        context.clock(),
        "/v1/chat/completions",
        client,
        requested_model="gpt-5",
        session_id=f"session-{number % 40}",
        input_tokens=1200 + number % 900,
        cache_read_tokens=number % 900,
    )


async def _lags(seconds: float) -> list[float]:
    """Milliseconds from asking the loop to its answer, every `PROBE_SECONDS`."""
    loop, lags = asyncio.get_running_loop(), list[float]()
    over = threading.Event()

    def note(asked: float) -> None:
        lags.append((time.perf_counter() - asked) * 1000)

    def probe() -> None:
        # At least once, however soon it is over for a thread that comes late.
        loop.call_soon_threadsafe(note, time.perf_counter())
        while not over.wait(PROBE_SECONDS):
            loop.call_soon_threadsafe(note, time.perf_counter())

    prober = threading.Thread(target=probe)
    prober.start()
    await asyncio.sleep(seconds)
    over.set()
    await asyncio.to_thread(prober.join)
    return lags


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
