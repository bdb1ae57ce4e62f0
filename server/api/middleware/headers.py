"""The size limit of a request's headers."""

from starlette.types import ASGIApp, Receive, Scope, Send

from server.api.exchange.responses import send_error
from server.core.errors import HeadersTooLarge

_SEPARATOR_BYTES = len(": \r\n")


class HeaderLimit:
    """Refuses requests whose headers have more than `limit` bytes together.

    The HTTP server itself only aborts on headers that do not end within the limit; complete ones it passes on.
    """

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size = header_bytes(scope) if scope["type"] == "http" else 0
        if size <= self._limit:
            await self._app(scope, receive, send)
            return
        error = HeadersTooLarge(
            f"The request's headers have {size:,} bytes; the limit is {self._limit:,}.",
            limit=self._limit,
            hint="Send fewer or shorter ones, or raise the setting max_header_bytes.",
        )
        await send_error(error, scope, receive, send)


def header_bytes(scope: Scope) -> int:
    """The size of the headers as sent."""
    return sum(len(name) + len(value) + _SEPARATOR_BYTES for name, value in scope["headers"])
