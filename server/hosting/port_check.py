"""Check of a port before the server listens on it: whether it is available, and which process holds it."""

import asyncio
import http.client
import json
import sys
from contextlib import closing
from dataclasses import dataclass

import psutil

from server.config.addresses import reachable_host
from server.core.errors import PortUnavailable, SetupError
from server.hosting.sockets import open_listener

ASK_SECONDS = 2.0
LAST_PORT = 65535
TRIES = 200
"""How many ports `next_free_port` tries before it leaves the choice to the system."""


@dataclass(frozen=True, slots=True)
class PortReport:
    """The result of checking a port.

    `holder` is the process that listens on it, as `python3 (process 123)`; None if the system does not tell.
    `dragoman_version` is the version of the Dragoman that answers there, or None. `error` is the reason why the
    server cannot listen: PortUnavailable, or SettingsInvalid if the host is not an address of this machine.
    """

    free: bool
    holder: str | None = None
    dragoman_version: str | None = None
    error: SetupError | None = None


async def inspect_port(host: str, port: int) -> PortReport:
    """Try to listen on the port, and find out who holds it if that fails; this server itself may. Never raises."""
    error = await find_port_error(host, port)
    if error is None:
        return PortReport(True)
    # Windows may report a port in use as forbidden.
    if not isinstance(error, PortUnavailable) or not (error.in_use or sys.platform == "win32"):
        return PortReport(False, error=error)
    ours = await asyncio.to_thread(fetch_dragoman_version, host, port)
    return PortReport(False, await asyncio.to_thread(find_port_holder, port), ours, error)


async def find_port_error(host: str, port: int) -> SetupError | None:
    """Return the error of listening on the port, or None. Does not look for the process that holds it."""
    try:
        (await open_listener(host, port)).close()
    except SetupError as error:
        return error
    return None


async def next_free_port(host: str, after: int) -> int:
    """Find the first free port above `after`; any free port if there is none within `TRIES`.

    Raises SettingsInvalid if `host` is not an address of this machine.
    """
    for port in range(after + 1, min(after + 1 + TRIES, LAST_PORT + 1)):
        try:
            (await open_listener(host, port)).close()
        except PortUnavailable:
            continue
        return port
    with await open_listener(host, 0) as sock:
        return int(sock.getsockname()[1])


def fetch_dragoman_version(host: str, port: int) -> str | None:
    """Ask the port for the version of Dragoman; None if another program listens. Blocks for a few seconds at most."""
    host = reachable_host(host)
    with closing(http.client.HTTPConnection(host, port, timeout=ASK_SECONDS)) as connection:
        try:
            connection.request("GET", "/")
            answer = json.loads(connection.getresponse().read(65536))
        except (OSError, http.client.HTTPException, ValueError):
            return None
    ours = isinstance(answer, dict) and answer.get("name") == "Dragoman"
    return str(answer.get("version")) if ours else None


def find_port_holder(port: int) -> str | None:
    """Find the process that listens on the port. Blocks. Only administrators see other users' processes."""
    try:
        listening = (entry for entry in psutil.net_connections("tcp") if entry.status == psutil.CONN_LISTEN)
        held = (entry.pid for entry in listening if getattr(entry.laddr, "port", None) == port)
        pid = next((pid for pid in held if pid is not None), None)
        return None if pid is None else f"{psutil.Process(pid).name()} (process {pid})"
    except (psutil.Error, OSError):
        # On macOS only the administrator can list all connections; the user's own processes can be asked one by one.
        return _find_own_holder(port)


def _find_own_holder(port: int) -> str | None:
    for process in psutil.process_iter(["pid", "name"]):
        try:
            sockets = process.net_connections("tcp")
        except (psutil.Error, OSError):
            continue
        if any(one.status == psutil.CONN_LISTEN and getattr(one.laddr, "port", None) == port for one in sockets):
            return f"{process.info['name']} (process {process.pid})"
    return None
