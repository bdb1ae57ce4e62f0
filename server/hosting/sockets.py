"""The listening socket of the server, with a SetupError for each reason why it cannot be bound."""

import asyncio
import contextlib
import errno
import ipaddress
import socket
import sys

from server.config.addresses import reachable_host
from server.core.errors import PortUnavailable, SettingsInvalid, SetupError

BACKLOG = 2048
PORT_HINT = "Choose another one with --port or the setting `port`; 0 picks any free port."


async def open_listener(host: str, port: int) -> socket.socket:
    """Open a listening TCP socket; port 0 picks a free port. A name with several addresses is bound to IPv4.

    Raises PortUnavailable, or SettingsInvalid if `host` is not an address of this machine.
    """
    family, address = await _resolve_host(host, port)
    try:
        return _bind_socket(family, address)
    except OSError as error:
        raise as_listen_error(error, host, port) from error


async def _resolve_host(host: str, port: int) -> tuple[int, tuple[object, ...]]:
    """Resolve a host to an address family and a socket address."""
    with contextlib.suppress(ValueError):
        version = ipaddress.ip_address(host).version
        if "%" not in host:  # an interface's name must be resolved
            return (socket.AF_INET if version == 4 else socket.AF_INET6), (host, port)
    if ":" in host and "%" not in host:
        raise _no_such_host(host, "a port belongs in the setting 'port'")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # the encoding of names refuses some outright
        raise _no_such_host(host, str(error)) from error
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, address


def _bind_socket(family: int, address: tuple[object, ...]) -> socket.socket:
    # Only with the protocol named does asyncio set TCP_NODELAY; without it answers wait up to 40 ms.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":
            # With SO_REUSEADDR another program could take over the port.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # Otherwise a port would stay in use while its last connections are in TIME_WAIT.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def as_listen_error(error: OSError, host: str, port: int) -> SetupError:
    """Translate an error of `bind` or `listen`."""
    if error.errno == errno.EADDRINUSE:
        message = f"Port {port} on {host} is in use by another program."
        return PortUnavailable(message, host=host, port=port, in_use=True, hint=PORT_HINT)
    if error.errno in (errno.EACCES, errno.EPERM):
        why = (
            "held by another program or reserved by Windows" if sys.platform == "win32" else "not allowed to this user"
        )
        message = f"Port {port} on {host} is {why}."
        return PortUnavailable(message, host=host, port=port, in_use=False, hint=PORT_HINT)
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.ENODEV, errno.EINVAL):
        return _no_such_host(host, error.strerror or str(error))
    message = f"Port {port} on {host} is not available: {error.strerror or error}."
    return PortUnavailable(message, host=host, port=port, in_use=False, hint=PORT_HINT)


def url_of(sock: socket.socket) -> str:
    """The URL of the socket for clients on this machine; the loopback address if it listens on all addresses."""
    host, port = sock.getsockname()[:2]
    return address_url(host, port)


def address_url(host: str, port: int) -> str:
    """The URL of a server that listens on `host` and `port`, for clients on this machine."""
    host = reachable_host(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _no_such_host(host: str, reason: str) -> SettingsInvalid:
    return SettingsInvalid(
        f"The setting 'host' cannot be {host!r}, which is not an address of this computer: {reason}.",
        name="host",
        hint="127.0.0.1 serves this computer only, 0.0.0.0 the network as well.",
    )
