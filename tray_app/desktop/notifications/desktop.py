"""Notifications as the Linux desktop shows them, with an action, so that a click on one is told.

Qt's own say nothing of a click where there is a tray of the newer kind, and need a tray at all.
https://specifications.freedesktop.org/notification-spec/latest/
"""

import asyncio
import html
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

from jeepney import (  # type: ignore[import-untyped]
    DBusAddress,
    DBusErrorResponse,
    HeaderFields,
    MatchRule,
    Message,
    message_bus,
    new_method_call,
)
from jeepney.auth import AuthenticationError  # type: ignore[import-untyped]
from jeepney.io.asyncio import DBusRouter, open_dbus_connection  # type: ignore[import-untyped]
from jeepney.io.common import RouterClosed  # type: ignore[import-untyped]
from jeepney.wrappers import unwrap_msg  # type: ignore[import-untyped]

from server.core.tasks import spawn
from tray_app.desktop.instance.launch import use_token
from tray_app.desktop.notifications.rules import Notification
from tray_app.translation import tr

log = logging.getLogger(__name__)

NAME = "org.freedesktop.Notifications"
ADDRESS = DBusAddress("/org/freedesktop/Notifications", bus_name=NAME, interface=NAME)
ANSWER_SECONDS = 25.0
"""What D-Bus itself gives an answer: the bus may have to start the daemon first, on a computer that is busy."""
SHOWN_MS = 15_000
REMEMBERED = 20
URGENCY = {"warning": 1, "error": 2}
# Without a bus there is no variable, or nobody at its address; with one there may be no daemon.
UNREACHABLE = (
    *(KeyError, StopIteration, RuntimeError, OSError, EOFError, TimeoutError),
    *(AuthenticationError, DBusErrorResponse, RouterClosed),
)


class DesktopNotifications:
    """Shows notifications, and calls `on_click` with the one that was clicked. `close` ends the connection."""

    def __init__(self, on_click: Callable[[Notification], object]) -> None:
        self._on_click = on_click
        self._shown: deque[tuple[str, int, Notification]] = deque(maxlen=REMEMBERED)
        """Who shows it on the bus, and its number there: a daemon that takes another's place counts anew."""
        self._bus: DBusRouter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        self._capabilities: Collection[str] = ()

    async def show(self, notification: Notification) -> bool:
        """Whether it is shown: no where the desktop has nothing that does it."""
        bus = None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                bus = await self._connected()
                sender, (number,) = await _call(bus, "Notify", "susssasa{sv}i", self._arguments(notification))
        except UNREACHABLE as error:
            log.info("the desktop shows no notifications: %r", error)
            # The next one tries anew, unless another one does already.
            if bus is self._bus:
                self.close()
            return False
        self._shown.append((sender, number, notification))
        return True

    def close(self) -> None:
        """Listen no more."""
        if self._listening is not None:
            self._listening.cancel()
        self._bus = self._listening = None

    def _arguments(self, notification: Notification) -> tuple[Any, ...]:
        markup = "body-markup" in self._capabilities
        text = html.escape(notification.text, quote=False) if markup else notification.text
        hints = {
            "urgency": ("y", URGENCY[notification.level]),
            "desktop-entry": ("s", "dragoman"),
        }
        # "default" is what a click on the notification itself does. Some that know no actions make a dialog of it.
        actions = ["default", tr("Show")] if "actions" in self._capabilities else []
        icon = f"dialog-{notification.level}"
        return ("Dragoman", 0, icon, notification.title, text, actions, hints, SHOWN_MS)

    async def _connected(self) -> DBusRouter:
        async with self._connecting:
            if self._bus is None:
                connected: asyncio.Future[DBusRouter] = asyncio.get_running_loop().create_future()
                self._listening = spawn(self._listen(connected), name="hear clicks on notifications")
                self._bus = await connected
            return self._bus

    async def _listen(self, connected: "asyncio.Future[DBusRouter]") -> None:
        problem: BaseException = RouterClosed("nobody listens any more")
        try:
            # Not `open_dbus_router`, which does not close the connection of a bus that has gone.
            async with (
                await open_dbus_connection(bus="SESSION") as connection,
                DBusRouter(connection) as bus,
                _signals(bus) as signals,
            ):
                _, (self._capabilities,) = await _call(bus, "GetCapabilities")
                if not connected.done():
                    connected.set_result(bus)
                while True:
                    self._take(await signals.get())
        except UNREACHABLE as error:
            problem = error
        finally:
            if not connected.done():
                connected.set_exception(problem)

    def _take(self, message: Message) -> None:
        fields = message.header.fields
        # Whoever is on the bus can send such a signal, and daemons tell all programs of the clicks on anybody's.
        theirs = [shown for shown in self._shown if shown[0] == fields[HeaderFields.sender]]
        if not theirs:
            return
        number, word = message.body
        found = [notification for _, shown, notification in theirs if shown == number]
        if found and fields[HeaderFields.member] == "ActivationToken":
            use_token(word)
        elif found:
            self._on_click(found[-1])


async def _call(
    bus: DBusRouter, method: str, signature: str | None = None, body: tuple[Any, ...] = ()
) -> tuple[str, tuple[Any, ...]]:
    """Who answers, and what."""
    reply = await bus.send_and_get_reply(new_method_call(ADDRESS, method, signature, body))
    return reply.header.fields[HeaderFields.sender], unwrap_msg(reply)


@asynccontextmanager
async def _signals(bus: DBusRouter) -> AsyncIterator["asyncio.Queue[Message]"]:
    """What the daemon tells: which notification was clicked, and before it the token for the window."""
    rules = [MatchRule(type="signal", interface=NAME, member=name) for name in ("ActionInvoked", "ActivationToken")]
    queue: asyncio.Queue[Message] = asyncio.Queue()
    for rule in rules:
        unwrap_msg(await bus.send_and_get_reply(message_bus.AddMatch(rule)))
    with bus.filter(rules[0], queue=queue), bus.filter(rules[1], queue=queue):
        yield queue
