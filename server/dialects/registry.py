"""The dialects that the server speaks, and the dialect of a request."""

from server.dialects.base import Header
from server.dialects.chat_completions.dialect import CHAT_COMPLETIONS
from server.dialects.dialect import Dialect
from server.dialects.messages.dialect import MESSAGES
from server.dialects.responses.dialect import RESPONSES

DIALECTS: tuple[Dialect, ...] = (
    CHAT_COMPLETIONS,
    MESSAGES,
    RESPONSES,
)
"""The first one answers requests that belong to no dialect."""


def dialect_of(path: str, header: Header) -> Dialect:
    """The dialect whose endpoint is last in the path, otherwise by marker headers.

    Anything may surround the endpoint: clients with a wrong base URL get errors that they can read.
    """
    positions = ((f"{path}/".rfind(f"{start}/"), dialect) for dialect in DIALECTS for start in _paths_of(dialect))
    position, last = max(positions, key=lambda pair: pair[0])
    if position >= 0:
        return last
    marked = (dialect for dialect in DIALECTS if any(header(name) is not None for name in dialect.marker_headers))
    return next(marked, DIALECTS[0])


def dialect_of_endpoint(path: str) -> Dialect:
    """The dialect of a recorded request's endpoint."""
    return dialect_of(path, lambda name: None)


def find_dialect(name: str) -> Dialect | None:
    """The dialect of that name, None if there is none."""
    return next((dialect for dialect in DIALECTS if dialect.name == name), None)


def is_api_path(path: str) -> bool:
    """Whether `path` is a dialect's endpoint or below one."""
    return any(f"{path}/".startswith(f"{start}/") for dialect in DIALECTS for start in _paths_of(dialect))


def _paths_of(dialect: Dialect) -> list[str]:
    """The paths at which the dialect's endpoints begin."""
    return [dialect.path, *([dialect.stored_answers.conversations_path] if dialect.stored_answers else [])]


def endpoint_paths() -> list[str]:
    """The paths of all endpoints, dialect by dialect."""
    endpoints = ((dialect.path, dialect.token_counting) for dialect in DIALECTS)
    return [path for main, counting in endpoints for path in ([main, counting.path] if counting else [main])]
