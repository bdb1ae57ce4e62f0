"""Time and number limits for connections without a complete request, and responses to malformed requests.

uvicorn waits without a limit for the head of a request and for the rest of its body. `BodyLimit` limits a body that an
endpoint reads, because that refusal must have the dialect's form.
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
    """Limits for connections without a complete request.

    `head_seconds`: from the connection, or the first byte on a kept one, to the end of the headers.
    `rest_seconds`: the longest silence in a body whose response is already sent.
    `max_incomplete`: the number of such connections; beyond it those that have waited longest are closed, but none
    younger than `settle_seconds`, because many clients may connect at once before each sends its request.
    """

    head_seconds: float = 30.0
    rest_seconds: float = 60.0
    max_incomplete: int = 256
    settle_seconds: float = 1.0


class OncePerMinute(logging.Filter):
    """Log filter that passes each warning once a minute, so that invalid requests cannot fill the log."""

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
    """The connections without a complete request, each with the time since which it has waited."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._since: dict[Connection, float] = {}
        self._close_timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._since)

    def add_connection(self, connection: "Connection", since: float) -> None:
        """Record that the connection has waited since then, in the loop's time."""
        self._since[connection] = since
        if self._close_timer is None:
            self._close_oldest()

    def remove_connection(self, connection: "Connection") -> None:
        """Remove a connection that is closed or whose request is complete."""
        self._since.pop(connection, None)

    def _close_oldest(self) -> None:
        self._close_timer = None
        excess = len(self._since) - self.limits.max_incomplete
        if excess <= 0:
            return
        log.warning("Too many connections are waiting to complete a request; the oldest are closed.")
        loop = asyncio.get_running_loop()
        for connection, since in sorted(self._since.items(), key=lambda item: item[1])[:excess]:
            wait = since + self.limits.settle_seconds - loop.time()
            if wait > 0:
                self._close_timer = loop.call_later(wait, self._close_oldest)
                return
            self.remove_connection(connection)
            connection.give_up("Too many connections are waiting to complete a request.")


class Connection(H11Protocol):
    """uvicorn's connection with a timeout. uvicorn's own messages go to this module's log."""

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
        except ValueError:  # h11 lets int() fail, on a length of thousands of digits for example
            self.send_400_response("Invalid HTTP request received.")
        self._update_timer()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._update_timer()

    def give_up(self, reason: str) -> None:
        """Close the connection, with a 408 response if the client has begun a request that can still be answered."""
        begun = self.conn.their_state is not h11.IDLE or self.conn.trailing_data[0]
        if begun and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._send_error(408, reason)
        else:
            self.transport.close()
        self._stop_timer()

    def send_400_response(self, msg: str) -> None:
        """Answer a malformed request. h11 suggests a better status in some cases, such as 431 for endless headers."""
        error = sys.exception()
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        if self.conn.trailing_data[0].startswith(_TLS_HANDSHAKE) and not self._has_served:
            log.warning(
                "A client uses https, which this server does not support: its base URL must begin with http://."
            )
        reason = {431: "The request's headers are too large for this server."}.get(status, msg)
        self._send_error(status, reason)

    def _unsupported_upgrade_warning(self) -> None:
        """Log nothing. uvicorn advises to install a library for WebSockets, which this server does not support."""

    def _send_error(self, status: int, message: str) -> None:
        """Send an error that the SDKs of both dialects can read, and close the connection."""
        if not self._is_answered:
            # The endpoint may still be running: it must not write into the connection that is closed here.
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
        """Start or stop the timer for the state that the connection now has."""
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
                # Reading the rest of an answered body has cancelled uvicorn's keep-alive timer.
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
