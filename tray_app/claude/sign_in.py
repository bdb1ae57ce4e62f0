"""Signing in with the CLI's own `claude auth login`. What it then has stays its own: nothing of it is read here.

CLI 2.1.330 needs no terminal for it. It opens the browser by itself, where it finds one, on a page that comes back to
the CLI alone; for all others it writes `https://...` to stdout, a page that shows a code, and reads the code from
stdin. A code that cannot be one it answers on stderr, and waits on; it exits with 0 once the person is signed in.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from server.backends.claude_cli.transport import parent_death
from server.backends.claude_cli.transport.command_line import build_environment
from server.config.own_commands import sign_in_hint
from server.core.errors import CliNotFound, NotSignedIn
from server.core.tasks import spawn

DESKTOP = (
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "BROWSER",
    "DESKTOP_SESSION",
    "KDE_FULL_SESSION",
    "GNOME_DESKTOP_SESSION_ID",
)
"""What a program needs to open a browser on Linux; the processes that answer requests do not get it."""
STOP_SECONDS = 3.0
LAST_WORDS_SECONDS = 5.0
KEPT = 8192

_URL = re.compile(r"https?://[^\s\x1b]+")
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\].*?(?:\x07|\x1b\\)")


def sign_in_environment(outer: Mapping[str, str]) -> dict[str, str]:
    """What the server's CLI processes get, and the way to a browser."""
    return build_environment(outer) | {name: outer[name] for name in DESKTOP if name in outer}


class SignIn:
    """One attempt. `run` it as a task, and cancel that to give up; `on_change` is called when there is news.

    `console` signs in for an account that pays by use, instead of one with a plan.
    """

    def __init__(
        self, path: Path, outer: Mapping[str, str], *, console: bool = False, on_change: Callable[[], None]
    ) -> None:
        self.url = ""
        """The page to sign in on; empty until the CLI names it."""
        self.complaint = ""
        """What the CLI has against the code that it was given."""
        self.checking = False
        """Whether the CLI has a code and has not answered."""
        self._path = path
        self._command = [str(path), "auth", "login", *(["--console"] if console else [])]
        self._environment = sign_in_environment(outer)
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._said = ""
        self._complaints = ""

    async def run(self) -> None:
        """Return when the person is signed in. Raises CliNotFound, and NotSignedIn with what the CLI said."""
        self._process = process = await self._start()
        reading = [
            spawn(self._read(process.stdout, self._hear), name="sign in: stdout"),
            spawn(self._read(process.stderr, self._hear_complaint), name="sign in: stderr"),
        ]
        try:
            code = await process.wait()
            if code != 0:
                # Why may not be read yet. A browser that it has started may hold the pipes open.
                await asyncio.wait(reading, timeout=LAST_WORDS_SECONDS)
        finally:
            for task in reading:
                task.cancel()
            await _end(process)
        if code != 0:
            raise self._failure(code)

    def submit(self, code: str) -> None:
        """Give the CLI the code that the page shows."""
        if self._process is None or self._process.stdin is None or self._process.stdin.is_closing():
            return
        self.complaint, self.checking = "", True
        # One line: what follows a line break would be the next answer.
        self._process.stdin.write("".join(code.split()).encode() + b"\n")
        self._on_change()

    async def _start(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env=self._environment,
                cwd=self._path.parent,
                **parent_death.start_options(),
            )
        except OSError as error:
            message = f"Claude Code could not be started from {self._path}: {error.strerror}."
            raise CliNotFound(message, hint="Choose the program in Settings.") from error
        parent_death.bind_to_parent(process.pid)
        return process

    async def _read(self, stream: asyncio.StreamReader | None, hear: Callable[[str], None]) -> None:
        while stream is not None and (data := await stream.read(KEPT)):
            hear(_ESCAPES.sub("", data.decode(errors="replace")))
            self._on_change()

    def _hear(self, text: str) -> None:
        self._said = (self._said + text)[-KEPT:]
        # Whatever follows it ends it: half an address must not be opened.
        found = _URL.search(self._said)
        if not self.url and found and found.end() < len(self._said):
            self.url = found.group()

    def _hear_complaint(self, text: str) -> None:
        self._complaints = (self._complaints + text)[-KEPT:]
        self.complaint, self.checking = _last_line(self._complaints), False

    def _failure(self, code: int) -> NotSignedIn:
        why = _last_line(self._complaints) or _last_line(self._said) or f"it exited with status {code}"
        return NotSignedIn(f"Sign-in failed: {why.rstrip('.')}.", hint=sign_in_hint(self._path))


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the CLI, not its group: the browser that it has opened is the person's."""
    if process.stdin is not None:
        process.stdin.close()
    for step in (process.terminate, process.kill):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            step()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_SECONDS)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2].strip()
