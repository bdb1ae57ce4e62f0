"""Checks of a port before the server binds it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from server.core.errors import PortUnavailable, SettingsInvalid, SetupError
from server.hosting.port_check import find_port_error, inspect_port, next_free_port
from tray_app.context import Context
from tray_app.pages.overview.port_problem import describe_port_problem


@dataclass(frozen=True, slots=True)
class PortProblem:
    """Why a port is not available, and the next free one, if there is one."""

    reason: str
    next_free: int | None


async def check_new_port(context: Context, host: str, port: int) -> SetupError | None:
    """Return why `port` cannot be bound, unless the server has bound it already."""
    return None if port in (0, _own_port(context)) else await find_port_error(host, port)


async def suggest_free_port(error: SetupError, host: str, port: int) -> PortProblem:
    """Describe the problem without looking for the program that uses the port."""
    try:
        return PortProblem(error.message, await next_free_port(host, port))
    except SettingsInvalid as reason:
        return PortProblem(reason.message, None)


async def name_port_holder(error: PortUnavailable) -> str:
    """Describe the problem and the program that uses the port. Takes seconds."""
    return describe_port_problem(await inspect_port(error.host, error.port), error)


def _own_port(context: Context) -> int | None:
    return urlsplit(context.server.url).port if context.server.url else None
