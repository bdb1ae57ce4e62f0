"""Normalisation of request paths, for guards, router and records."""

import re
from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send

from server.dialects.registry import is_api_path

_ABSOLUTE = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_SLASHES = re.compile(r"/{2,}")
_VERSIONS = re.compile(r"^(?:/v1)+(?=/v1(?:/|$))")
_MODELS = re.compile(r"/v1/models(?=/|$)")


class CanonicalPaths:
    """Rewrites the paths that clients build from a base URL to those of the routes.

    A base URL with or without `/v1` or a final slash leads to doubled slashes, `/v1/v1`, or no `/v1`. This must be
    outside every layer that reads the path, so that all of them see the same one. Dots have no meaning and are not
    removed: `/v1/../health` does not exist.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(_canonical_scope(scope) if scope["type"] == "http" else scope, receive, send)


def _canonical_scope(scope: Scope) -> Scope:
    given: str = scope["path"]
    host = _ABSOLUTE.match(given)
    path = canonical_path(given[host.end() :] if host else given)
    if path == given:
        return scope
    changed = {**scope, "path": path, "raw_path": quote(path, errors="replace").encode()}
    if host:
        # It takes precedence over the Host header (RFC 9112, 3.2.2), so the guard must check it instead.
        others = [header for header in scope["headers"] if header[0] != b"host"]
        changed["headers"] = [(b"host", host[1].encode("utf-8", "replace")), *others]
    return changed


def canonical_path(path: str) -> str:
    """`path` with single slashes, none at the end, and one `/v1` before an API's path that has one."""
    path = _SLASHES.sub("/", path).rstrip("/") or "/"
    path = _VERSIONS.sub("", path)
    if is_api_path(unversioned := path.removeprefix("/v1")):
        return unversioned
    versioned = f"/v1{path}"
    return versioned if is_api_path(versioned) or _MODELS.match(versioned) else path
