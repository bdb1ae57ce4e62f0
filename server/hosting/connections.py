"""Connections that do not get to a complete request: when they are closed, and how broken requests are answered.

uvicorn waits without an end for the head of a request and for what is left of a body. Here each has its time, and of
those that wait only so many are kept. A body that an endpoint is reading is `BodyLimit`'s affair, since its refusal
belongs to the request.
"""

import asyncio
import logging
import sys
from dataclasses import dataclass
from typing import Any

import h11
import orjson
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol, RequestResponseCycle

log = logging.getLogger(__name__)

_TLS_HANDSHAKE = b"\x16"


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How long a connection may be on its way to a complete request, in seconds, and how many may be at once.

    `head_seconds`: from the connection, or on a kept one from the first byte, to the end of the headers.
    `rest_seconds`: the longest silence in a body of which the answer is already sent.
    `max_incomplete`: beyond that those that have waited longest are closed, though none that came within the last
    `settle_seconds`: many clients may connect at once, and each sends its request right after.
    """

    head_seconds: float = 30.0
    rest_seconds: float = 60.0
    max_incomplete: int = 256
    settle_seconds: float = 1.0


class OncePerMinute(logging.Filter):
    """Passes each warning once a minute: who sends garbage must not fill the log with it."""

    def __init__(self, seconds: float = 60.0) -> None:
        super().__init__()
        self._seconds = seconds
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING:
            return True
        last = self._last.get(record.msg)
        if last is not None and 0 <= record.created - last < self._seconds:
            return False
        self._last[record.msg] = record.created
        return True


log.addFilter(OncePerMinute())


class IncompleteConnections:
    """The connections that are on their way to a complete request, each with the time since when nothing came."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._since: dict[Connection, float] = {}
        self._close_timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._since)

    def add_connection(self, connection: "Connection", since: float) -> None:
        """The connection has waited since then (the loop's time)."""
        self._since[connection] = since
        if self._close_timer is None:
            self._close_oldest()

    def remove_connection(self, connection: "Connection") -> None:
        """The connection is closed, or its request complete."""
        self._since.pop(connection, None)

    def _close_oldest(self) -> None:
        self._close_timer = None
        excess = len(self._since) - self.limits.max_incomplete
        if excess <= 0:
            return
        log.warning("Too many connections are waiting to complete a request; the oldest are closed.")
        loop = asyncio.get_running_loop()
        for connection, since in sorted(self._since.items(), key=lambda item: item[1])[:excess]:
            young = since + self.limits.settle_seconds - loop.time()
            if young > 0:
                self._close_timer = loop.call_later(young, self._close_oldest)
                return
            self.remove_connection(connection)
            connection.give_up("Too many connections are waiting to complete a request.")


class Connection(H11Protocol):
    """uvicorn's connection, with an end to waiting. What it says itself goes to this module's log."""

    def __init__(self, *args: Any, incomplete: IncompleteConnections, **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = log
        self._incomplete = incomplete
        self._head_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._update_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except ValueError:  # h11's own parsing, as of a length of thousands of digits
            self.send_400_response("Invalid HTTP request received.")
        self._update_timer()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._update_timer()

    def give_up(self, reason: str) -> None:
        """Close the connection; a client that has sent something is told why, as long as that is possible."""
        begun = self.conn.their_state is not h11.IDLE or self.conn.trailing_data[0]
        if begun and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._send_error(408, reason)
        else:
            self.transport.close()
        self._stop_timer()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is none. h11 knows a better status in some cases, as 431 for headers without end."""
        error = sys.exception()
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        if self.conn.trailing_data[0].startswith(_TLS_HANDSHAKE) and not self._has_served:
            log.warning(
                "A client uses https, which this server does not support: its base URL must begin with http://."
            )
        reason = {431: "The request's headers are too large for this server."}.get(status, msg)
        self._send_error(status, reason)

    def _send_error(self, status: int, message: str) -> None:
        """The last word on this connection, in a form that the SDKs of both dialects read."""
        if not self._is_answered:
            # The endpoint must not go on writing into what is closed here.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            error = {"type": "invalid_request_error", "message": message, "param": None, "code": None}
            body = orjson.dumps({"type": "error", "error": error})
            length = ("content-length", str(len(body)))
            headers = [("content-type", "application/json"), length, ("connection", "close")]
            start = h11.Response(status_code=status, headers=headers, reason=STATUS_PHRASES.get(status, b""))
            for event in (start, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    @property
    def _has_served(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None

    @property
    def _is_answered(self) -> bool:
        return not self._has_served or self.cycle.response_complete

    def _update_timer(self) -> None:
        """See what the connection waits for, now that something has come or gone."""
        state = self.conn.their_state
        if self.transport.is_closing() or state not in (h11.IDLE, h11.SEND_BODY):
            self._stop_timer()
        elif state is h11.SEND_BODY:
            self._head_since = None
            self._start_timer(self.loop.time(), self._incomplete.limits.rest_seconds if self._is_answered else None)
        elif not self._has_served or self.conn.trailing_data[0]:
            self._head_since = self._head_since or self.loop.time()
            self._start_timer(self._head_since, self._incomplete.limits.head_seconds)
        else:
            self._stop_timer()
            if self.timeout_keep_alive_task is None:
                # The rest of a body that was already answered has ended the time for the next request.
                self.timeout_keep_alive_task = self.loop.call_later(
                    self.timeout_keep_alive, self.timeout_keep_alive_handler
                )

    def _start_timer(self, since: float, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if seconds is not None:
            reason = f"The request was not complete within {seconds:g} seconds."
            self._timer = self.loop.call_at(since + seconds, self.give_up, reason)
        self._incomplete.add_connection(self, since)

    def _stop_timer(self) -> None:
        self._head_since = None
        self._incomplete.remove_connection(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
