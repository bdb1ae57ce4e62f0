"""Export of requests as JSON lines, newest first, redacted, with headers and bodies if they were logged."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from server.config.paths import AtomicWrite
from server.core import exact_json
from server.core.errors import DragomanError
from server.core.records import RequestFilter, RequestRecord, as_json
from server.core.redaction import redact
from server.store.store import Store
from tray_app.translation import tr

PAGE_SIZE = 200

OnProgress = Callable[[int, int], None]
"""Called with the number written so far and the total."""


async def export_filtered(
    store: Store | None,
    request_filter: RequestFilter,
    path: Path,
    on_progress: OnProgress,
    live: Sequence[RequestRecord] = (),
) -> int:
    """Write the matching requests to `path`, page by page; return their number. Raises DragomanError.

    `live` are matching requests, oldest first; those that the store does not hold are written too. The file appears
    when it is complete. If this fails or is cancelled, no file is left.
    """
    return await _write_pages(path, _read_pages(store, request_filter, live), on_progress)


async def export_selected(
    store: Store | None, records: Sequence[RequestRecord], path: Path, on_progress: OnProgress
) -> int:
    """Write these requests to `path`, like `export_filtered`."""

    async def read_selected() -> AsyncIterator[tuple[list[RequestRecord], int]]:
        for start in range(0, len(records), PAGE_SIZE):
            yield await _load_full_records(store, records[start : start + PAGE_SIZE]), len(records)

    return await _write_pages(path, read_selected(), on_progress)


def to_json_line(record: RequestRecord) -> bytes:
    """The record as one line of JSON, redacted."""
    return exact_json.dumps(redact(as_json(record))) + b"\n"


async def _read_pages(
    store: Store | None, request_filter: RequestFilter, live: Sequence[RequestRecord]
) -> AsyncIterator[tuple[list[RequestRecord], int]]:
    unkept = await _find_unstored(store, live)
    yield unkept, len(unkept)
    cursor: str | None = None
    total: int | None = None
    while store is not None:
        page = await store.list_requests(request_filter, cursor=cursor, limit=PAGE_SIZE)
        total = page.total + len(unkept) if total is None else total
        yield await _load_full_records(store, page.items), total
        cursor = page.next_cursor
        if cursor is None:
            return


async def _find_unstored(store: Store | None, records: Sequence[RequestRecord]) -> list[RequestRecord]:
    """The records that the store does not hold, newest first."""
    newest_first = list(reversed(records))
    if store is None:
        return newest_first
    stored = await asyncio.gather(*(store.get_request(record.id) for record in newest_first))
    return [record for record, whole in zip(newest_first, stored, strict=True) if whole is None]


async def _load_full_records(store: Store | None, records: Sequence[RequestRecord]) -> list[RequestRecord]:
    """The records with headers and bodies; unchanged if the store does not hold them."""
    if store is None:
        return list(records)
    stored = await asyncio.gather(*(store.get_request(record.id) for record in records))
    return [whole or record for whole, record in zip(stored, records, strict=True)]


async def _write_pages(
    path: Path, pages: AsyncIterator[tuple[list[RequestRecord], int]], on_progress: OnProgress
) -> int:
    # One thread runs the file operations in order, so a cancellation during a write cannot overtake that write.
    file = AtomicWrite(path)
    loop = asyncio.get_running_loop()
    done = 0
    thread = ThreadPoolExecutor(1, thread_name_prefix="export")
    try:
        await loop.run_in_executor(thread, file.open)
        async for records, total in pages:
            if records:
                await loop.run_in_executor(thread, file.write, map(to_json_line, records))
                done += len(records)
                on_progress(done, max(total, done))
        await loop.run_in_executor(thread, file.commit)
    except OSError as error:
        raise _export_error(path, error) from error
    finally:
        await loop.run_in_executor(thread, file.discard)
        thread.shutdown(wait=False)
    return done


def _export_error(path: Path, error: OSError) -> DragomanError:
    return DragomanError(
        tr("{path} could not be written: {reason}.").format(path=path, reason=error.strerror or error),
        hint=tr("Choose another folder, or free some space."),
    )
