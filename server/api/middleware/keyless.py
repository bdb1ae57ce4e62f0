"""Programs on this computer that can send no key, on the paths that such programs use.

A web page must not pass for one. Its request has an Origin, or at least the header Sec-Fetch-Site, which a page cannot
leave out; only the origin of a desktop program that the user has allowed is no page's. A reverse proxy must not pass
for one either: to this server its clients seem to be on this computer.
"""

from collections.abc import Iterable

from starlette.types import Scope

from server.api.exchange.responses import get_header
from server.api.middleware.origins import AllowedOrigins, bare_host
from server.config.addresses import is_this_computer
from server.dialects.registry import may_omit_key

PLACEHOLDERS = frozenset(
    {"ollama", "lm-studio", "lmstudio", "noop", "none", "null", "undefined", "not-needed", "dummy"}
)
"""Words that programs send where their protocol needs some key and the user cannot set one."""
_FORWARDING_HEADERS = (b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip")
_WEB_SCHEMES = frozenset({"http", "https"})


class KeylessPrograms:
    """Decides which requests need no key."""

    def __init__(self, allowed_origins: Iterable[str]) -> None:
        self._origins = AllowedOrigins(allowed_origins)

    def may_pass(self, scope: Scope, keys: Iterable[str]) -> bool:
        """Whether a request with these keys, none of them this server's, may be served."""
        return (
            all(key.lower() in PLACEHOLDERS for key in keys)
            and may_omit_key(scope["path"])
            and _is_from_this_computer(scope)
            and not self._is_from_a_page(scope)
        )

    def _is_from_a_page(self, scope: Scope) -> bool:
        origin = get_header(scope, b"origin")
        if origin is None:
            return get_header(scope, b"sec-fetch-site") is not None
        return not _is_of_a_program(origin) or not self._origins.names_origin(origin)


def _is_from_this_computer(scope: Scope) -> bool:
    """Whether the client is on this computer and calls it by a loopback name."""
    client, host = scope.get("client"), get_header(scope, b"host")
    return (
        client is not None
        and host is not None
        and is_this_computer(client[0])
        and is_this_computer(bare_host(host))
        and all(get_header(scope, name) is None for name in _FORWARDING_HEADERS)
    )


def _is_of_a_program(origin: str) -> bool:
    """Whether no page of a browser has this origin: `app://obsidian.md` is a program's, an extension's is not."""
    scheme, separator, _ = origin.lower().partition("://")
    return bool(separator) and scheme not in _WEB_SCHEMES and not scheme.endswith("-extension")
