"""One `claude` process: start, read, write and end."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import psutil

from server.backends.claude_cli.transport import parent_death
from server.backends.claude_cli.transport.leftovers import remove_leftovers
from server.backends.claude_cli.transport.memory import added_memory
from server.backends.claude_cli.transport.user_settings import config_directory
from server.backends.claude_cli.transport.wire import Incoming, LineFramer, WireError, decode_line
from server.config.own_commands import own_command
from server.core.errors import CliNotFound, ProcessDied
from server.core.tasks import spawn

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
STDERR_BYTES = 8 * 1024
STOP_STEP_SECONDS = 2.0
EXIT_GRACE_SECONDS = 1.0


class CliProcess:
    """A running CLI. `on_message` gets each line; `on_exit` is called once.

    The process dies with this program, see `parent_death`.
    """

    def __init__(
        self,
        process: "_Process",
        config: Path,
        directory: Path,
        on_message: Callable[[Incoming], None],
        on_exit: Callable[[ProcessDied], None],
    ) -> None:
        self._process = process
        self._config = config
        self._directory = directory
        # All three are pipes, see `_create_process`.
        self._stdin = cast(asyncio.StreamWriter, process.stdin)
        self._stdout = cast(asyncio.StreamReader, process.stdout)
        self._stderr = cast(asyncio.StreamReader, process.stderr)
        self._on_message = on_message
        self._on_exit = on_exit
        self._stderr_tail = b""
        self._wire_error = ""
        self._killed = False
        self.exited = asyncio.Event()
        spawn(self._supervise(), name=f"claude {process.pid}")

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
        """Start the CLI. Raises `CliNotFound` if it cannot be run."""
        starting = spawn(_create_process(command, environment, directory), name="start claude")
        try:
            process = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Otherwise the process would leak.
            await _kill_unclaimed(starting)
            raise
        if isinstance(process, OSError):
            raise CliNotFound(
                f"Claude Code could not be started from {command[0]}: {process.strerror}.",
                hint=f"Install it, or correct claude_path. Run `{own_command('doctor')}` for details.",
            ) from process
        return cls(process, config_directory(environment), directory, on_message, on_exit)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def stderr(self) -> str:
        """The last 8 kB of its standard error."""
        return self._stderr_tail.decode(errors="replace").strip()

    @property
    def is_killed(self) -> bool:
        """Whether `kill` was called; the process may still be about to end."""
        return self._killed

    def memory_bytes(self) -> int:
        """Memory that the process adds to the others; 0 after the end."""
        return added_memory(self.pid)

    def resident_bytes(self) -> int:
        """Resident memory, including what it shares with the others; 0 after the end."""
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(self.pid).memory_info().rss)
        return 0

    def write(self, *lines: bytes) -> None:
        """Send lines. They are lost after the exit, which `on_exit` reports."""
        if not self._stdin.is_closing():
            self._stdin.writelines(lines)

    def kill(self) -> None:
        """Kill the process group, so that it spends no more of the user's tokens."""
        self._killed = True
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """End the process by end of input, SIGTERM, SIGKILL, and wait for its exit."""
        self._stdin.close()
        for step in (self._terminate, self.kill):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.exited.wait(), STOP_STEP_SECONDS)
                return
            step()
        await self.exited.wait()

    def _terminate(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    async def _supervise(self) -> None:
        reading = [
            spawn(self._read_stdout(), name=f"claude {self.pid} stdout"),
            spawn(self._read_stderr(), name=f"claude {self.pid} stderr"),
        ]
        try:
            await self._process.ended.wait()
            # A child of the process may hold the pipes open for longer.
            _, open_pipes = await asyncio.wait(reading, timeout=EXIT_GRACE_SECONDS)
            if open_pipes:
                self._process.transport.close()
        finally:
            for task in reading:
                task.cancel()
            self._stdin.close()
            self._on_exit(self._exit_error(self._process.returncode or 0))
            try:
                await asyncio.to_thread(remove_leftovers, self._config, self._directory, self.pid)
            finally:
                self.exited.set()

    async def _read_stdout(self) -> None:
        framer = LineFramer()
        try:
            while data := await self._stdout.read(READ_BYTES):
                for line in framer.feed(data):
                    self._on_message(decode_line(line))
        except WireError as error:
            self._wire_error = f"its output was invalid ({error})"
        except Exception:
            log.exception("a line of claude %d could not be handled", self.pid)
            self._wire_error = "a line of its output could not be handled"
        else:
            if await self._exits_soon():
                return
            self._wire_error = "it closed its output"
        self.kill()

    async def _exits_soon(self) -> bool:
        """Whether it exits by itself soon, with a status that says why."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.ended.wait(), EXIT_GRACE_SECONDS)
            return True
        return False

    async def _read_stderr(self) -> None:
        while data := await self._stderr.read(READ_BYTES):
            self._stderr_tail = (self._stderr_tail + data)[-STDERR_BYTES:]

    def _exit_error(self, code: int) -> ProcessDied:
        how = f"was ended by {_signal_name(-code)}" if code < 0 else f"ended with status {code}"
        last_line = self.stderr.rpartition("\n")[2]
        why = self._wire_error or last_line
        message = f"The Claude Code process {how} during its work{': ' + why if why else ''}."
        return ProcessDied(message, exit_code=code, stderr=self.stderr, hint="Send the request again.")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


class _Protocol(asyncio.subprocess.SubprocessStreamProtocol):
    """Reports the exit itself: asyncio's `wait` also waits for open pipes."""

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit, loop)
        self.ended = asyncio.Event()

    def process_exited(self) -> None:
        self.ended.set()
        super().process_exited()


class _Process(asyncio.subprocess.Process):
    """A process with access to its end and transport."""

    def __init__(
        self, transport: asyncio.SubprocessTransport, protocol: _Protocol, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(transport, protocol, loop)
        self.transport = transport
        self.ended = protocol.ended


async def _create_process(
    command: Sequence[str], environment: Mapping[str, str], directory: Path
) -> _Process | OSError:
    """Start the process. Errors are returned: `spawn` would log a raised one as a bug."""
    try:
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.subprocess_exec(
            lambda: _Protocol(limit=READ_BYTES, loop=loop),
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            cwd=directory,
            **parent_death.start_options(),
        )
        parent_death.bind_to_parent(transport.get_pid() or 0)
        return _Process(transport, protocol, loop)
    except OSError as error:
        return error


async def _kill_unclaimed(starting: "asyncio.Task[_Process | OSError]") -> None:
    process = await starting
    if not isinstance(process, OSError):
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
