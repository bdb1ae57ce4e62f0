"""Every error of the program, with its HTTP status and code. A dialect's `errors.py` makes its body of them.

    TrayError
    ├── RequestError                 the client can mend it
    │   ├── InvalidRequest           400  malformed, missing, of a wrong type, or refused by the model
    │   │   └── ContextTooLong       400  the conversation does not fit the model's context
    │   ├── AuthenticationRequired   401  this server's API key is missing or wrong
    │   ├── OriginRefused            403  Host or Origin header outside the allowlist
    │   ├── NotFound                 404  unknown path, session, request or response
    │   │   └── ModelNotFound        404
    │   ├── MethodNotAllowed         405
    │   ├── RequestTimedOut          408  the client stopped sending in the middle of its body
    │   ├── BodyTooLarge             413
    │   ├── UnsupportedEncoding      415  a Content-Encoding that is not decoded here
    │   ├── HeadersTooLarge          431
    │   ├── RateLimited              429  this server's own limit for a key
    │   ├── QueueFull                429  every process is busy and the wait was over
    │   └── RequestCancelled         499  a person ended the request, or its client left
    │       └── RequestSuperseded    409  the same request came again, and takes its place
    ├── BackendError                 Claude Code or the service behind it
    │   ├── CliNotFound              503  no `claude` to run, or one that cannot be run
    │   ├── NotSignedIn              401  Claude Code has no account, or its login has ended
    │   │   └── ApiKeyRefused        401  the person's own key for the Anthropic API is not taken
    │   ├── AccountRefused           403  the account may not do this (billing, organisation, on hold)
    │   ├── PlanLimitReached         429  the plan's window, or the API's rate limit
    │   ├── Overloaded               529
    │   ├── UpstreamFailed           500  any other error of the service
    │   ├── ProcessDied              500  the CLI ended in the middle of its work
    │   ├── UpstreamTimeout          504
    │   └── Stopping                 503  the server is being stopped
    └── SetupError                   the person at the machine can mend it
        ├── SettingsInvalid
        ├── PortUnavailable          in use, or not allowed
        ├── KeyringUnavailable
        ├── DatabaseTooNew
        └── DatabaseUnusable

Each says what happened, why, and what to do now (`hint`), and carries its data.
"""

from dataclasses import dataclass
from typing import Any, ClassVar


class TrayError(Exception):
    """Base of the tree. `message` says what happened and why, `hint` what the person can do about it."""

    status: ClassVar[int] = 500
    code: str | None = None
    """The error's kind for programs, the same in every dialect that has codes."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    @property
    def headers(self) -> dict[str, str]:
        """Response headers that go with the error, such as Retry-After."""
        return {}


class RequestError(TrayError):
    """The client's request is at fault."""

    status = 400


class InvalidRequest(RequestError):
    """The body does not mean anything that can be served. `param` is the path of the field, as `messages[2].role`."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.param = param
        if code is not None:
            self.code = code


class ContextTooLong(InvalidRequest):
    """The conversation does not fit into the model's context window."""

    code = "context_length_exceeded"


class AuthenticationRequired(RequestError):
    """The API key of this server is missing or wrong."""

    status = 401
    code = "invalid_api_key"


class OriginRefused(RequestError):
    """The Host or Origin header names a place that may not use this server (DNS rebinding, foreign web pages)."""

    status = 403


class NotFound(RequestError):
    """There is no such path or object."""

    status = 404
    code = "not_found"


class ModelNotFound(NotFound):
    """Neither an alias nor a model that the account can use."""

    code = "model_not_found"


