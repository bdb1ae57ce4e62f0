"""What is on the screen, as the application tells assistive technology: names, roles and places over AT-SPI.

A test that finds things by their names needs no count of Tab keys, and shows that the names are there.
https://docs.gtk.org/atspi2/ and the XML files of at-spi2-core describe the protocol.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Self

from jeepney import DBusAddress, MessageType, new_method_call  # type: ignore[import-untyped]
from jeepney.io.blocking import DBusConnection, open_dbus_connection  # type: ignore[import-untyped]

from tests.tray_app.screen.bus import PATIENCE_SECONDS, PROPERTIES, Answer, BusService
from tests.tray_app.screen.desktop import Desktop, Place, until

ACCESSIBLE = "org.a11y.atspi.Accessible"
COMPONENT = "org.a11y.atspi.Component"
TEXT = "org.a11y.atspi.Text"
ON_SCREEN = 0
# Bits of AtspiStateType.
CHECKED, ENABLED, FOCUSED, SHOWING = 4, 8, 12, 25


class _Switch(BusService):
    """Tells programs that somebody listens, and on which bus."""

    name = "org.a11y.Bus"
    path = "/org/a11y/bus"

    def answer(self, method: str, interface: str, sender: str, body: tuple[Any, ...]) -> Answer | None:
        if method == "GetAddress":
            return "s", (self.address,)
        if interface == PROPERTIES and method == "Get":
            return "v", (("b", True),)
        return None


class _Registry(BusService):
    """Programs make themselves known here."""

    name = "org.a11y.atspi.Registry"
    path = "/org/a11y/atspi/accessible/root"

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.programs: list[tuple[str, str]] = []

    def answer(self, method: str, interface: str, sender: str, body: tuple[Any, ...]) -> Answer | None:
        if method == "Embed":
            self.programs.append(body[0])
            return "(so)", ((self.name, self.path),)
        if method == "GetRegisteredEvents":
            return "a(ss)", ([],)
        return None


@dataclass(frozen=True)
class Thing:
    """Something on the screen."""

    name: str
    role: str
    place: Place
    states: frozenset[int]
    source: tuple[str, str]

    @property
    def enabled(self) -> bool:
        """Whether it can be used."""
        return ENABLED in self.states

    @property
    def checked(self) -> bool:
        """Whether it is switched on."""
        return CHECKED in self.states


class ScreenReader:
    """`with ScreenReader(desktop) as reader:` before the application is started."""

    def __init__(self, desktop: Desktop) -> None:
        self._desktop = desktop
        self._stack = ExitStack()
        self._registry = _Registry(desktop.bus)
        self._connection: DBusConnection | None = None

    def __enter__(self) -> Self:
        self._stack.enter_context(_Switch(self._desktop.bus))
        self._stack.enter_context(self._registry)
        self._connection = open_dbus_connection(bus=self._desktop.bus)
        self._stack.callback(self._connection.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def things(self) -> Iterator[Thing]:
        """All that can be seen now, parents before children."""
        for program in list(self._registry.programs):
            for window in self._children(program):
                yield from self._below(window)

    def find(self, name: str, role: str = "") -> list[Thing]:
        """What has a name that the expression matches as a whole, and that role if one is given."""
        wanted = re.compile(name)
        return [thing for thing in self.things() if wanted.fullmatch(thing.name) and role in ("", thing.role)]

    def wait_for(self, name: str, role: str = "") -> Thing:
        """The first such thing, as soon as it is there."""
        try:
            return until(lambda: self.find(name, role))[0]
        except TimeoutError:
            seen = sorted({f"{thing.role}: {thing.name}" for thing in self.things() if thing.name})
            raise AssertionError(f"nothing is called {name!r} ({role or 'any role'}): {seen}") from None

    def wait_until_gone(self, name: str, role: str = "") -> None:
        """Return when no such thing can be seen any more."""
        until(lambda: not self.find(name, role))

    def press(self, name: str, role: str = "", clicks: int = 1) -> None:
        """Click on the first such thing, once it can be used."""
        self.wait_for(name, role)
        thing = until(lambda: next((thing for thing in self.find(name, role) if thing.enabled), None))
        for _ in range(clicks):
            self._desktop.click(*thing.place.middle)

    def text(self, thing: Thing) -> str:
        """What stands in a field."""
        return str(self._call(thing.source, TEXT, "GetText", "ii", (0, -1))[0])

    def _below(self, source: tuple[str, str]) -> Iterator[Thing]:
        thing = self._thing(source)
        if thing is None:
            return
        yield thing
        for child in self._children(source):
            yield from self._below(child)

    def _thing(self, source: tuple[str, str]) -> Thing | None:
        """None if it is not shown, or there no more."""
        try:
            (words,) = self._call(source, ACCESSIBLE, "GetState")
            states = frozenset(32 * n + bit for n, word in enumerate(words) for bit in range(32) if word >> bit & 1)
            if SHOWING not in states:
                return None
            (role,) = self._call(source, ACCESSIBLE, "GetRoleName")
            ((_, name),) = self._call(source, PROPERTIES, "Get", "ss", (ACCESSIBLE, "Name"))
            (extents,) = self._call(source, COMPONENT, "GetExtents", "u", (ON_SCREEN,))
        except RuntimeError:
            return None
        return Thing(name, role, Place(*extents), states, source)

    def _children(self, source: tuple[str, str]) -> list[tuple[str, str]]:
        try:
            (children,) = self._call(source, ACCESSIBLE, "GetChildren")
        except RuntimeError:
            return []
        return [child for child in children if child[1] != "/org/a11y/atspi/null"]

    def _call(self, source: tuple[str, str], interface: str, method: str, signature: str = "", body: Any = ()) -> Any:
        assert self._connection is not None
        address = DBusAddress(source[1], bus_name=source[0], interface=interface)
        message = new_method_call(address, method, signature or None, body)
        reply = self._connection.send_and_get_reply(message, timeout=PATIENCE_SECONDS)
        if reply.header.message_type == MessageType.error:
            raise RuntimeError(f"{method} failed: {reply.body}")
        return reply.body
