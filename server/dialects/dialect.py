"""A dialect as the registry lists it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.core.errors import DragomanError
from server.core.messages import MessagesRequest
from server.dialects.base import Context, Header, ToMessages
from server.dialects.framing import Framing
from server.dialects.stored_answers import StoredAnswers


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """An error response: HTTP status, headers and the dialect's body."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RateLimitState:
    """The state of a rate limit; `resets_at` is epoch seconds, `resets_in` seconds."""

    limit: int
    remaining: int
    resets_at: float
    resets_in: float


@dataclass(frozen=True, slots=True)
class TokenCounting:
    """An endpoint that counts input tokens; `make_response` makes the response body."""

    path: str
    to_request: Callable[[Any, Context], MessagesRequest]
    make_response: Callable[[int], dict[str, Any]]


def _read_error(body: Any) -> tuple[str, str]:
    error = body["error"]
    return str(error["message"]), str(error.get("code") or error.get("type") or "")


@dataclass(frozen=True, slots=True)
class ClientSide:
    """The dialect as a client uses it, for connection tests and generated commands.

    `key_header` is the name of a header and the prefix of the key in it; `headers` are sent with every request.
    `make_body(model, text)` makes a minimal body. `read_text(body)` returns the text of a response, `read_error(body)`
    the message of an error and its code or type.
    """

    make_body: Callable[[str, str], dict[str, Any]]
    read_text: Callable[[Any], str]
    key_header: tuple[str, str] = ("Authorization", "Bearer ")
    headers: Mapping[str, str] = field(default_factory=dict)
    read_error: Callable[[Any], tuple[str, str]] = _read_error


@dataclass(frozen=True, slots=True)
class Dialect:
    """Everything that the server and the window use of a dialect.

    `path` is the endpoint, `base_path` the part of it that belongs to a client's base URL. `title` is the name of the
    API; `provider` is the company, which the log shows for clients without a name. Only clients of this dialect send
    `marker_headers`, on any path. `remote_images` finds the web addresses of images in a body, `with_images` replaces
    them by data; neither raises. `header_warnings` names what the request's headers ask for in vain. With
    `stored_answers` the server stores answers under their ids, and has endpoints for them.
    """

    name: str
    title: str
    provider: str
    path: str
    to_messages: ToMessages
    framing: Framing
    error_response: Callable[[DragomanError, str | None, Header], ErrorResponse]
    """The further arguments are the id of the request, if it has one, and its headers."""
    rate_limit_headers: Callable[[RateLimitState], dict[str, str]]
    client: ClientSide
    base_path: str = "/v1"
    request_id_headers: tuple[str, ...] = ("x-request-id",)
    marker_headers: tuple[str, ...] = ()
    remote_images: Callable[[Any], list[str]] = lambda body: []
    with_images: Callable[[Any, Mapping[str, str]], Any] = lambda body, data_urls: body
    header_warnings: Callable[[Header], list[str]] = lambda header: []
    token_counting: TokenCounting | None = None
    stored_answers: StoredAnswers | None = None


def find_by_error_class(table: Mapping[type[DragomanError], str], error: DragomanError) -> str:
    """The entry in `table` of the error's class or its nearest base class."""
    return next(table[kind] for kind in type(error).__mro__ if kind in table)
