"""Sign-in with the CLI's own `claude auth login`. The credentials stay with the CLI; nothing here reads them.

CLI 2.1.330 needs no terminal for it. It opens a browser, if it finds one, on a page that redirects to the CLI. It also
writes the URL of a page that shows a code to stdout, and reads that code from stdin. It reports an invalid code on
stderr and waits for another one. It exits with 0 when the user is signed in.
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
"""Variables that a program needs to open a browser on Linux. Processes that serve requests do not get them."""
STOP_SECONDS = 3.0
OUTPUT_SECONDS = 5.0
KEPT_CHARACTERS = 8192

_URL = re.compile(r"https?://[^\s\x1b]+")
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\].*?(?:\x07|\x1b\\)")


def sign_in_environment(outer: Mapping[str, str]) -> dict[str, str]:
    """The environment of the server's CLI processes, with the variables for a browser."""
    return build_environment(outer) | {name: outer[name] for name in DESKTOP if name in outer}


class SignIn:
    """One attempt to sign in. Cancel the task of `run` to abort it. `on_change` is called when an attribute changes.

    `console` signs in to an account that pays per use instead of one with a plan.
    """

    def __init__(
        self, path: Path, outer: Mapping[str, str], *, console: bool = False, on_change: Callable[[], None]
    ) -> None:
        self.url = ""
        """URL of the sign-in page; empty until the CLI writes it."""
        self.code_error = ""
        """The CLI's error about the last code."""
        self.checking_code = False
        """Whether the CLI has received a code and not replied yet."""
        self._path = path
        self._command = [str(path), "auth", "login", *(["--console"] if console else [])]
        self._environment = sign_in_environment(outer)
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._output = ""
        self._error_output = ""

    async def run(self) -> None:
        """Return when the user is signed in. Raises CliNotFound, and NotSignedIn with the CLI's message."""
        self._process = process = await self._start_cli()
        reading = [
            spawn(self._read_stream(process.stdout, self._handle_output), name="sign in: stdout"),
            spawn(self._read_stream(process.stderr, self._handle_error_output), name="sign in: stderr"),
        ]
        try:
            code = await process.wait()
            if code != 0:
                # The reason may not be read yet; a browser that the CLI started may keep the pipes open.
                await asyncio.wait(reading, timeout=OUTPUT_SECONDS)
        finally:
            for task in reading:
                task.cancel()
            await _end_process(process)
        if code != 0:
            raise self._sign_in_error(code)

    def submit_code(self, code: str) -> None:
        """Pass the code from the page to the CLI."""
        if self._process is None or self._process.stdin is None or self._process.stdin.is_closing():
            return
        self.code_error, self.checking_code = "", True
        # One line: the CLI would read text after a line break as the next code.
        self._process.stdin.write("".join(code.split()).encode() + b"\n")
        self._on_change()

    async def _start_cli(self) -> asyncio.subprocess.Process:
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

    async def _read_stream(self, stream: asyncio.StreamReader | None, handle: Callable[[str], None]) -> None:
        while stream is not None and (data := await stream.read(KEPT_CHARACTERS)):
            handle(_ESCAPES.sub("", data.decode(errors="replace")))
            self._on_change()

    def _handle_output(self, text: str) -> None:
        self._output = (self._output + text)[-KEPT_CHARACTERS:]
        # The URL is complete when a character follows it; half a URL must not be opened.
        found = _URL.search(self._output)
        if not self.url and found and found.end() < len(self._output):
            self.url = found.group()

    def _handle_error_output(self, text: str) -> None:
        self._error_output = (self._error_output + text)[-KEPT_CHARACTERS:]
        self.code_error, self.checking_code = _last_line(self._error_output), False

    def _sign_in_error(self, code: int) -> NotSignedIn:
        why = _last_line(self._error_output) or _last_line(self._output) or f"it exited with status {code}"
        return NotSignedIn(f"Sign-in failed: {why.rstrip('.')}.", hint=sign_in_hint(self._path))


async def _end_process(process: asyncio.subprocess.Process) -> None:
    """End the CLI but not its process group: the browser that it has opened belongs to the user."""
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
