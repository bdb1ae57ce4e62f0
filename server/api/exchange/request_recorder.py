"""The record of one request, published on each change and stored twice."""

import functools
import itertools
import logging
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.types import Scope

from server.api.exchange.responses import dialect_of, display_path, error_response, get_header, request_id_of, state_of
from server.core import exact_json
from server.core.errors import DragomanError
from server.core.events import RequestFinished, RequestStarted, RequestUpdated
from server.core.messages import MessageFold
from server.core.records import RequestRecord
from server.core.redaction import redact

if TYPE_CHECKING:
    from server.api.services import Services

log = logging.getLogger(__name__)

MAX_HEADER_CHARACTERS = 16_000
"""Limit for all kept headers of a request together."""
_UNKNOWN_CLIENT = "unknown"
_INTERPRETER = re.compile(r"Python/\S+ [^ (]")
_ASYNC = re.compile(r"^Async(?=\w+/Python \d)")
_SHORTENED = re.compile(r"[\w$]{1,3}/JS \d")
_LOG_FIELDS = (
    "endpoint", "client", "backend", "status", "http_status", "model", "session_id", "stream", "ttft", "duration",
    "input_tokens", "output_tokens", "cost_usd", "stop_reason", "warnings",
)  # fmt: skip


class RequestRecorder:
    """Records a request from arrival to end.

    `record_success`, `record_error` and `record_cancelled` end the record. Only the first of them counts.
    """

    def __init__(self, services: "Services", scope: Scope) -> None:
        self._services = services
        self._scope = scope
        self._started = services.monotonic()
        self._ended = False
        """Guards against a second end: a complete answer is recorded before its last bytes are written, and the client
        may disconnect in between."""
        self.record = RequestRecord(
            id=request_id_of(scope),
            started_at=services.clock(),
            endpoint=display_path(scope),
            client=client_name(scope),
            backend=services.backend.name,
            request_headers=redacted_headers(scope),
        )
        state_of(scope)["observed"] = True
        services.refusals.end_run()
        services.bus.publish(RequestStarted(self.record))

    def record_body(self, body: Any) -> None:
        """Keep the client's body, if bodies are logged."""
        if self._services.settings.log_bodies:
            self.record = replace(self.record, request_body=_to_json(body))

    def update_record(self, **changes: Any) -> None:
        """Change fields of the record and publish it."""
        self.record = replace(self.record, **changes)
        self._services.bus.publish(RequestUpdated(self.record))

    def record_prepared(self, **changes: Any) -> None:
        """Update the record and store it, before the request goes to the backend."""
        self.update_record(**changes)
        self._store_record()

    def record_routing(self, backend: str, warnings: Iterable[str]) -> None:
        """Record the backend that took over. With several answers, each reports it."""
        self.update_record(backend=backend, warnings=tuple(dict.fromkeys((*self.record.warnings, *warnings))))

    def record_switch(self, model: str, warnings: Iterable[str]) -> None:
        """Record the model of a chain that answers in place of an earlier one."""
        self.update_record(model=model, warnings=tuple(dict.fromkeys((*self.record.warnings, *warnings))))

    def record_first_delta(self) -> None:
        """Record the time to the first delta, in seconds."""
        if self.record.ttft is None:
            self.update_record(ttft=self._elapsed_seconds())

    def record_success(self, folds: list[MessageFold], cost: float | None, body: dict[str, Any] | None) -> None:
        """Record the complete answer, with the response body if bodies are logged."""
        kept = _to_json(body) if body is not None else None
        self._end_record(
            status="ok",
            http_status=200,
            stop_reason=folds[0].message.get("stop_reason"),
            cost_usd=cost,
            response_body=kept,
            **_sum_tokens(folds),
        )

    def record_error(self, error: DragomanError, folds: list[MessageFold] | None = None) -> None:
        """Record the error that ends the request."""
        status = error_response(error, self._scope).status
        self._end_record(status="error", http_status=status, error=str(redact(str(error))), **_sum_tokens(folds or []))

    def record_cancelled(self, folds: list[MessageFold] | None = None, reason: str = "the client disconnected") -> None:
        """Record that the client disconnected, or that the request was cancelled."""
        self._end_record(status="cancelled", error=reason, **_sum_tokens(folds or []))

    def _end_record(self, **changes: Any) -> None:
        if self._ended:
            return
        self._ended = True
        self.record = replace(self.record, duration=self._elapsed_seconds(), **changes)
        self._services.bus.publish(RequestFinished(self.record))
        _log_record(self.record)
        self._store_record()

    def _store_record(self) -> None:
        if self._services.settings.history:
            self._services.writes.add_write(self._services.store.record_request(self.record), "record the request")

    def _elapsed_seconds(self) -> float:
        return self._services.monotonic() - self._started


def client_name(scope: Scope) -> str:
    """The client's name and version, from the first product of its User-Agent.

    Examples are `opencode/1.18` and `OpenAI/Python 3.54`. aiohttp puts Python before its own name, so the second
    product is used. The providers' packages send the name of a class: the prefix of Python's asynchronous one is
    dropped (`AsyncOpenAI/Python 3.54`), and JavaScript's, which bundlers shorten (`ls/JS 5.23.2`), is replaced by the
    dialect's provider.
    """
    words = (get_header(scope, b"user-agent") or "").split() or [_UNKNOWN_CLIENT]
    first, *rest = words[1:] if _INTERPRETER.match(" ".join(words)) else words
    name = " ".join([first, *itertools.takewhile(lambda word: not word.startswith("(") and "/" not in word, rest)])
    name = _ASYNC.sub("", name)
    if _SHORTENED.match(name):
        name = dialect_of(scope).provider + name[name.index("/") :]
    return name[:100]


def redacted_headers(scope: Scope) -> tuple[tuple[str, str], ...]:
    """The headers without secrets; lengths replace values beyond the limit."""
    shown: list[tuple[str, str]] = []
    room = MAX_HEADER_CHARACTERS
    for header_line in scope["headers"]:
        name, value = _redact_header_cached(*header_line) if len(header_line[1]) < 300 else _redact_header(*header_line)
        kept = value if len(name) + len(value) <= room else f"[{len(value)} characters]"
        room -= len(name) + len(kept)
        if room < 0:
            break
        shown.append((name, kept))
    return tuple(shown)


def _redact_header(name: bytes, value: bytes) -> tuple[str, str]:
    line: tuple[str, str] = redact((name.decode("latin-1"), value.decode("latin-1")))
    return line


_redact_header_cached = functools.lru_cache(maxsize=256)(_redact_header)
"""Clients send the same headers with every request."""


def _sum_tokens(folds: list[MessageFold]) -> dict[str, int | None]:
    usages = [fold.usage for fold in folds if fold.usage]
    if not usages:
        return {}
    read = sum(usage.get("cache_read_input_tokens") or 0 for usage in usages)
    written = sum(usage.get("cache_creation_input_tokens") or 0 for usage in usages)
    fresh = sum(usage.get("input_tokens") or 0 for usage in usages)
    return {
        "input_tokens": fresh + read + written,
        "output_tokens": sum(usage.get("output_tokens") or 0 for usage in usages),
        "cache_read_tokens": read,
        "cache_write_tokens": written,
    }


def _to_json(body: Any) -> str:
    return exact_json.dumps(redact(body), default=str).decode()


def _log_record(record: RequestRecord) -> None:
    """Log one line about the request, without any of its content."""
    log.info(
        "request ended", extra={name: _round_float(value) for name in _LOG_FIELDS if (value := getattr(record, name))}
    )


def _round_float(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value
