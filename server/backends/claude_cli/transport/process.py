"""One `claude` process: start it, read its lines, write to it, end it."""

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
    """A running CLI. `on_message` gets each line, `on_exit` the end, once, whatever its reason.

    It dies with this program, however that dies: see `parent_death`.
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
        # All three are pipes, see _create.
        self._stdin = cast(asyncio.StreamWriter, process.stdin)
        self._stdout = cast(asyncio.StreamReader, process.stdout)
        self._stderr = cast(asyncio.StreamReader, process.stderr)
        self._on_message = on_message
        self._on_exit = on_exit
        self._stderr_tail = b""
        self._wire_error = ""
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
        """Start the CLI. Raises `CliNotFound` when it cannot be run."""
        starting = spawn(_create_process(command, environment, directory), name="start claude")
        try:
            process = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Else the process would be nobody's.
            await _kill_unclaimed(starting)
            raise
        if isinstance(process, OSError):
            raise CliNotFound(
                f"Claude Code could not be started from {command[0]}: {process.strerror}.",
                hint=f"Install it, or set claude_path to its place; `{own_command('doctor')}` tells more.",
            ) from process
        return cls(process, config_directory(environment), directory, on_message, on_exit)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def stderr(self) -> str:
        """The last that it wrote to stderr, some 8 kB at most."""
        return self._stderr_tail.decode(errors="replace").strip()

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
        """End it now, with all that it has started. For one that would go on spending the user's tokens."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """End it: end of input, then terminate, then kill, with time between the steps. Returns when it is gone."""
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
            # A program that it has started may hold the pipes open; nobody waits for that.
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
            self._wire_error = f"it wrote what is not its protocol ({error})"
        except Exception:
            log.exception("a line of claude %d could not be handled", self.pid)
            self._wire_error = "a line of it could not be handled"
        else:
            if await self._exits_soon():
                return
            self._wire_error = "it closed its output"
        self.kill()

    async def _exits_soon(self) -> bool:
        """Whether the process ends by itself, as it should after its output: its status says why, a kill does not."""
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
        message = f"The Claude Code process {how} in the middle of its work{': ' + why if why else ''}."
        return ProcessDied(message, exit_code=code, stderr=self.stderr, hint="Send the request again.")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


class _Protocol(asyncio.subprocess.SubprocessStreamProtocol):
    """Hears of the end itself: asyncio's `wait` returns only when all pipes are closed too."""

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit, loop)
        self.ended = asyncio.Event()

    def process_exited(self) -> None:
        self.ended.set()
        super().process_exited()


class _Process(asyncio.subprocess.Process):
    """A process whose end and transport can be reached."""

    def __init__(
        self, transport: asyncio.SubprocessTransport, protocol: _Protocol, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(transport, protocol, loop)
        self.transport = transport
        self.ended = protocol.ended


async def _create_process(
    command: Sequence[str], environment: Mapping[str, str], directory: Path
) -> _Process | OSError:
    """Start the process; a failure is a value, since the task that runs this would log it as a bug of ours."""
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
