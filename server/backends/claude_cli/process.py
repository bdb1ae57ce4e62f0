"""One `claude` process: start it, read its lines, write to it, end it."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import psutil

from server.backends.claude_cli.wire import Incoming, LineFramer, WireError, decode
from server.errors import CliNotFound, ProcessDied
from server.tasks import spawn

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
STDERR_LINES = 40
STOP_STEP_SECONDS = 2.0


class CliProcess:
    """A running CLI. `on_message` gets each line, `on_exit` the end, once, whatever its reason.

    It dies with this program, however that dies: its stdin is a pipe that only this program holds, and at the end
    of its input the CLI exits at once, even in the middle of an answer (CLI 2.1.330: 16 ms).
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        on_message: Callable[[Incoming], None],
        on_exit: Callable[[ProcessDied], None],
    ) -> None:
        self._process = process
        # All three are pipes, see _start_whole.
        self._stdin = cast(asyncio.StreamWriter, process.stdin)
        self._stdout = cast(asyncio.StreamReader, process.stdout)
        self._stderr = cast(asyncio.StreamReader, process.stderr)
        self._on_message = on_message
        self._on_exit = on_exit
        self._complaints: deque[str] = deque(maxlen=STDERR_LINES)
        self._wire_error = ""
        self.exited = asyncio.Event()
        spawn(self._run(), name=f"claude {process.pid}")

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        *,
        on_message: Callable[[Incoming], None],
        on_exit: Callable[[ProcessDied], None],
    ) -> "CliProcess":
        """Start the CLI. Raises `CliNotFound` when it cannot be run."""
        try:
            process = await _start_whole(command, environment, directory)
        except OSError as error:
            raise CliNotFound(
                f"Claude Code could not be started from {command[0]}: {error.strerror}.",
                hint="Install it, or set claude_path to its place; `claude-code-tray doctor` tells more.",
            ) from error
        return cls(process, on_message, on_exit)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def stderr(self) -> str:
        """The last lines that it wrote to stderr."""
        return "\n".join(self._complaints)

    def memory_bytes(self) -> int:
        """Resident memory; 0 when it is gone."""
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(self.pid).memory_info().rss)
        return 0

    def write(self, *lines: bytes) -> None:
        """Send lines. What is written to a process that has ended is lost; its end is told by `on_exit`."""
        if not self._stdin.is_closing():
            self._stdin.writelines(lines)

    def kill(self) -> None:
        """End it now. For a process that would otherwise go on spending the user's tokens."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def stop(self) -> None:
        """End it: end of input, then terminate, then kill, with time between the steps. Returns when it is gone."""
        self._stdin.close()
        for step in (self._process.terminate, self._process.kill):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.exited.wait(), STOP_STEP_SECONDS)
                return
            with contextlib.suppress(ProcessLookupError):
                step()
        await self.exited.wait()

    async def _run(self) -> None:
        errors = spawn(self._read_stderr(), name=f"claude {self.pid} stderr")
        try:
            await self._read_stdout()
        except WireError as error:
            self._wire_error = str(error)
            self.kill()
        code = await self._process.wait()
        await errors
        self._stdin.close()
        self.exited.set()
        self._on_exit(self._death(code))

    async def _read_stdout(self) -> None:
        framer = LineFramer()
        while data := await self._stdout.read(READ_BYTES):
            for line in framer.feed(data):
                self._on_message(decode(line))

    async def _read_stderr(self) -> None:
        framer = LineFramer(max_line_bytes=1 << 20)
        with contextlib.suppress(WireError):
            while data := await self._stderr.read(READ_BYTES):
                self._complaints.extend(line.decode(errors="replace") for line in framer.feed(data))

    def _death(self, code: int) -> ProcessDied:
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        why = self._wire_error or (self._complaints[-1] if self._complaints else "")
        message = f"The Claude Code process {how} in the middle of its work{': ' + why if why else ''}."
        return ProcessDied(message, exit_code=code, stderr=self.stderr, hint="Send the request again.")


async def _start_whole(
    command: Sequence[str], environment: Mapping[str, str], directory: Path
) -> asyncio.subprocess.Process:
    """Start a process. Cancelled meanwhile, it is waited for and ended, else it would be nobody's."""
    starting = spawn(
        asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            cwd=directory,
            **_OWN_GROUP,
        ),
        name="start claude",
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        process = await starting
        process.kill()
        await process.communicate()
        raise


# A group of its own, so that Ctrl-C in the terminal reaches this program alone, which then stops its processes.
_OWN_GROUP: dict[str, Any] = (
    {"creationflags": 0x00000200 | 0x08000000} if sys.platform == "win32" else {"start_new_session": os.name == "posix"}
)
