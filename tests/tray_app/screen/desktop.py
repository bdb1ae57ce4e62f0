"""A desktop without a person: a real screen, a window manager, a tray and a keyring, all of its own.

Everything runs with a temporary home and ends with the `with` block. Needs the packages that dev.py names in
DESKTOP_TEST_PACKAGES.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, TypeVar

import psutil

from tests.environment import made_environment

T = TypeVar("T")

SIZE = "1280x800x24"
TRAY = "^trayer$"
PATIENCE_SECONDS = 90.0
END_SECONDS = 30.0
# Once in a long while trayer does not get its window mapped. It is not what is tested.
TRAY_STARTS = 6
TRAY_SECONDS = 10.0
CLICKS = 20
CLICK_SECONDS = 3.0
# The tooltip of a tray icon is lower, and its menu higher.
MENU_HEIGHT = 120
# A window's own words on where it is and those of the X server may differ by what the window manager draws around it.
DECORATION = 60
PASSWORD = "the password of this test's keyring"

# The bus starts nothing by itself but what asks for a keyring's password, so that all there is was started here.
BUS = """<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <servicedir>{services}</servicedir>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
PROMPTER = """[D-BUS Service]
Name=org.gnome.keyring.SystemPrompter
Exec=/usr/libexec/gcr-prompter
"""
ADDRESS = 'echo "$DBUS_SESSION_BUS_ADDRESS"; exec '
KEYRING = "gnome-keyring-daemon --unlock --foreground --components=secrets"
NO_KEYRING = "sleep infinity"
# For programs of the tests: a busy bus has a minute to let them in, where the usual second would mean no keyring.
PATIENT_KEYRING = """
from functools import partial
import keyring, secretstorage
secretstorage.open_dbus_connection = partial(secretstorage.open_dbus_connection, auth_timeout=60)
"""


class Place(NamedTuple):
    """A rectangle of the screen, in pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> tuple[int, int]:
        """Where to click."""
        return self.x + self.width // 2, self.y + self.height // 2

    def holds(self, other: "Place") -> bool:
        """Whether `other` is smaller, something to be seen, and all in here."""
        across = self.x <= other.x and other.x + other.width <= self.x + self.width
        down = self.y <= other.y and other.y + other.height <= self.y + self.height
        return across and down and 8 <= other.width < self.width and other.height >= 8

    def holds_middle(self, other: "Place") -> bool:
        """Whether the middle of `other` is in here."""
        x, y = other.middle
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def is_about(self, other: "Place") -> bool:
        """Whether both are a window's place, with or without its decoration."""
        return all(abs(mine - theirs) <= DECORATION for mine, theirs in zip(self, other, strict=True))


class WindowGone(Exception):
    """There is no such window any more."""


