"""The program as a process of its own, run to its end or kept running."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

# No Claude Code process is started ahead, and no keyring is looked for.
QUIET = {"DRAGOMAN_SPARES": "0", "DRAGOMAN_KEY_STORAGE": "file"}
ROOT = Path(__file__).parents[2]

# `os.write` gets through where there is no `sys.stderr`.
_WITHOUT_CONSOLE = """
import os, sys, traceback
from {package}.__main__ import main
for name in ("stdin", "stdout", "stderr"):
    setattr(sys, name, None)
    setattr(sys, f"__{{name}}__", None)
try:
    code = main(sys.argv[1:])
except Exception:
    os.write(2, traceback.format_exc().encode())
    code = 99
sys.exit(code)
"""


def without_console(package: str) -> tuple[str, str]:
    """Code that starts a package's program as Windows does without a console. Errors go to file descriptor 2."""
    return "-c", _WITHOUT_CONSOLE.format(package=package)


def run(
    *arguments: str, stdin: str = "", program: Sequence[str] = ("-m", "server"), **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run the program to its end; `stdin` is what it reads, `program` what Python runs."""
    return subprocess.run(
        [sys.executable, *program, *arguments],
        env=os.environ | QUIET | variables,
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@dataclass(frozen=True)
class Running:
    """A process that has said where it listens; `second` is the other line that it says."""

    process: "subprocess.Popen[str]"
    url: str
    second: str

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal and wait: exit code, and the rest of standard output and standard error."""
        self.process.send_signal(number)
        out, err = rest_of(self.process)
        return self.process.returncode, out, err


def rest_of(process: "subprocess.Popen[str]", timeout: float = 120) -> tuple[str, str]:
    """Read the remaining standard output and standard error (empty without a pipe) until the process has ended.

    Not `communicate`, which reads the pipes themselves: a line that was read before may have brought more of the output
    with it, which waits in the file object. A process that does not end within `timeout` seconds is killed: raises
    TimeoutExpired.
    """
    with ThreadPoolExecutor(2) as readers:
        texts = [readers.submit(pipe.read) if pipe else None for pipe in (process.stdout, process.stderr)]
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()  # or its output would never end
            raise
    out, err = (text.result() if text else "" for text in texts)
    return out, err


@contextmanager
def started(*command: str, stdin: int | None = None, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    """A Python process whose output can be read; killed at the end if it still runs.

    With a descriptor to read from it gets a session of its own, so that no other terminal is its own.
    """
    with subprocess.Popen(
        [sys.executable, *command],
        env=os.environ | QUIET | {"PYTHONPATH": str(ROOT)} | variables,
        cwd=ROOT,
        stdin=stdin,
        start_new_session=stdin is not None,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@contextmanager
def serving(*arguments: str, **variables: str) -> Iterator[Running]:
    """`serve` on any free port, once it listens."""
    with started("-m", "server", "serve", "--port", "0", *arguments, **variables) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        assert first.startswith("listening on http://"), process.stderr.read()
        yield Running(process, first.removeprefix("listening on ").strip(), process.stdout.readline().strip())


def status(url: str, key: str | None = None) -> int:
    """The HTTP status of a GET."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)) as connection:
        connection.request("GET", parts.path, headers={"x-api-key": key} if key else {})
        return connection.getresponse().status
