"""Recorded requests, and waiting for them from any thread or event loop."""

import asyncio
import concurrent.futures
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MESSAGES_PATH = "/v1/messages"


@dataclass(eq=False)
class Recorded:
    """One request. `body` is its JSON (None without any), `raw` its bytes; header names are lower case.

    `started` and `ended` are `time.monotonic()` seconds; `ended` is None while it is being answered.
    `events_sent` counts the stream events written so far, `disconnected` says that the client left early.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    raw: bytes = field(repr=False)
    body: Any
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    status: int | None = None
    disconnected: bool = False
    events_sent: int = 0

    @property
    def model(self) -> str:
        """The model asked for."""
        return str(self.body.get("model", ""))


Calls = list[Recorded]
Predicate = Callable[[Calls], bool]


class Recording:
    """The requests so far, and those who wait for more. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._requests: Calls = []
        self._waiting: list[tuple[Predicate, concurrent.futures.Future[None]]] = []

    @property
    def requests(self) -> Calls:
        """Every request, in the order of arrival."""
        with self._lock:
            return list(self._requests)

    @property
    def messages_calls(self) -> Calls:
        """The requests to /v1/messages."""
        return [request for request in self.requests if request.path == MESSAGES_PATH]

    def add(self, recorded: Recorded) -> None:
        """A request has arrived."""
        with self._lock:
            self._requests.append(recorded)
            self._changed()

    def update(self, recorded: Recorded, **changes: Any) -> None:
        """Something about a request has changed."""
        with self._lock:
            for name, value in changes.items():
                setattr(recorded, name, value)
            self._changed()

    def clear(self) -> None:
        """Forget the requests so far."""
        with self._lock:
            self._requests.clear()

    def _when(self, condition: Predicate | int) -> "concurrent.futures.Future[None]":
        """A future that is done once the condition holds of the messages calls, or once there are so many."""
        predicate = _at_least(condition) if isinstance(condition, int) else condition
        future: concurrent.futures.Future[None] = concurrent.futures.Future()
        with self._lock:
            self._waiting.append((predicate, future))
            self._changed()
        return future

    def _changed(self) -> None:
        if not self._waiting:
            return
        calls = self.messages_calls
        waiting, self._waiting = self._waiting, []
        for predicate, future in waiting:
            if not _settle(predicate, future, calls):
                self._waiting.append((predicate, future))

    def wait_for(self, condition: Predicate | int, timeout: float = 60.0) -> Calls:
        """Block until the condition holds of the messages calls, and give them. Raises TimeoutError."""
        future = self._when(condition)
        try:
            future.result(timeout)
        except TimeoutError as error:
            raise TimeoutError(self._report(timeout)) from error
        finally:
            future.cancel()
        return self.messages_calls

    async def await_for(self, condition: Predicate | int, timeout: float = 60.0) -> Calls:  # noqa: ASYNC109
        """`wait_for` for any event loop."""
        try:
            await asyncio.wait_for(asyncio.wrap_future(self._when(condition)), timeout)
        except TimeoutError as error:
            raise TimeoutError(self._report(timeout)) from error
        return self.messages_calls

    def _report(self, timeout: float) -> str:
        seen = [
            f"{r.method} {r.path} status={r.status} events={r.events_sent} disconnected={r.disconnected}"
            for r in self.requests
        ]
        return f"the simulator did not see it within {timeout} s; requests so far: {seen}"


def _at_least(count: int) -> Predicate:
    return lambda calls: len(calls) >= count


def _settle(predicate: Predicate, future: "concurrent.futures.Future[None]", calls: Calls) -> bool:
    """Finish the future if its condition holds or fails, or if it was cancelled; return whether it is done."""
    if future.done():
        return True
    outcome: BaseException | None = None
    try:
        if not predicate(calls):
            return False
    except IndexError:  # `calls[-1]` before the first call
        return False
    except Exception as error:  # the test's own predicate: its error belongs to the test that waits
        outcome = error
    if future.set_running_or_notify_cancel():
        future.set_result(None) if outcome is None else future.set_exception(outcome)
    return True
