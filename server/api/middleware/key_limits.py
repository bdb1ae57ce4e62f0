"""The limits of a client key: requests at the same time, and tokens and money a day."""

from contextlib import ExitStack

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.exchange.key_ledger import KeyLedger
from server.api.exchange.responses import dialect_of, key_of, send_error
from server.api.middleware.failures import log_failure
from server.core.errors import RateLimited
from server.secrets.client_keys import ClientKey


class KeyLimits:
    """Refuses POST requests of a client key that has reached a limit of its own.

    Responses, refusals included, state the tokens that are left in the headers of the client's dialect. This must be
    inside `Authentication`; requests a minute are counted by `RateLimit`.
    """

    def __init__(self, app: ASGIApp, *, ledger: KeyLedger) -> None:
        self._app = app
        self._ledger = ledger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = key_of(scope) if scope["type"] == "http" and scope["method"] == "POST" else None
        if key is None:
            await self._app(scope, receive, send)
            return
        response = _LimitedResponse(key, self._ledger, scope, send)
        try:
            with ExitStack() as stack:
                stack.enter_context(self._ledger.admit(key))
                await self._app(scope, receive, response.send)
        except RateLimited as error:
            # Also from inside, where the size of the request is known.
            if response.has_started:
                raise
            log_failure(error, scope)
            await send_error(error, scope, receive, response.send)


class _LimitedResponse:
    """A response that gets the headers about the key's tokens."""

    def __init__(self, key: ClientKey, ledger: KeyLedger, scope: Scope, send: Send) -> None:
        self.has_started = False
        self._key = key
        self._ledger = ledger
        self._scope = scope
        self._send = send

    async def send(self, message: Message) -> None:
        # Read when the response starts: a complete answer is counted by then.
        if message["type"] == "http.response.start":
            self.has_started = True
            if (state := self._ledger.token_state(self._key)) is not None:
                headers = dialect_of(self._scope).rate_limit_headers(state).items()
                added = [(name.encode(), value.encode()) for name, value in headers]
                message["headers"] = [*message.get("headers", ()), *added]
        await self._send(message)
