"""The error hierarchy, with HTTP status and code.

    DragomanError
    ├── RequestError                 the client can correct it
    │   ├── InvalidRequest           400  malformed, incomplete, of a wrong type, or refused by the model
    │   │   ├── ContextTooLong       400  the conversation does not fit the model's context
    │   │   ├── PreviousResponseNotFound  400  a response that cannot be continued
    │   │   └── ConversationLocked   400  another request is being answered in the conversation
    │   ├── AuthenticationRequired   401  this server's API key is missing or wrong
    │   ├── OriginRefused            403  Host or Origin header outside the allowlist
    │   ├── NotFound                 404  unknown path, session, request or response
    │   │   └── ModelNotFound        404
    │   ├── MethodNotAllowed         405
    │   ├── RequestTimedOut          408  the client stopped sending its body
    │   ├── BodyTooLarge             413
    │   ├── UnsupportedEncoding      415  an unsupported Content-Encoding
    │   ├── WebSocketRefused         426  a WebSocket handshake
    │   ├── HeadersTooLarge          431
    │   ├── RateLimited              429  this server's limit for a key
    │   ├── QueueFull                429  no process became free in time
    │   └── RequestCancelled         499  cancelled by the user, or the client has left
    │       └── RequestSuperseded    409  replaced by an identical request
    ├── BackendError                 Claude Code or the service behind it
    │   ├── CliNotFound              503  no `claude`, or one that cannot be run
    │   ├── NotSignedIn              401  Claude Code has no account, or its login has expired
    │   │   └── ApiKeyRefused        401  the user's key for the Anthropic API is missing or refused
    │   ├── AccountRefused           403  the account is not allowed this (billing, organisation, on hold)
    │   ├── PlanLimitReached         429  the plan's window, or the API's rate limit
    │   ├── Overloaded               529
    │   ├── UpstreamFailed           500  any other error of the service
    │   ├── ProcessDied              500  the CLI ended during a turn
    │   ├── UpstreamTimeout          504
    │   └── Stopping                 503  the server is stopping
    └── SetupError                   the user of this computer can correct it
        ├── SettingsInvalid
        ├── PortUnavailable          in use, or not allowed
        ├── KeyringUnavailable
        ├── DatabaseTooNew
        └── DatabaseUnusable

Each error says what happened and why, what to do (`hint`), and carries its data.
"""

from typing import ClassVar


class DragomanError(Exception):
    """Base class. `message` says what happened and why, `hint` what the user can do."""

    status: ClassVar[int] = 500
    code: str | None = None
    """Machine-readable kind, the same in every dialect that has codes."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    @property
    def headers(self) -> dict[str, str]:
        """Response headers of the error, such as Retry-After."""
        return {}


class RequestError(DragomanError):
    """The client's request is at fault."""

    status = 400


class InvalidRequest(RequestError):
    """The body is invalid. `param` is the field's path, such as `messages[2].role`."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.param = param
        if code is not None:
            self.code = code


class ContextTooLong(InvalidRequest):
    """The conversation does not fit into the model's context window."""

    code = "context_length_exceeded"


class PreviousResponseNotFound(InvalidRequest):
    """The response to continue is not stored. Clients then send the whole conversation."""

    code = "previous_response_not_found"


class ConversationLocked(InvalidRequest):
    """Another request is being answered in the same conversation. Clients repeat theirs."""

    code = "conversation_locked"


class AuthenticationRequired(RequestError):
    """This server's API key is missing or wrong."""

    status = 401
    code = "invalid_api_key"


class OriginRefused(RequestError):
    """The Host or Origin header is not allowed (DNS rebinding, foreign web pages)."""

    status = 403


class NotFound(RequestError):
    """There is no such path or object."""

    status = 404
    code = "not_found"


class ModelNotFound(NotFound):
    """Neither an alias nor a model that the account can use."""

    code = "model_not_found"


