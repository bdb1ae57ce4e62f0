"""This server's own API key, as OpenAI's (`Authorization: Bearer`) or Anthropic's (`x-api-key`) clients send it."""

import hashlib
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from server.api.answers import header, state_of
from server.errors import AuthenticationRequired
from server.own_commands import key_hint

_OPEN_PATHS = frozenset({"/", "/health"})


class Keys(Protocol):
    """What checks a key; the comparison takes constant time."""

    def matches(self, candidate: str) -> bool: ...


class Authentication:
    """Lets only those in who have the key; `keys` None lets all in. `GET /` and `GET /health` are for everybody.

    What it leaves in the request's state as `client_key` tells clients apart without holding a secret.
    """

    def __init__(self, app: ASGIApp, *, keys: Keys | None) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            candidates = _candidates(scope)
            if self._keys is not None and not _is_open(scope):
                _check(candidates, self._keys)
            state_of(scope)["client_key"] = _label(candidates, scope)
        await self._app(scope, receive, send)


def _check(candidates: list[str], keys: Keys) -> None:
    if any(keys.matches(candidate) for candidate in candidates):
        return
    problem = "The API key is wrong." if candidates else "This server needs its API key, and none was sent."
    hint = (
        "Send it as 'Authorization: Bearer KEY' or 'x-api-key: KEY'. "
        f"It is the key of this local server, not one of OpenAI or Anthropic: {key_hint()}."
    )
    raise AuthenticationRequired(problem, hint=hint)


def _is_open(scope: Scope) -> bool:
    return scope["method"] in ("GET", "HEAD") and scope["path"] in _OPEN_PATHS


def _candidates(scope: Scope) -> list[str]:
    """The keys in the headers; a client may send both, one of them a leftover of its own."""
    scheme, _, token = (header(scope, b"authorization") or "").strip().partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return [key for key in (bearer, (header(scope, b"x-api-key") or "").strip()) if key]


def _label(candidates: list[str], scope: Scope) -> str:
    if candidates:
        return hashlib.sha256("\0".join(candidates).encode()).hexdigest()[:16]
    client = scope.get("client")
    return str(client[0]) if client else "local"
