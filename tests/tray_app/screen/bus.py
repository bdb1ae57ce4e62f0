"""Services on a made message bus, in a thread of the test: what a desktop has that Debian has no small package for."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any, Self

from jeepney import (  # type: ignore[import-untyped]
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    message_bus,
    new_error,
    new_method_call,
    new_method_return,
    new_signal,
)
from jeepney.io.blocking import DBusConnection, open_dbus_connection  # type: ignore[import-untyped]

PROPERTIES = "org.freedesktop.DBus.Properties"
UNKNOWN = "org.freedesktop.DBus.Error.UnknownMethod"
PATIENCE_SECONDS = 60.0

Answer = tuple[str, tuple[Any, ...]]
"""A signature, and values of those types."""


class BusService:
    """`with Service(address):` owns `name` on the bus there. Subclasses answer calls and may make some."""

    name: str
    path: str

    def __init__(self, address: str) -> None:
        self.address = address
        self._connection: DBusConnection = connected(address)
        self._thread = threading.Thread(target=self._serve, name=self.name, daemon=True)

    def __enter__(self) -> Self:
        (answer,) = self._connection.send_and_get_reply(
            message_bus.RequestName(self.name), timeout=PATIENCE_SECONDS
        ).body
        assert answer == 1, f"{self.name} has an owner already"
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Wakes the thread that reads there.
        self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE_SECONDS)
        self._connection.close()

    def answer(self, method: str, interface: str, sender: str, body: tuple[Any, ...]) -> Answer | None:
        """What a call is answered with; None: there is no such method."""
        raise NotImplementedError

    def emit(self, interface: str, member: str, signature: str = "", body: tuple[Any, ...] = ()) -> None:
        """Send a signal to whoever listens."""
        source = DBusAddress(self.path, bus_name=self.name, interface=interface)
        self._connection.send(new_signal(source, member, signature, body))

    def call(self, address: DBusAddress, method: str, signature: str = "", body: tuple[Any, ...] = ()) -> Any:
        """Call another's method, and return what it gives. Raises RuntimeError for an error."""
        with open_connection(self.address) as connection:
            message = new_method_call(address, method, signature, body)
            reply = connection.send_and_get_reply(message, timeout=PATIENCE_SECONDS)
        if reply.header.message_type == MessageType.error:
            raise RuntimeError(f"{method} failed: {reply.body}")
        return reply.body

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                message = self._connection.receive()
                if message.header.message_type == MessageType.method_call:
                    self._connection.send(self._reply(message))

    def _reply(self, message: Message) -> Message:
        fields = message.header.fields
        method, interface = fields[HeaderFields.member], fields.get(HeaderFields.interface, "")
        found = self.answer(method, interface, fields[HeaderFields.sender], message.body)
        return new_error(message, UNKNOWN) if found is None else new_method_return(message, *found)


def connected(address: str) -> DBusConnection:
    """A connection to the bus there, which has more time to let us in than the one second that is usual."""
    return open_dbus_connection(bus=address, auth_timeout=PATIENCE_SECONDS)


@contextlib.contextmanager
def open_connection(address: str) -> Iterator[DBusConnection]:
    """A connection of its own, for calls."""
    connection = connected(address)
    try:
        yield connection
    finally:
        connection.close()


class DBusTray(BusService):
    """A tray of the newer kind (KDE's, and GNOME's extension): programs tell it of their icons over the bus.

    https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/
    """

    name = "org.kde.StatusNotifierWatcher"
    path = "/StatusNotifierWatcher"

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self._items: dict[str, DBusAddress] = {}
        self._lock = threading.Lock()

    def answer(self, method: str, interface: str, sender: str, body: tuple[Any, ...]) -> Answer | None:
        """A watcher and a host in one."""
        if interface == PROPERTIES and method == "Get":
            return "v", (self._properties()[body[1]],)
        if method == "RegisterStatusNotifierItem":
            path = body[0] if body[0].startswith("/") else "/StatusNotifierItem"
            with self._lock:
                self._items[sender] = DBusAddress(path, bus_name=sender, interface="org.kde.StatusNotifierItem")
            return "", ()
        return None

    def icons(self) -> list["DBusIcon"]:
        """The icons of programs that still run."""
        with self._lock:
            items = dict(self._items)
        return [DBusIcon(self, address) for sender, address in items.items() if self._is_there(sender)]

    def _is_there(self, sender: str) -> bool:
        bus = DBusAddress("/", bus_name="org.freedesktop.DBus", interface="org.freedesktop.DBus")
        return bool(self.call(bus, "NameHasOwner", "s", (sender,))[0])

    def _properties(self) -> dict[str, tuple[str, Any]]:
        with self._lock:
            items = list(self._items)
        return {
            "IsStatusNotifierHostRegistered": ("b", True),
            "ProtocolVersion": ("i", 0),
            "RegisteredStatusNotifierItems": ("as", items),
        }


class DBusIcon:
    """An icon in a `DBusTray`."""

    def __init__(self, tray: DBusTray, address: DBusAddress) -> None:
        self._tray = tray
        self._address = address

    @property
    def tooltip(self) -> str:
        """What the tray shows when the pointer is on it."""
        _, _, title, text = self._get("ToolTip")
        return f"{title}\n{text}".strip()

    @property
    def sizes(self) -> set[int]:
        """The widths in which there is a picture, in pixels."""
        return {width for width, _, pixels in self._get("IconPixmap") if any(pixels)}

    @property
    def status(self) -> str:
        """`Active` while it is to be seen."""
        return str(self._get("Status"))

    @property
    def is_there(self) -> bool:
        """Whether its program still has it, also when the tray has gone."""
        try:
            return bool(self.status)
        except RuntimeError:
            return False

    def click(self) -> None:
        """A click with the first button."""
        self._tray.call(self._address, "Activate", "ii", (0, 0))

    def choose(self, label: str) -> None:
        """Choose the entry with that text from its menu."""
        menu = self._menu()
        _, (_, _, entries) = self._tray.call(menu, "GetLayout", "iias", (0, -1, ["label"]))
        numbers = {properties.get("label", ("s", ""))[1]: number for _, (number, properties, _) in entries}
        self._tray.call(menu, "Event", "isvu", (numbers[label], "clicked", ("s", ""), 0))

    def _menu(self) -> DBusAddress:
        path = self._get("Menu")
        return DBusAddress(path, bus_name=self._address.bus_name, interface="com.canonical.dbusmenu")

    def _get(self, name: str) -> Any:
        address = self._address.with_interface(PROPERTIES)
        ((_, value),) = self._tray.call(address, "Get", "ss", (self._address.interface, name))
        return value


class Login(BusService):
    """What tells programs that the computer goes to sleep, and wakes.

    https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.login1.html
    """

    name = "org.freedesktop.login1"
    path = "/org/freedesktop/login1"

    def answer(self, method: str, interface: str, sender: str, body: tuple[Any, ...]) -> Answer | None:
        """Nothing is asked of it."""
        return None

    def prepare_for_sleep(self, going: bool) -> None:
        """True before a sleep, False after it."""
        self.emit("org.freedesktop.login1.Manager", "PrepareForSleep", "b", (going,))


class SilentPrompter(BusService):
    """What should ask for a keyring's password, and shows nothing."""

    name = "org.gnome.keyring.SystemPrompter"
    path = "/org/gnome/keyring/Prompter"

    def answer(self, method: str, interface: str, sender: str, body: tuple[Any, ...]) -> Answer | None:
        """It says that it begins."""
        return ("", ()) if method == "BeginPrompting" else None
