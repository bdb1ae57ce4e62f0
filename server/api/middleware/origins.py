"""Host and Origin checks against DNS rebinding and cross-site requests."""

import fnmatch
import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

import psutil
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from server.api.exchange.responses import get_header, send_error
from server.config.addresses import ANY_ADDRESS, is_this_computer
from server.core.errors import OriginRefused
from server.dialects import registry

_LOOPBACK_NAMES = ("localhost", "*.localhost", "127.0.0.1", "::1")
_EXPOSED_HEADERS = ("x-session-id", "warning", "retry-after")


class HostAllowlist:
    """Refuses requests whose Host header names no allowed host, ignoring the port.

    A web page whose name was rebound to 127.0.0.1 reaches this server with its own name in Host. Allowed are the
    loopback names, the address the server listens on, and `allowed_hosts` (`*.example.com` and `*` work). A server
    that listens on every address also allows this machine's names and addresses.
    """

    def __init__(self, app: ASGIApp, *, host: str, allowed_hosts: Iterable[str] = ()) -> None:
        self._app = app
        names = [*_LOOPBACK_NAMES, *allowed_hosts]
        names += _own_names() if host in ANY_ADDRESS else [host]
        self._names = frozenset(bare_host(name) for name in names)
        self._patterns = tuple(name for name in self._names if "*" in name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = get_header(scope, b"host") if scope["type"] == "http" else None
        if scope["type"] != "http" or (
            self._is_allowed(bare_host(host)) if host is not None else _needs_no_host(scope)
        ):
            await self._app(scope, receive, send)
            return
        hint = "Use localhost or 127.0.0.1, or add the name to the setting allowed_hosts."
        await send_error(OriginRefused(f"The host name {host!r} is not allowed here.", hint=hint), scope, receive, send)

    def _is_allowed(self, name: str) -> bool:
        return name in self._names or any(fnmatch.fnmatchcase(name, pattern) for pattern in self._patterns)


def _needs_no_host(scope: Scope) -> bool:
    """Whether a local program uses HTTP/1.0, which has no Host; browsers send one."""
    client = scope.get("client")
    return scope["http_version"] == "1.0" and client is not None and is_this_computer(client[0])


class AllowedOrigins:
    """The origins in the setting: whole ones, `vscode-webview://*` for a scheme whose names change, or `*`."""

    def __init__(self, origins: Iterable[str]) -> None:
        names = frozenset(origin.rstrip("/").lower() for origin in origins)
        self._allows_all = "*" in names
        self._schemes = frozenset(name.removesuffix("*") for name in names if name.endswith("://*"))
        self._names = names

    def allows_origin(self, origin: str) -> bool:
        """Whether requests with this Origin header are allowed."""
        return self._allows_all or self.names_origin(origin)

    def names_origin(self, origin: str) -> bool:
        """Whether the user has allowed this origin in particular, not all of them."""
        origin = origin.lower()
        return origin in self._names or any(origin.startswith(scheme) for scheme in self._schemes)


class Origins:
    """Refuses browsers' requests from other sites, and adds CORS headers.

    A browser sends the page's Origin with every request that can change something; other programs send none. A GET
    from another site is served without CORS headers, so the page cannot read the response.
    """

    def __init__(self, app: ASGIApp, *, allowed_origins: Iterable[str] = ()) -> None:
        self._app = app
        self._allowed = AllowedOrigins(allowed_origins)
        # `*` is answered with the page's own origin, so that no page learns that all origins are allowed.
        self._cors = CORSMiddleware(
            app,
            allow_origin_regex=".*",
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("*",),
            allow_private_network=True,
            expose_headers=(*_request_id_headers(), *_EXPOSED_HEADERS),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = get_header(scope, b"origin") if scope["type"] == "http" else None
        if origin is None:
            await self._app(scope, receive, send)
        elif self._allowed.allows_origin(origin):
            await self._cors(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD") or _is_own_origin(origin, scope):
            await self._app(scope, receive, send)
        else:
            hint = "If you trust that page, add its origin to the setting allowed_origins."
            refused = OriginRefused(f"Web pages of {origin!r} may not use this server.", hint=hint)
            await send_error(refused, scope, receive, send)


def bare_host(host: str) -> str:
    """A Host header's name in lower case, without port or an IPv6 address's brackets."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    if _is_address(host):
        return host
    return host.partition(":")[0].rstrip(".")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_own_origin(origin: str, scope: Scope) -> bool:
    """Whether the page has this server's own origin; its host is already checked."""
    try:
        return urlsplit(origin).netloc.lower() == (get_header(scope, b"host") or "").lower() != ""
    except ValueError:  # an invalid address in brackets
        return False


def _own_names() -> list[str]:
    addresses = [address.address for group in psutil.net_if_addrs().values() for address in group]
    hostname = socket.gethostname()
    return [*(address.partition("%")[0] for address in addresses if address), hostname, f"{hostname}.local"]


def _request_id_headers() -> list[str]:
    return list(dict.fromkeys(name for dialect in registry.DIALECTS for name in dialect.request_id_headers))