class MethodNotAllowed(RequestError):
    """The path exists, with other methods. `allowed` are those."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, *, allowed: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.allowed = allowed

    @property
    def headers(self) -> dict[str, str]:
        return {"allow": ", ".join(self.allowed)} if self.allowed else {}


class RequestTimedOut(RequestError):
    """The client stopped sending in the middle of its body."""

    status = 408
    code = "request_timeout"

    @property
    def headers(self) -> dict[str, str]:
        # The rest of the body may still come, and is not the next request.
        return {"connection": "close"}


class BodyTooLarge(RequestError):
    """The body is larger than the limit of `limit` bytes."""

    status = 413
    code = "request_too_large"

    def __init__(self, message: str, *, limit: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.limit = limit


class UnsupportedEncoding(RequestError):
    """The body has a Content-Encoding that is not decoded here."""

    status = 415
    code = "unsupported_encoding"

    @property
    def headers(self) -> dict[str, str]:
        # What is taken, for clients that try again: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.16
        return {"accept-encoding": "gzip, deflate"}


class HeadersTooLarge(RequestError):
    """The headers together are larger than the limit of `limit` bytes."""

    status = 431
    code = "headers_too_large"

    def __init__(self, message: str, *, limit: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.limit = limit


class _RetryLater(TrayError):
    """An error that passes; `retry_after` is in seconds."""

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
    """This key has used up its requests for now."""


class QueueFull(_RetryLater, RequestError):
    """All processes, or its session, were busy for as long as a request may wait."""

    code = "queue_full"


class RequestCancelled(RequestError):
    """A person ended the request, at the tray or by `DELETE /api/requests/{id}`; or its client left."""

    status = 499
    code = "request_cancelled"

    @property
    def headers(self) -> dict[str, str]:
        # Both SDKs heed it; without it some would ask the same thing again at once.
        return {"x-should-retry": "false"}


class RequestSuperseded(RequestCancelled):
    """The same request came again under the same session id before this one had ended, and is answered instead."""

    status = 409
    code = "request_superseded"


class BackendError(TrayError):
    """Claude Code, or the service that it talks to, could not do the work."""


class CliNotFound(BackendError):
    """There is no Claude Code CLI here that can be run."""

    status = 503
    code = "claude_code_not_found"


class NotSignedIn(BackendError):
    """Claude Code is not signed in, or its login has ended: then the service has `refused` it."""

    status = 401
    code = "claude_code_not_signed_in"

    def __init__(self, message: str, *, refused: bool = False, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.refused = refused


class ApiKeyRefused(NotSignedIn):
    """The person's own key for the Anthropic API is missing, or the API does not take it."""

    code = "anthropic_api_key_refused"


class AccountRefused(BackendError):
    """The account that Claude Code is signed in to may not do this."""

    status = 403
    code = "account_refused"


class PlanLimitReached(_RetryLater, BackendError):
    """A window of the plan, or the API's rate limit, is used up.

    `window` is `five_hour`, `seven_day`, ... where the service said so; `resets_at` is in epoch seconds.
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
    """The service has too much to do."""

    status = 529
    code = "overloaded"


class UpstreamFailed(BackendError):
    """The service failed for a reason of its own; `upstream_status` is its HTTP status, if there was one."""

    def __init__(self, message: str, *, upstream_status: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.upstream_status = upstream_status


class ProcessDied(BackendError):
    """The CLI ended in the middle of its work. `stderr` is the tail of what it said, `exit_code` its status."""

    def __init__(self, message: str, *, exit_code: int | None = None, stderr: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code
        self.stderr = stderr


class UpstreamTimeout(BackendError):
    """Nothing came for too long."""

    status = 504
    code = "timeout"


class Stopping(_RetryLater, BackendError):
    """The server is being stopped."""

    status = 503
    code = "server_stopping"


class SetupError(TrayError):
    """Something on this machine has to be mended by the person who runs the program; it never reaches a client."""


COMMAND_LINE = "command line"
"""The source of a setting that the arguments give."""


class SettingsInvalid(SetupError):
    """A setting has a value that cannot be used. `name` is the setting, `source` the file or variable it came from."""

    def __init__(self, message: str, *, name: str = "", source: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.name = name
        self.source = source


class PortUnavailable(SetupError):
    """The port is in use by another program, or may not be used."""

    def __init__(self, message: str, *, host: str, port: int, in_use: bool, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.host = host
        self.port = port
        self.in_use = in_use


class KeyringUnavailable(SetupError):
    """The system keyring is missing, locked, or refused the secret."""


class DatabaseTooNew(SetupError):
    """The database was written by a newer version of the program; it is left untouched."""

    def __init__(self, message: str, *, found: int, known: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.found = found
        self.known = known


class DatabaseUnusable(SetupError):
    """The database cannot be opened or written. `reason` says why in a few words, as "the disk is full"."""

    def __init__(self, message: str, *, reason: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """An error as it goes to a client: HTTP status, headers and the dialect's body."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]


def as_tray_error(error: BaseException) -> TrayError:
    """Any exception as one of the tree. What is not ours is a bug: the client reads only that, the log the rest."""
    if isinstance(error, TrayError):
        return error
    return TrayError("The server met an unexpected error; its log holds the details.")
