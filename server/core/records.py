"""Records of the store. Times in epoch seconds, durations in s, costs in USD."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, Literal, TypeVar

from server.core.messages import Message

T = TypeVar("T")
RequestStatus = Literal["running", "ok", "error", "cancelled"]

MAIN_KEY = "main"
"""The name of the server's own key in filters; no client key can have it."""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A client's request from its arrival to its end. None means unknown so far."""

    id: str
    started_at: float
    endpoint: str
    client: str
    """The client's name and version, from its User-Agent."""
    requested_model: str | None = None
    model: str | None = None
    session_id: str | None = None
    backend: str | None = None
    stream: bool = False
    status: RequestStatus = "running"
    http_status: int | None = None
    ttft: float | None = None
    """Time to first token."""
    duration: float | None = None
    input_tokens: int | None = None
    """All input tokens, including cached ones."""
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cost_usd: float | None = None
    """At list prices; estimated for an interrupted answer."""
    stop_reason: str | None = None
    error: str | None = None
    warnings: tuple[str, ...] = ()
    request_body: str | None = None
    """JSON text; kept only while body logging is on, secrets redacted."""
    response_body: str | None = None
    request_headers: tuple[tuple[str, str], ...] | None = None
    """Names in lower case, in their original order, secrets redacted."""
    count: int = 1
    """Number of equal refusals in a row; more than 1 only for refusals of a guard or the router."""
    key_id: str | None = None
    """The id of the client key; None for the server's own key."""
    key_name: str | None = None


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A conversation in a list."""

    id: str
    title: str
    client: str
    model: str
    created_at: float
    last_used_at: float
    expires_at: float | None
    """None if it is pinned or expiry is off."""
    pinned: bool
    turns: int
    """Number of messages."""
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation with its system prompt and all messages, oldest first."""

    summary: SessionSummary
    system: tuple[str, ...]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list. `next_cursor` is None at the end; `total` counts all."""

    items: Sequence[T]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Filter of a request list; None matches all."""

    status: RequestStatus | None = None
    session_id: str | None = None
    search: str | None = None
    since: float | None = None
    until: float | None = None
    key: str | None = None
    """The name of a client key; `main` is the server's own key."""


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """Totals of the requests of one client key in a period, and the time of its last one."""

    requests: int = 0
    tokens: int = 0
    """Input, including cached tokens, and output."""
    cost_usd: float = 0.0
    last_used_at: float | None = None


@dataclass(frozen=True, slots=True)
class StatisticsBucket:
    """Totals of the requests that started between `start` and the next bucket."""

    start: float
    requests: int
    errors: int
    input_tokens: int
    """All input tokens, including cached ones."""
    output_tokens: int
    cache_read_tokens: int
    cost_usd: float


def as_json(value: Any) -> dict[str, Any]:
    """A record, summary or session as a JSON object, for the HTTP API and exports."""
    return asdict(value)
