"""Request records for tests of the log."""

from dataclasses import replace

from server.core.records import RequestRecord, RequestStatus
from server.store.store import Store

START = 1_700_000_000.0
STATUSES: tuple[RequestStatus, ...] = ("ok", "ok", "ok", "error", "cancelled")


def record(number: int, status: RequestStatus | None = None) -> RequestRecord:
    """The request with this number; one arrives per second."""
    status = status or STATUSES[number % len(STATUSES)]
    running = RequestRecord(
        id=f"req_{number:06}",
        started_at=START + number,
        endpoint="/v1/chat/completions",
        client="Continue/1.2",
        requested_model="gpt-4o",
        status="running",
    )
    if status == "running":
        return running
    return replace(running, status=status, model="claude-opus-5-5", duration=2.0, ttft=0.4, input_tokens=1200)


async def fill(store: Store, count: int) -> None:
    """Store the requests 0 to `count - 1`."""
    for number in range(count):
        await store.record_request(record(number))
        if number % 5000 == 0:
            await store.get_request("none")  # writes the batch, as the store does over time