class MethodNotAllowed(RequestError):
    """The path exists, but only for the `allowed` methods."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, *, allowed: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.allowed = allowed

    @property
    def headers(self) -> dict[str, str]:
        return {"allow": ", ".join(self.allowed)} if self.allowed else {}


class RequestTimedOut(RequestError):
    """The client stopped sending before the end of its body."""

    status = 408
    code = "request_timeout"

    @property
    def headers(self) -> dict[str, str]:
        # The rest of the body may still come and must not be read as the next request.
        return {"connection": "close"}


class _TooLarge(DragomanError):
    """A part of the request exceeds `limit` bytes."""

    def __init__(self, message: str, *, limit: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.limit = limit


class BodyTooLarge(_TooLarge, RequestError):
    """The body exceeds `limit` bytes."""

    status = 413
    code = "request_too_large"


class UnsupportedEncoding(RequestError):
    """The body has an unsupported Content-Encoding."""

    status = 415
    code = "unsupported_encoding"

    @property
    def headers(self) -> dict[str, str]:
        # For clients that retry: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.16
        return {"accept-encoding": "gzip, deflate, zstd, br"}


class WebSocketRefused(RequestError):
    """A WebSocket handshake, for a path that does not support GET.

    After a 426 Codex sends its requests over HTTP; other statuses make it try again or give up (seen with 0.171).
    """

    status = 426
    code = "websocket_refused"

    @property
    def headers(self) -> dict[str, str]:
        # Required: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.22
        return {"upgrade": "HTTP/1.1", "connection": "upgrade"}


class HeadersTooLarge(_TooLarge, RequestError):
    """The headers together exceed `limit` bytes."""

    status = 431
    code = "headers_too_large"


class _RetryLater(DragomanError):
    """A temporary error; `retry_after` is in seconds."""

    status = 429
    code = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after: float | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        if self.retry_after is None:
            return {}
        return {"retry-after": str(max(1, round(self.retry_after)))}


class RateLimited(_RetryLater, RequestError):
    """The key has reached this server's request limit."""


class QueueFull(_RetryLater, RequestError):
    """All processes, or the session, stayed busy for the longest wait of a request."""

    code = "queue_full"


class RequestCancelled(RequestError):
    """Cancelled in the window or by `DELETE /api/requests/{id}`, or by its client."""

    status = 499
    code = "request_cancelled"

    @property
    def headers(self) -> dict[str, str]:
        # Both SDKs respect it; without it some clients would retry at once.
        return {"x-should-retry": "false"}


class RequestSuperseded(RequestCancelled):
    """Replaced by an identical request of the same session."""

    status = 409
    code = "request_superseded"


class BackendError(DragomanError):
    """Claude Code, or the service that it uses, failed."""


class CliNotFound(BackendError):
    """No Claude Code CLI can be run."""

    status = 503
    code = "claude_code_not_found"


class NotSignedIn(BackendError):
    """Claude Code is not signed in, or the service `refused` its login."""

    status = 401
    code = "claude_code_not_signed_in"

    def __init__(self, message: str, *, refused: bool = False, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.refused = refused


class ApiKeyRefused(NotSignedIn):
    """The user's key for the Anthropic API is missing, or the API refused it."""

    code = "anthropic_api_key_refused"


class AccountRefused(BackendError):
    """The account is not allowed this."""

    status = 403
    code = "account_refused"


class PlanLimitReached(_RetryLater, BackendError):
    """A window of the plan is used up, or the API's rate limit is reached.

    `window` is `five_hour`, `seven_day`, ... or None if unknown; `resets_at` is in epoch seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        window: str | None = None,
        resets_at: float | None = None,
        retry_after: float | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, retry_after=retry_after, hint=hint)
        self.window = window
        self.resets_at = resets_at


class Overloaded(_RetryLater, BackendError):
    """The service is overloaded."""

    status = 529
    code = "overloaded"


class UpstreamFailed(BackendError):
    """The service failed; `upstream_status` is its HTTP status, if any."""

    def __init__(self, message: str, *, upstream_status: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.upstream_status = upstream_status


class ProcessDied(BackendError):
    """The CLI ended during a turn, with `exit_code` and the tail of its `stderr`."""

    def __init__(self, message: str, *, exit_code: int | None = None, stderr: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code
        self.stderr = stderr


class UpstreamTimeout(BackendError):
    """The service sent nothing for too long."""

    status = 504
    code = "timeout"


class Stopping(_RetryLater, BackendError):
    """The server is stopping."""

    status = 503
    code = "server_stopping"


class SetupError(DragomanError):
    """A problem on this computer that its user must solve; it never reaches a client."""


COMMAND_LINE = "command line"
"""The source of a setting given by an argument."""


class SettingsInvalid(SetupError):
    """The setting `name` has an invalid value, from the file or variable `source`."""

    def __init__(self, message: str, *, name: str = "", source: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.name = name
        self.source = source


class PortUnavailable(SetupError):
    """The port is used by another program, or not permitted."""

    def __init__(self, message: str, *, host: str, port: int, in_use: bool, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.host = host
        self.port = port
        self.in_use = in_use


class KeyringUnavailable(SetupError):
    """The system keyring is missing or locked, or refused the secret."""


class DatabaseTooNew(SetupError):
    """The database belongs to a newer version of the program and is left unchanged."""

    def __init__(self, message: str, *, found: int, known: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.found = found
        self.known = known


class DatabaseUnusable(SetupError):
    """The database cannot be opened or written. `reason`: "the disk is full", ..."""

    def __init__(self, message: str, *, reason: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


def as_dragoman_error(error: BaseException) -> DragomanError:
    """Convert any exception. Details of bugs go only to the log."""
    if isinstance(error, DragomanError):
        return error
    return DragomanError("The server had an unexpected error; see its log for details.")
