"""Further ports of the server, such as Ollama's own, for programs that cannot be told a port.

One that cannot be had is no failure: the server works without it, and a standing notice says why.
"""

import asyncio
import logging
import os
from collections.abc import Iterable, Mapping

from server.core.errors import PortUnavailable, SetupError
from server.core.events import EventBus, Notice, NoticeCleared
from server.hosting.http_server import HttpServer
from server.hosting.own_address import is_own_address
from server.hosting.sockets import BACKLOG, open_listener

log = logging.getLogger(__name__)

Address = tuple[str, int]
"""Host and port."""


class ExtraPorts:
    """The listeners on further ports, which serve what `server` serves."""

    def __init__(self, server: HttpServer, bus: EventBus, environment: Mapping[str, str] = os.environ) -> None:
        self._server = server
        self._bus = bus
        self._environment = environment
        self._listeners: dict[Address, asyncio.Server] = {}
        self._noticed: set[str] = set()
        """Topics of the standing notices."""

    async def listen_on(self, host: str, ports: Iterable[int]) -> None:
        """Listen on these ports of `host`, and on no others. Does not raise for a port that cannot be had."""
        # A change of the address may just have lost the server's own, which ends it.
        if self._server.should_exit:
            return
        own_port = self._server.sock.getsockname()[1]
        wanted = {(host, port) for port in ports if port != own_port}
        for address in self._listeners.keys() - wanted:
            self._close_listener(address)
        problems = {address: await self._open_listener(address) for address in sorted(wanted - self._listeners.keys())}
        notices = [_make_notice(*address, problem) for address, problem in problems.items() if problem is not None]
        for topic in self._noticed - {notice.topic for notice in notices}:
            self._bus.publish(NoticeCleared(topic))
        for notice in notices:
            log.warning("%s %s", notice.message, notice.hint)
            self._bus.publish(notice)
        self._noticed = {notice.topic for notice in notices}

    def release(self, port: int) -> None:
        """Stop listening on `port`, which the server wants for itself."""
        for address in [address for address in self._listeners if address[1] == port]:
            self._close_listener(address)

    def close(self) -> None:
        """Stop listening, and withdraw the notices."""
        for address in list(self._listeners):
            self._close_listener(address)
        for topic in self._noticed:
            self._bus.publish(NoticeCleared(topic))
        self._noticed.clear()

    async def _open_listener(self, address: Address) -> SetupError | None:
        """Listen on `address`, or return why that is not possible."""
        host, port = address
        if is_own_address(port, self._environment):
            return SetupError(
                f"ANTHROPIC_BASE_URL leads to port {port}, so Claude Code would send its requests to this server.",
                hint="Unset the variable, then start the server again.",
            )
        try:
            sock = await open_listener(host, port)
        except SetupError as error:
            return error
        loop = asyncio.get_running_loop()
        self._listeners[address] = await loop.create_server(self._server.make_protocol, sock=sock, backlog=BACKLOG)
        return None

    def _close_listener(self, address: Address) -> None:
        self._listeners.pop(address).close()
        self._server.close_idle_connections(address[1])


def _make_notice(host: str, port: int, problem: SetupError) -> Notice:
    hint = problem.hint
    if isinstance(problem, PortUnavailable):
        # Its own hint is about the main port.
        hint = "Quit that program and restart the server, or remove the port from the extra ports under Settings."
    message = f"The server does not listen on the extra port {port}: {problem.message}"
    return Notice("warning", message, hint=hint, topic=f"extra port {host} {port}")
