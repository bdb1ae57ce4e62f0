"""Authentication by this server's own API key or a client key, in any header that clients use."""

import base64
import binascii
import hashlib
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Protocol
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from server.api.exchange.responses import get_header, state_of
from server.api.middleware.keyless import KeylessPrograms
from server.config.own_commands import key_hint
from server.core.errors import AuthenticationRequired, SetupError
from server.secrets.client_keys import ClientKey

_OPEN_PATHS = frozenset({"/", "/health"})
_KEY_HEADERS = (b"x-api-key", b"api-key", b"x-goog-api-key")
"""The headers of Anthropic's, Azure OpenAI's and Gemini's clients."""
_KEY_PARAMETERS = frozenset({"key", "api_key", "api-key", "apikey", "access_token", "token"})


class ClientKeys(Protocol):
    """The client keys. Raises SetupError if they cannot be read."""

    async def find_key(self, candidate: str) -> ClientKey | None: ...


class Keys(Protocol):
    """The check of the server's own key, in constant time, and the client keys."""

    @property
    def clients(self) -> ClientKeys: ...

    def matches_key(self, candidate: str) -> bool: ...


class Authentication:
    """Refuses requests without the key, except `GET /` and `GET /health`, and those that `keyless` lets pass.

    Unless a key is `required` it refuses only client keys that are no longer valid. Stores in the request's state
    `client_key`, which distinguishes clients without containing a secret, and `named_key` for a client key.
    """

    def __init__(self, app: ASGIApp, *, keys: Keys, required: bool, keyless: KeylessPrograms | None = None) -> None:
        self._app = app
        self._keys = keys
        self._required = required
        self._keyless = keyless

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            found = list(_found_keys(scope))
            if not _is_open(scope):
                match = await self._find_matching_key(found, scope)
                # Only the matching key identifies the client: others that it sends may change from request to request.
                found = found if match is None else [match]
            state_of(scope)["client_key"] = _client_key([key for _, key in found], scope)
        await self._app(scope, receive, send)

    async def _find_matching_key(self, found: "list[FoundKey]", scope: Scope) -> "FoundKey | None":
        """The key that lets the request in; None if it needs none. Raises AuthenticationRequired."""
        for place, key in found:
            if self._keys.matches_key(key):
                return place, key
        for place, key in found:
            if (named := await self._find_client_key(key)) is not None:
                _refuse_invalid(named)
                state_of(scope)["named_key"] = named
                return place, key
        if not self._required or self._may_omit_key(found, scope):
            return None
        raise AuthenticationRequired(
            _describe_problem([place for place, _ in found], scope),
            hint="Send it in the header 'Authorization' as 'Bearer KEY', or in 'x-api-key'. "
            f"It is the key of this local server, not one of OpenAI or Anthropic: {key_hint()}.",
        )

    def _may_omit_key(self, found: "list[FoundKey]", scope: Scope) -> bool:
        return self._keyless is not None and self._keyless.may_pass(scope, [key for _, key in found])

    async def _find_client_key(self, key: str) -> ClientKey | None:
        try:
            return await self._keys.clients.find_key(key)
        except SetupError as error:
            if not self._required:
                return None
            raise AuthenticationRequired(
                f"This is not the server's own API key, and the client keys cannot be read: {error.message}",
                hint=error.hint,
            ) from error


def _refuse_invalid(key: ClientKey) -> None:
    """Raise AuthenticationRequired for a key that was revoked or has expired."""
    if key.revoked_at is not None:
        reason = f"was revoked on {_date(key.revoked_at)}"
    elif key.expires_at is not None and key.has_expired(time.time()):
        reason = f"expired on {_date(key.expires_at)}"
    else:
        return
    raise AuthenticationRequired(
        f"The client key '{key.name}' {reason}.", hint="Make a new one in Settings, under Access, or with `key add`."
    )


def _date(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment):%Y-%m-%d %H:%M}"


FoundKey = tuple[str, str]
"""The place of a key, and the key."""


def _describe_problem(places: list[str], scope: Scope) -> str:
    """Describe what was sent instead of the key, without quoting it."""
    if places:
        return f"The API key is wrong (found in {' and '.join(dict.fromkeys(places))})."
    if parameter := _find_key_parameter(scope):
        return f"The API key must be in a header; the URL parameter '{parameter}' is not read."
    if (given := get_header(scope, b"authorization")) is not None:
        return f"The header 'Authorization' holds no key{'' if given.strip() else ', it is empty'}."
    return "This server needs its API key, and none was sent."


def _find_key_parameter(scope: Scope) -> str | None:
    query = scope.get("query_string", b"").decode("latin-1")
    return next((name for name, _ in parse_qsl(query) if name.lower() in _KEY_PARAMETERS), None)


def _is_open(scope: Scope) -> bool:
    return scope["method"] in ("GET", "HEAD") and scope["path"] in _OPEN_PATHS


def _found_keys(scope: Scope) -> Iterator[FoundKey]:
    """The keys in the headers; a client may send several, including unrelated ones."""
    for name, value in scope["headers"]:
        text = value.decode("latin-1").strip()
        if name in _KEY_HEADERS and text:
            yield f"'{name.decode()}'", text
        elif name == b"authorization":
            yield from _authorization_keys(text)


def _authorization_keys(value: str) -> Iterator[FoundKey]:
    """The key after any scheme, without a scheme, or as Basic's name or password."""
    scheme, _, rest = value.partition(" ")
    if scheme.lower() == "basic":
        for part in _basic_credentials(rest.strip()):
            yield "'Authorization: Basic'", part
    elif (words := value.split()) and words[-1].lower() != "bearer":
        yield "'Authorization'", words[-1]


def _basic_credentials(encoded: str) -> list[str]:
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode("utf-8", "replace").partition(":")
    except (binascii.Error, ValueError):
        return [encoded]
    return [part for part in (password, name) if part]


def _client_key(keys: list[str], scope: Scope) -> str:
    if keys:
        return hashlib.sha256("\0".join(keys).encode("utf-8", "replace")).hexdigest()[:16]
    client = scope.get("client")
    return str(client[0]) if client else "local"
