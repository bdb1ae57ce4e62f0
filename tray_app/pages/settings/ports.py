"""What can be said about a port before it is taken."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from server.core.errors import PortUnavailable, SettingsInvalid, SetupError
from server.hosting.port_check import look_at_port, next_free_port, why_not
from tray_app.context import Context
from tray_app.pages.overview.port_problem import describe_port_problem


@dataclass(frozen=True, slots=True)
class PortProblem:
    """Why a port cannot be had, in words, and one that can; None: none can, on this address."""

    reason: str
    next_free: int | None


async def check_new_port(context: Context, host: str, port: int) -> SetupError | None:
    """What stands against `port`; None: nothing, or the server has it already."""
    return None if port in (0, _own_port(context)) else await why_not(host, port)


async def suggest_free_port(error: SetupError, host: str, port: int) -> PortProblem:
    """What can be said without asking around."""
    try:
        return PortProblem(error.message, await next_free_port(host, port))
    except SettingsInvalid as reason:
        return PortProblem(reason.message, None)


async def name_port_holder(error: PortUnavailable) -> str:
    """Who has the port, in words, where that can be found out. Takes up to some seconds."""
    return describe_port_problem(await look_at_port(error.host, error.port), error)


def _own_port(context: Context) -> int | None:
    return urlsplit(context.server.url).port if context.server.url else None