class Desktop:
    """`with Desktop() as desktop:`; `environment` is what the application is to be started with, by `start`.

    Without `keyring` nothing keeps secrets there.
    """

    def __init__(self, *, keyring: bool = True) -> None:
        self._keyring = keyring
        # Short, because sockets are in there, whose paths may have 107 bytes.
        self.root = Path(tempfile.mkdtemp(prefix="dgm-"))
        self.home = self.root / "home"
        self.environment: dict[str, str] = {}
        self._processes: list[subprocess.Popen[bytes]] = []
        self._tray: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Desktop":
        try:
            self._set_up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what was started here, the last one first, and remove its files."""
        for process in reversed(self._processes):
            end(process)
        until(self._nothing_is_left)
        shutil.rmtree(self.root, ignore_errors=True)

    def _nothing_is_left(self) -> bool:
        """Kill what is left. What is killed takes a moment to end, and may have begun something meanwhile."""
        left = self.leftovers()
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        return not left

    def start(
        self, command: Sequence[str], *, name: str = "", input: bytes = b"", **environment: str
    ) -> "subprocess.Popen[bytes]":
        """Start a process of this desktop, in a process group of its own; its words go to the file `<name>.log`."""
        log = self.log(name or Path(command[0]).name)
        with log.open("ab") as file:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                env=self.environment | environment,
                start_new_session=True,
            )
        self._processes.append(process)
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(input)
        return process

    def log(self, name: str) -> Path:
        """Where the words of the process of that name are."""
        return self.root / f"{name}.log"

    def leftovers(self) -> list[psutil.Process]:
        """Running processes that have this desktop's home, whoever started them."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    @property
    def bus(self) -> str:
        """The address of the session's message bus."""
        return self.environment["DBUS_SESSION_BUS_ADDRESS"]

    def lock_keyring(self) -> None:
        """Have the keyring ask for its password, which is `PASSWORD`, from now on."""
        login = "array:objpath:/org/freedesktop/secrets/collection/login"
        self.run(
            *("dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"),
            *("org.freedesktop.Secret.Service.Lock", login),
        )

    # What a person does

    def click(self, x: int, y: int, button: int = 1, times: int = 1) -> None:
        """Click there; button 3 opens menus. Several `times` belong together, as a double click."""
        # Not with --sync, which waits for a movement, also where the pointer is there already.
        repeated = ("--repeat", str(times), "--delay", "20")
        self.xdotool("mousemove", str(x), str(y), "click", *repeated, str(button))

    def keys(self, *names: str) -> None:
        """Press keys one after the other, as `ctrl+f` or `Return`."""
        self.xdotool("key", "--delay", "30", *names)

    def type(self, text: str) -> None:
        """Type a text."""
        self.xdotool("type", "--delay", "10", text)

    def choose_in_tray(self, steps_up: int) -> None:
        """Open the first tray icon's menu, and choose the entry so many steps up from its end (1 is the last)."""
        before = set(self.windows(".*"))
        menu = self._click_tray_icon(3, lambda: self._menu(before))
        self.keys(*["Up"] * steps_up, "Return")
        until(lambda: menu not in self.windows(".*"))

    def open_from_tray(self, window: str) -> int:
        """Click on the first tray icon, and return the window of that name that it brings."""
        return self._click_tray_icon(1, lambda: next(iter(self.windows(window)), None))

    def _click_tray_icon(self, button: int, result: Callable[[], int | None]) -> int:
        """A click that comes while the icon is being drawn anew, or moves to its place, is lost: one clicks again."""
        for _ in range(CLICKS):
            self.click(*until(self.tray_icons)[0].middle, button=button)
            with contextlib.suppress(TimeoutError):
                return until(result, CLICK_SECONDS)
        raise TimeoutError("nothing comes of a click on the tray icon")

    def _menu(self, before: set[int]) -> int | None:
        """What was opened since, and is no tooltip."""
        opened = [(window, place) for window, place in self._places(".*") if window not in before]
        return next((window for window, place in opened if place.height >= MENU_HEIGHT), None)

    # What a person sees

    def screenshot(self, path: Path) -> Path:
        """The whole screen as a picture."""
        self.run("import", "-window", "root", str(path))
        return path

    def windows(self, name: str, *, by: str = "name") -> list[int]:
        """The visible windows whose name (or `by="class"`) matches that expression."""

        def search() -> list[int] | None:
            ended = self._ended("xdotool", "search", "--onlyvisible", f"--{by}", name)
            # It gives up, and says nothing of those that are there, when a window goes while it looks.
            return None if "X Error" in ended.stderr else [int(line) for line in ended.stdout.split()]

        return until(lambda: (found,) if (found := search()) is not None else None)[0]

    def place(self, window: int) -> Place:
        """Where a window is. Raises WindowGone."""
        shown = self.xdotool("getwindowgeometry", "--shell", str(window), check=False)
        values = {key: int(value) for key, value in re.findall(r"^(\w+)=(-?\d+)$", shown, re.MULTILINE)}
        try:
            return Place(values["X"], values["Y"], values["WIDTH"], values["HEIGHT"])
        except KeyError:
            raise WindowGone(window) from None

    def _places(self, name: str, *, by: str = "name") -> list[tuple[int, Place]]:
        """The visible windows that are still there when their place is asked for, and that place."""
        found = []
        for window in self.windows(name, by=by):
            with contextlib.suppress(WindowGone):
                found.append((window, self.place(window)))
        return found

    def shows_window(self, place: Place) -> bool:
        """Whether a window is visible there. A program has one before the window manager has found it a place."""
        return any(shown.is_about(place) for _, shown in self._places(".+"))

    def active_window(self) -> int | None:
        """The window that has the keyboard."""
        found = self.xdotool("getactivewindow", check=False).strip()
        return int(found) if found else None

    def activated(self, name: str) -> int:
        """The window of that name, once it has the keyboard."""
        return until(lambda: window if (window := self.active_window()) in self.windows(name) else None)

    def tray_icons(self) -> list[Place]:
        """Where the icons in the tray are, from left to right."""
        panels = [place for _, place in self._places(TRAY, by="class")]
        places = sorted(place for _, place in self._places(".*"))
        icons: list[Place] = []
        for place in places:
            # An icon lies in a window of the tray's, which is as large.
            if any(panel.holds(place) for panel in panels) and not (icons and icons[-1].holds_middle(place)):
                icons.append(place)
        return icons

    # What all that is made of

    def run(self, *command: str, check: bool = True) -> str:
        """Run a program of the desktop to its end; what it said."""
        ended = self._ended(*command)
        if check and ended.returncode:
            raise RuntimeError(f"{' '.join(command)} failed: {ended.stderr}")
        return ended.stdout

    def _ended(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS)

    def xdotool(self, *words: str, check: bool = True) -> str:
        """What xdotool answers."""
        return self.run("xdotool", *words, check=check)

    def _set_up(self) -> None:
        self.environment = desktop_environment(self.home, self.root / "run")
        self.environment["DISPLAY"] = self._start_screen()
        self.start(["openbox", "--sm-disable"])
        until(self._has_window_manager)
        bus = self._start_bus()
        # What belongs to the whole system is on the same one: nothing may reach the real one.
        self.environment |= {"DBUS_SESSION_BUS_ADDRESS": bus, "DBUS_SYSTEM_BUS_ADDRESS": bus}
        if self._keyring:
            until(lambda: self.has_service("org.freedesktop.secrets"))
        self.start_tray()

    def _has_window_manager(self) -> bool:
        """Whether it heeds what is asked of it; it answers questions some time before, and misses windows then."""
        self.xdotool("set_num_desktops", "1", check=False)
        return self.xdotool("get_num_desktops", check=False).strip() == "1"

    def start_tray(self) -> None:
        """The program that shows tray icons. It is there already, unless it was ended."""
        words = "--edge bottom --align right --widthtype request --height 28 --SetDockType true"
        for _ in range(TRAY_STARTS):
            tray = self.start(["trayer", *words.split()])
            with contextlib.suppress(TimeoutError):
                until(self._panels, TRAY_SECONDS)
                self._tray = tray
                return
            end(tray)
        raise RuntimeError(f"no tray came: {self.log('trayer').read_text()}")

    def end_tray(self) -> None:
        """Have no program that shows tray icons, as on a desktop without one."""
        if self._tray is not None:
            end(self._tray)
        until(lambda: not self._panels())

    def _start_screen(self) -> str:
        reader, writer = os.pipe()
        try:
            # -r: a key whose release is late, on a busy machine, would be repeated.
            command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", SIZE, "-nolisten", "tcp", "-noreset", "-r"]
            process = subprocess.Popen(
                command,
                pass_fds=[writer],
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            self._processes.append(process)
        finally:
            os.close(writer)
        with os.fdopen(reader) as file:
            number = file.readline().strip()
        assert number, "Xvfb did not start"
        return f":{number}"

    def _start_bus(self) -> str:
        configuration = self.root / "bus.conf"
        services = self.root / "services"
        services.mkdir()
        (services / "prompter.service").write_text(PROMPTER)
        configuration.write_text(BUS.format(socket=self.root / "bus", services=services))
        command = ["dbus-run-session", f"--config-file={configuration}", "--", "sh", "-c"]
        command.append(ADDRESS + (KEYRING if self._keyring else NO_KEYRING))
        self.start(command, name="bus", input=PASSWORD.encode())
        return until(lambda: re.search(r"^unix:\S+", self.log("bus").read_text(), re.MULTILINE))[0]

    def has_service(self, name: str) -> bool:
        """Whether somebody on the bus goes by that name."""
        bus = ["--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner"]
        return "true" in self.run("dbus-send", "--session", "--print-reply", *bus, f"string:{name}", check=False)

    def _panels(self) -> list[int]:
        return self.windows(TRAY, by="class")

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.status() != psutil.STATUS_ZOMBIE and process.environ().get("HOME") == str(self.home)
        except psutil.Error:
            return False


def desktop_environment(home: Path, runtime: Path) -> dict[str, str]:
    """The environment of a session with a screen and a keyring that works, for programs below `home`."""
    environment = made_environment(home, os.environ)
    runtime.mkdir(mode=0o700)
    # Or the keyring that refuses would be taken, and the screen of whoever runs the tests.
    for name in ("PYTHON_KEYRING_BACKEND", "WAYLAND_DISPLAY", "XDG_CURRENT_DESKTOP", "SESSION_MANAGER"):
        environment.pop(name, None)
    return environment | {"QT_QPA_PLATFORM": "xcb", "XDG_SESSION_TYPE": "x11", "XDG_RUNTIME_DIR": str(runtime)}


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process that was started in a group of its own, and its group. One that has ended is left alone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)


def until(condition: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """What the condition gives as soon as it gives something. Raises TimeoutError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError("it did not happen")
        time.sleep(0.05)
    return value
