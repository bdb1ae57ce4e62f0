"""Export of requests as JSON lines."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.core.errors import DragomanError
from server.core.events import EventBus
from server.core.records import RequestFilter
from server.store.store import Store
from tests.tray_app.models.request_records import fill, record
from tray_app.models.requests.export import export_filtered, export_selected

SECRET = "sk-ant-0123456789abcdefghijklmnop"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "history.db", bus=EventBus())
    yield store
    await store.close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder / "requests.jsonl"


def ignore_progress(done: int, total: int) -> None:
    pass


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


async def test_a_whole_filter_is_written_page_by_page(store: Store, target: Path) -> None:
    await fill(store, 1000)
    progress: list[tuple[int, int]] = []
    count = await export_filtered(
        store, RequestFilter(search="continue"), target, lambda done, total: progress.append((done, total))
    )
    assert count == 1000
    assert [line["id"] for line in lines(target)] == [f"req_{number:06}" for number in range(999, -1, -1)]
    assert progress == [(200, 1000), (400, 1000), (600, 1000), (800, 1000), (1000, 1000)]
    assert list(target.parent.iterdir()) == [target]


async def test_bodies_and_headers_are_exported_redacted(store: Store, target: Path) -> None:
    whole = replace(
        record(1),
        request_headers=(("x-api-key", SECRET), ("accept", "*/*")),
        request_body=json.dumps({"text": f"my key is {SECRET}"}),
        error=f"{SECRET} is refused",
    )
    await store.record_request(whole)
    await export_filtered(store, RequestFilter(), target, ignore_progress)
    (line,) = lines(target)
    assert SECRET not in target.read_text("utf-8")
    assert line["request_headers"] == [["x-api-key", "[redacted]"], ["accept", "*/*"]]
    assert json.loads(line["request_body"])["text"].startswith("my key is ")
    assert line["error"].endswith("is refused")


async def test_a_selection_is_written_whether_the_store_holds_it_or_not(store: Store, target: Path) -> None:
    await store.record_request(replace(record(1), request_body='{"a":1}'))
    assert await export_selected(store, [record(1), record(2)], target, ignore_progress) == 2
    assert [(line["id"], line["request_body"]) for line in lines(target)] == [
        ("req_000001", '{"a":1}'),
        ("req_000002", None),
    ]
    assert await export_selected(None, [record(3)], target, ignore_progress) == 1
    assert [line["id"] for line in lines(target)] == ["req_000003"]


async def test_nothing_is_left_of_a_cancelled_export_and_the_old_file_stays(store: Store, target: Path) -> None:
    await fill(store, 1000)
    target.write_text("old")
    begun = asyncio.Event()
    work = asyncio.ensure_future(export_filtered(store, RequestFilter(), target, lambda *_: begun.set()))
    await begun.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert target.read_text() == "old"
    assert list(target.parent.iterdir()) == [target]


async def test_the_error_names_an_unwritable_path(store: Store, tmp_path: Path) -> None:
    await fill(store, 3)
    with pytest.raises(DragomanError, match="could not be written: No such file or directory") as caught:
        await export_filtered(store, RequestFilter(), tmp_path / "no" / "where.jsonl", ignore_progress)
    assert caught.value.hint


async def test_unstored_live_requests_are_exported_once(store: Store, target: Path) -> None:
    await fill(store, 3)
    progress: list[tuple[int, int]] = []
    live = [record(number) for number in range(1, 6)]
    await export_filtered(store, RequestFilter(), target, lambda done, total: progress.append((done, total)), live)
    assert [line["id"][-1] for line in lines(target)] == ["5", "4", "3", "2", "1", "0"]
    assert progress[-1] == (6, 6)
    await export_filtered(None, RequestFilter(), target, ignore_progress, live[:2])
    assert [line["id"][-1] for line in lines(target)] == ["2", "1"]
