"""What can be said about a port before it is taken."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from server.errors import PortUnavailable, SettingsInvalid
from server.port_check import PortReport, look_at_port, next_free_port
from tray_app.context import Context
from tray_app.translation import tr


@dataclass(frozen=True, slots=True)
class PortTrouble:
    """Why a port cannot be had, in words, and one that can; None: none can, on this address."""

    words: str
    next_free: int | None


async def look_at(context: Context, host: str, port: int) -> PortTrouble | None:
    """What stands against `port`; None: nothing, or the server has it already. Takes up to some seconds."""
    if port == 0 or port == _own_port(context):
        return None
    report = await look_at_port(host, port)
    return None if report.free else await _trouble(host, port, report)


async def explain(error: PortUnavailable) -> PortTrouble:
    """The trouble that the server had with a port."""
    return await _trouble(error.host, error.port, await look_at_port(error.host, error.port))


def _own_port(context: Context) -> int | None:
    return urlsplit(context.server.url).port if context.server.url else None


async def _trouble(host: str, port: int, report: PortReport) -> PortTrouble:
    try:
        return PortTrouble(_words(port, report), await next_free_port(host, port))
    except SettingsInvalid as error:
        return PortTrouble(error.message, None)


def _words(port: int, report: PortReport) -> str:
    if report.ours is not None:
        return tr("Port {port} is in use by another Claude Code Tray.").format(port=port)
    if report.holder is not None:
        return tr("Port {port} is in use by {holder}.").format(port=port, holder=report.holder)
    if isinstance(report.error, PortUnavailable) and not report.error.in_use:
        return report.error.message
    return tr("Port {port} is in use by another program.").format(port=port)
