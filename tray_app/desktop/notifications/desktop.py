"""Notifications of the Linux desktop over D-Bus, which reports clicks.

Qt's own notifications need a tray, and do not report clicks where the tray is a StatusNotifierItem host.
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

from server.config.own_commands import desktop_id
from server.core.tasks import spawn
from tray_app.desktop.instance.launch import set_activation_token
from tray_app.desktop.notifications.rules import Notification
from tray_app.translation import tr

log = logging.getLogger(__name__)

NAME = "org.freedesktop.Notifications"
ADDRESS = DBusAddress("/org/freedesktop/Notifications", bus_name=NAME, interface=NAME)
ANSWER_SECONDS = 25.0
"""D-Bus's own default timeout: the bus may have to start the daemon first, on a busy computer."""
SHOWN_MS = 15_000
MAX_REMEMBERED = 20
URGENCY = {"warning": 1, "error": 2}
# Without a bus, its variable is missing or its address dead; with a bus, the daemon may be missing.
UNREACHABLE = (
    *(KeyError, StopIteration, RuntimeError, OSError, EOFError, TimeoutError),
    *(AuthenticationError, DBusErrorResponse, RouterClosed),
)


class DesktopNotifications:
    """Shows notifications until `close`; calls `on_click` with a clicked one."""

    def __init__(self, on_click: Callable[[Notification], object]) -> None:
        self._on_click = on_click
        self._shown: deque[tuple[str, int, Notification]] = deque(maxlen=MAX_REMEMBERED)
        """The daemon's bus name, and the notification's number there: a restarted daemon counts from the start."""
        self._bus: DBusRouter | None = None
        self._listening: asyncio.Task[None] | None = None
        # Two notifications at once must not open two connections.
        self._connecting = asyncio.Lock()
        self._capabilities: Collection[str] = ()

    async def show_notification(self, notification: Notification) -> bool:
        """Show a notification; False if the desktop has no daemon for it."""
        bus = None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                bus = await self._connect_bus()
                sender, (number,) = await _call_daemon(
                    bus, "Notify", "susssasa{sv}i", self._notify_arguments(notification)
                )
        except UNREACHABLE as error:
            log.info("the desktop shows no notifications: %r", error)
            # Reconnect for the next notification, unless another call has already done so.
            if bus is self._bus:
                self.close()
            return False
        self._shown.append((sender, number, notification))
        return True

    def close(self) -> None:
        """End the connection."""
        if self._listening is not None:
            self._listening.cancel()
        self._bus = self._listening = None

    def _notify_arguments(self, notification: Notification) -> tuple[Any, ...]:
        markup = "body-markup" in self._capabilities
        text = html.escape(notification.text, quote=False) if markup else notification.text
        hints = {
            "urgency": ("y", URGENCY[notification.level]),
            "desktop-entry": ("s", desktop_id()),
        }
        # "default" is a click on the notification itself. Daemons without actions may turn it into a dialog.
        actions = ["default", tr("Show")] if "actions" in self._capabilities else []
        icon = f"dialog-{notification.level}"
        return ("Dragoman", 0, icon, notification.title, text, actions, hints, SHOWN_MS)

    async def _connect_bus(self) -> DBusRouter:
        async with self._connecting:
            if self._bus is None:
                connected: asyncio.Future[DBusRouter] = asyncio.get_running_loop().create_future()
                self._listening = spawn(self._listen_for_clicks(connected), name="listen for clicks on notifications")
                self._bus = await connected
            return self._bus

    async def _listen_for_clicks(self, connected: "asyncio.Future[DBusRouter]") -> None:
        problem: BaseException = RouterClosed("the connection was closed")
        try:
            # Not `open_dbus_router`, which leaves the connection open when the bus is gone.
            async with (
                await open_dbus_connection(bus="SESSION") as connection,
                DBusRouter(connection) as bus,
                _subscribe_signals(bus) as signals,
            ):
                _, (self._capabilities,) = await _call_daemon(bus, "GetCapabilities")
                if not connected.done():
                    connected.set_result(bus)
                while True:
                    self._handle_signal(await signals.get())
        except UNREACHABLE as error:
            problem = error
        finally:
            if not connected.done():
                connected.set_exception(problem)

    def _handle_signal(self, message: Message) -> None:
        fields = message.header.fields
        # Any program on the bus can send such a signal, and daemons send all programs the clicks on all notifications.
        theirs = [shown for shown in self._shown if shown[0] == fields[HeaderFields.sender]]
        if not theirs:
            return
        number, word = message.body
        found = [notification for _, shown, notification in theirs if shown == number]
        if found and fields[HeaderFields.member] == "ActivationToken":
            set_activation_token(word)
        elif found:
            self._on_click(found[-1])


async def _call_daemon(
    bus: DBusRouter, method: str, signature: str | None = None, body: tuple[Any, ...] = ()
) -> tuple[str, tuple[Any, ...]]:
    """Call the daemon; return the sender of the reply and its body."""
    reply = await bus.send_and_get_reply(new_method_call(ADDRESS, method, signature, body))
    return reply.header.fields[HeaderFields.sender], unwrap_msg(reply)


@asynccontextmanager
async def _subscribe_signals(bus: DBusRouter) -> AsyncIterator["asyncio.Queue[Message]"]:
    """The daemon's signals: the activation token of a click, then the click."""
    rules = [MatchRule(type="signal", interface=NAME, member=name) for name in ("ActionInvoked", "ActivationToken")]
    queue: asyncio.Queue[Message] = asyncio.Queue()
    for rule in rules:
        unwrap_msg(await bus.send_and_get_reply(message_bus.AddMatch(rule)))
    with bus.filter(rules[0], queue=queue), bus.filter(rules[1], queue=queue):
        yield queue
