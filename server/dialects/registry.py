"""The dialects that the server speaks, and which of them a request is in."""

from server.dialects.chat_completions.dialect import CHAT_COMPLETIONS
from server.dialects.dialect import Dialect, Header
from server.dialects.messages.dialect import MESSAGES

DIALECTS: tuple[Dialect, ...] = (
    CHAT_COMPLETIONS,
    MESSAGES,
)
"""The first one answers requests that cannot be attributed to a dialect."""


def dialect_of(path: str, header: Header) -> Dialect:
    """The dialect of a request: the one that its path ends in, else the one whose headers it has.

    The path may have anything before or behind the endpoint: below a wrong base URL it is still that dialect's client
    that asks.
    """
    at, found = max(((f"{path}/".rfind(f"{dialect.path}/"), dialect) for dialect in DIALECTS), key=lambda pair: pair[0])
    if at >= 0:
        return found
    marked = (dialect for dialect in DIALECTS if any(header(name) is not None for name in dialect.marker_headers))
    return next(marked, DIALECTS[0])


def dialect_of_endpoint(path: str) -> Dialect:
    """The dialect of a recorded request's endpoint."""
    return dialect_of(path, lambda name: None)


def find_dialect(name: str) -> Dialect | None:
    """The dialect of that name; None if the server does not speak it."""
    return next((dialect for dialect in DIALECTS if dialect.name == name), None)


def is_api_path(path: str) -> bool:
    """Whether `path` is a dialect's endpoint or lies below one."""
    return any(f"{path}/".startswith(f"{dialect.path}/") for dialect in DIALECTS)


def endpoint_paths() -> list[str]:
    """The paths of all endpoints, dialect by dialect."""
    counting = {dialect.path: dialect.token_counting for dialect in DIALECTS}
    return [path for main, more in counting.items() for path in (main, *([more.path] if more else ()))]
