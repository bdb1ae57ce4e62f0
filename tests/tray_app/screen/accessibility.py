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
from jeepney.io.blocking import DBusConnection  # type: ignore[import-untyped]

from tests.tray_app.screen.bus import PATIENCE_SECONDS, PROPERTIES, Answer, BusService, connected
from tests.tray_app.screen.desktop import Desktop, Place, until

ACCESSIBLE = "org.a11y.atspi.Accessible"
COMPONENT = "org.a11y.atspi.Component"
TEXT = "org.a11y.atspi.Text"
ON_SCREEN = 0
# Programs built with at-spi2-core 2.53 and later say "button".
RENAMED_ROLES = {"button": "push button"}
Source = tuple[str, str]
"""The bus name of a program, and the path of something in it."""
Seen = tuple[Source, str, frozenset[int], Source]
"""With its name and states, and the window that it is in."""
# Bits of AtspiStateType.
ENABLED, FOCUSED, SHOWING = 8, 12, 25


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
        self.programs: list[Source] = []

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
    source: Source
    window: Source

    @property
    def enabled(self) -> bool:
        """Whether it can be used."""
        return ENABLED in self.states

    @property
    def focused(self) -> bool:
        """Whether what is typed goes there."""
        return FOCUSED in self.states


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
        self._connection = connected(self._desktop.bus)
        self._stack.callback(self._connection.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def find(self, name: str, role: str = "") -> list[Thing]:
        """What can be seen with a name that the expression matches as a whole, and that role if one is given."""
        wanted = re.compile(name)
        named = [self._thing(*seen) for seen in self._seen() if wanted.fullmatch(seen[1])]
        return [thing for thing in named if thing is not None and role in ("", thing.role)]

    def wait_for(self, name: str, role: str = "") -> Thing:
        """The first such thing, as soon as it is there."""
        try:
            return until(lambda: self.find(name, role))[0]
        except TimeoutError:
            seen = sorted({f"{thing.role}: {thing.name}" for thing in self.find(".+")})
            raise AssertionError(f"nothing is called {name!r} ({role or 'any role'}): {seen}") from None

    def wait_for_focus(self, name: str, role: str) -> None:
        """Return when such a thing has the keyboard."""
        until(lambda: any(thing.focused for thing in self.find(name, role)))

    def wait_until_gone(self, name: str, role: str = "") -> None:
        """Return when no such thing can be seen any more."""
        until(lambda: not self.find(name, role))

    def press(self, name: str, role: str = "", clicks: int = 1) -> None:
        """Click on the first such thing, once it can be used and is where it says."""
        self.wait_for(name, role)
        thing = until(lambda: self._in_place(name, role))
        self._desktop.click(*thing.place.middle, times=clicks)

    def _in_place(self, name: str, role: str) -> Thing | None:
        """The first such thing that can be used, if it and its window stand still, where they can be seen."""
        thing = self._usable(name, role)
        if thing is None:
            return None
        window = self._place(thing.window)
        if window is None or not self._desktop.shows_window(window):
            return None
        return thing if self._usable(name, role) == thing and self._place(thing.window) == window else None

    def _usable(self, name: str, role: str) -> Thing | None:
        return next((thing for thing in self.find(name, role) if thing.enabled), None)

    def text(self, thing: Thing) -> str:
        """What stands in a field."""
        return str(self._call(thing.source, TEXT, "GetText", "ii", (0, -1))[0])

    def _seen(self) -> Iterator[Seen]:
        """All that is shown, parents before children. A question for each of their facts would take seconds."""
        windows = [window for program in tuple(self._registry.programs) for window in self._children(program)]
        waiting = [(window, window) for window in windows]
        while waiting:
            source, window = waiting.pop(0)
            try:
                (words,) = self._call(source, ACCESSIBLE, "GetState")
                states = frozenset(32 * n + bit for n, word in enumerate(words) for bit in range(32) if word >> bit & 1)
                if SHOWING not in states:
                    continue
                ((_, name),) = self._call(source, PROPERTIES, "Get", "ss", (ACCESSIBLE, "Name"))
            except RuntimeError:
                continue  # it is there no more
            yield source, name, states, window
            waiting[:0] = [(child, window) for child in self._children(source)]

    def _thing(self, source: Source, name: str, states: frozenset[int], window: Source) -> Thing | None:
        try:
            (role,) = self._call(source, ACCESSIBLE, "GetRoleName")
            role = RENAMED_ROLES.get(role, role)
        except RuntimeError:
            return None
        place = self._place(source)
        return None if place is None else Thing(name, role, place, states, source, window)

    def _place(self, source: Source) -> Place | None:
        try:
            (extents,) = self._call(source, COMPONENT, "GetExtents", "u", (ON_SCREEN,))
        except RuntimeError:
            return None
        return Place(*extents)

    def _children(self, source: Source) -> list[Source]:
        try:
            (children,) = self._call(source, ACCESSIBLE, "GetChildren")
        except RuntimeError:
            return []
        return [child for child in children if child[1] != "/org/a11y/atspi/null"]

    def _call(self, source: Source, interface: str, method: str, signature: str = "", body: Any = ()) -> Any:
        assert self._connection is not None
        address = DBusAddress(source[1], bus_name=source[0], interface=interface)
        message = new_method_call(address, method, signature or None, body)
        reply = self._connection.send_and_get_reply(message, timeout=PATIENCE_SECONDS)
        if reply.header.message_type == MessageType.error:
            raise RuntimeError(f"{method} failed: {reply.body}")
        return reply.body
