"""Requests as a file of JSON lines, newest first, without secrets; headers and bodies as far as they were logged."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from server.config.paths import AtomicWrite
from server.core import exact_json
from server.core.errors import TrayError
from server.core.records import RequestFilter, RequestRecord, as_json
from server.core.redaction import redact
from server.store.store import Store
from tray_app.translation import tr

PAGE = 200

Progress = Callable[[int, int], None]
"""Told how many were written, and of how many."""


async def export_filtered(
    store: Store | None,
    wanted: RequestFilter,
    path: Path,
    progress: Progress = lambda done, total: None,
    live: Sequence[RequestRecord] = (),
) -> int:
    """Write the requests that match to `path`, page by page; returns their number.

    Of `live`, which match too, oldest first, those are written that the store does not hold. The file is there when it
    is whole, and not at all if this is cancelled or fails. Raises TrayError.
    """
    return await _write(path, _pages(store, wanted, live), progress)


async def export_selected(
    store: Store | None, records: Sequence[RequestRecord], path: Path, progress: Progress = lambda done, total: None
) -> int:
    """Write these requests to `path`; as `export_filtered`."""

    async def pages() -> AsyncIterator[tuple[list[RequestRecord], int]]:
        for start in range(0, len(records), PAGE):
            yield await _whole(store, records[start : start + PAGE]), len(records)

    return await _write(path, pages(), progress)


def as_line(record: RequestRecord) -> bytes:
    """A record as one line of JSON, without secrets."""
    return exact_json.dumps(redact(as_json(record))) + b"\n"


async def _pages(
    store: Store | None, wanted: RequestFilter, live: Sequence[RequestRecord]
) -> AsyncIterator[tuple[list[RequestRecord], int]]:
    unkept = await _not_in(store, live)
    yield unkept, len(unkept)
    cursor: str | None = None
    total: int | None = None
    while store is not None:
        page = await store.list_requests(wanted, cursor=cursor, limit=PAGE)
        total = page.total + len(unkept) if total is None else total
        yield await _whole(store, page.items), total
        cursor = page.next_cursor
        if cursor is None:
            return


async def _not_in(store: Store | None, records: Sequence[RequestRecord]) -> list[RequestRecord]:
    """Those that the store does not hold, newest first."""
    newest_first = list(reversed(records))
    if store is None:
        return newest_first
    stored = await asyncio.gather(*(store.get_request(record.id) for record in newest_first))
    return [record for record, whole in zip(newest_first, stored, strict=True) if whole is None]


async def _whole(store: Store | None, records: Sequence[RequestRecord]) -> list[RequestRecord]:
    """The records with headers and bodies; those that the store does not hold as they are."""
    if store is None:
        return list(records)
    stored = await asyncio.gather(*(store.get_request(record.id) for record in records))
    return [whole or record for whole, record in zip(stored, records, strict=True)]


async def _write(path: Path, pages: AsyncIterator[tuple[list[RequestRecord], int]], progress: Progress) -> int:
    # One thread: what is done to the file is done in order, also if we are cancelled while a page is being written.
    file = AtomicWrite(path)
    loop = asyncio.get_running_loop()
    done = 0
    thread = ThreadPoolExecutor(1, thread_name_prefix="export")
    try:
        await loop.run_in_executor(thread, file.open)
        async for records, total in pages:
            if records:
                await loop.run_in_executor(thread, file.write, map(as_line, records))
                done += len(records)
                progress(done, max(total, done))
        await loop.run_in_executor(thread, file.commit)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        await loop.run_in_executor(thread, file.discard)
        thread.shutdown(wait=False)
    return done


def _not_written(path: Path, error: OSError) -> TrayError:
    return TrayError(
        tr("{path} could not be written: {reason}.").format(path=path, reason=error.strerror or error),
        hint=tr("Choose another folder, or free some space."),
    )
