"""What can be said about a port before it is taken."""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

from server.errors import PortUnavailable, SetupError
from server.sockets import listen
from tray_app.context import Context

TRIED = 50


@dataclass(frozen=True, slots=True)
class PortTrouble:
    """Why a port cannot be had, in words, and one that can."""

    words: str
    next_free: int | None


async def look_at(context: Context, host: str, port: int) -> PortTrouble | None:
    """What stands against `port`; None: nothing, or the server has it already."""
    if port == 0 or port == _own_port(context):
        return None
    problem = await _problem(host, port)
    return None if problem is None else await _trouble(host, port, problem)


async def explain(error: PortUnavailable) -> PortTrouble:
    """The trouble that the server had with a port."""
    return await _trouble(error.host, error.port, error)


def _own_port(context: Context) -> int | None:
    return urlsplit(context.server.url).port if context.server.url else None


async def _problem(host: str, port: int) -> SetupError | None:
    try:
        (await listen(host, port)).close()
    except SetupError as error:
        return error
    return None


async def _trouble(host: str, port: int, error: SetupError) -> PortTrouble:
    from server.commands.checks import _holder

    holder = await asyncio.to_thread(_holder, port)
    return PortTrouble(f"{error.message.rstrip('.')}{holder}.", await _next_free(host, port))


async def _next_free(host: str, after: int) -> int | None:
    for port in range(after + 1, min(after + TRIED, 65535)):
        if await _problem(host, port) is None:
            return port
    return None
