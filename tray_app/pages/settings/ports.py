"""What can be said about a port before it is taken."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from server.core.errors import PortUnavailable, SettingsInvalid, SetupError
from server.hosting.port_check import find_port_error, inspect_port, next_free_port
from tray_app.context import Context
from tray_app.pages.overview.port_problem import port_words


@dataclass(frozen=True, slots=True)
class PortTrouble:
    """Why a port cannot be had, in words, and one that can; None: none can, on this address."""

    words: str
    next_free: int | None


async def trouble_with(context: Context, host: str, port: int) -> SetupError | None:
    """What stands against `port`; None: nothing, or the server has it already."""
    return None if port in (0, _own_port(context)) else await find_port_error(host, port)


async def at_once(error: SetupError, host: str, port: int) -> PortTrouble:
    """What can be said without asking around."""
    try:
        return PortTrouble(error.message, await next_free_port(host, port))
    except SettingsInvalid as reason:
        return PortTrouble(reason.message, None)


async def in_full(error: PortUnavailable) -> str:
    """Who has the port, in words, where that can be found out. Takes up to some seconds."""
    return port_words(await inspect_port(error.host, error.port), error)


def _own_port(context: Context) -> int | None:
    return urlsplit(context.server.url).port if context.server.url else None
