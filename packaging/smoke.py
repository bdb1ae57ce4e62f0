"""One smoke test for every package: `python packaging/smoke.py COMMAND...`, where COMMAND starts the installed program.

It runs in a made environment: a temporary home, a key that is none, and the simulated Messages API, used by the real
Claude Code CLI. The window is looked for on a screen, because `--version`, `key` and `doctor` work in packages whose
window and server do not.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import psutil
from project import ROOT, read_project

sys.path.insert(0, str(ROOT))

from tests.environment import made_environment, simulated_account

T = TypeVar("T")

PATIENCE_SECONDS = 90.0
LISTENING = re.compile(r"^listening on (http://\S+)", re.MULTILINE)
SIMULATING = re.compile(r"^simulator listening on (\S+)", re.MULTILINE)
MIN_COLOURS = 50
"""A window with texts and icons has more; one that was not drawn has one or two."""
PROMPT = "smoke test"


class SmokeFailed(Exception):
    """The package does not work. The text says what failed, with the program's output."""


def run_smoke_test(
    command: Sequence[str],
    *,
    window: bool | Sequence[str] = True,
    variables: Mapping[str, str] | None = None,
    signals: bool = sys.platform != "win32",
) -> None:
    """Use the program that `command` starts, and end it. Raises SmokeFailed.

    `window` is whether it has one, or the command that starts it with one; that is looked at on Linux, where a screen
    can be made. `variables` are added to its environment. Without `signals`, as on Windows, nothing but the program's
    own command asks it to end.
    """
    with made_account() as (home, environment), ExitStack() as stack:
        environment |= variables or {}
        try:
            check_commands(command, environment)
            end = None if signals else partial(run, command, environment, "quit")
            serve = [*command, "serve", "--port", "0"]
            with started(serve, environment, LISTENING, home / "serve.log", end=end) as address:
                check_server(command, environment, address)
            wait_for_end(home, environment)
            if window and sys.platform == "linux":
                display = stack.enter_context(screen(home / "screen.log"))
                start = command if window is True else window
                check_window(start, command, environment | {"DISPLAY": display}, home)
                wait_for_end(home, environment)
        except SmokeFailed as error:
            logs = "\n".join(f"--- {log.name}\n{log.read_text('utf-8', 'replace')}" for log in home.glob("*.log"))
            raise SmokeFailed(f"{error}\n{logs}") from None


@contextmanager
def made_account() -> Iterator[tuple[Path, dict[str, str]]]:
    """Make a temporary home, and the environment of programs there: a simulated account, and the real CLI."""
    with tempfile.TemporaryDirectory(prefix="dragoman-smoke-") as name:
        home = Path(name)
        environment = made_environment(home, os.environ) | {"DRAGOMAN_KEY_STORAGE": "file", "LC_ALL": "C.UTF-8"}
        for variable in ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "QT_QPA_PLATFORM", "VIRTUAL_ENV", "PYTHONPATH"):
            environment.pop(variable, None)
        simulator = [sys.executable, "-m", "tests.simulator"]
        with started(simulator, environment, SIMULATING, home / "simulator.log", cwd=ROOT) as url:
            # Only the system's programs: no Python of a virtual environment, and no other `claude`.
            account = simulated_account(url) | {"DRAGOMAN_CLAUDE_PATH": str(find_cli()), "PATH": os.defpath}
            yield home, environment | account


def check_commands(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run the commands that end by themselves."""
    version = read_project().version
    if version not in (printed := run(command, environment, "--version")):
        raise SmokeFailed(f"--version prints {printed!r}, not {version}")
    if len(run(command, environment, "key").strip()) < 20:
        raise SmokeFailed("`key` does not print the API key")
    if "database" not in (printed := run(command, environment, "doctor")):
        raise SmokeFailed(f"`doctor` does not report the database:\n{printed}")


def check_server(command: Sequence[str], environment: Mapping[str, str], address: str) -> None:
    """Ask a running server for its health, and for one answer by Claude Code."""
    with urllib.request.urlopen(f"{address}/health", timeout=PATIENCE_SECONDS) as reply:  # noqa: S310 - loopback
        if reply.status != 200:
            raise SmokeFailed(f"/health answers {reply.status}")
    key = run(command, environment, "key").strip()
    body = {"model": "sonnet", "messages": [{"role": "user", "content": PROMPT}]}
    request = urllib.request.Request(  # noqa: S310
        f"{address}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as reply:  # noqa: S310
            text = json.load(reply)["choices"][0]["message"]["content"]
    except urllib.error.HTTPError as error:
        raise SmokeFailed(f"a request fails: {error.read().decode('utf-8', 'replace')}") from error
    if PROMPT not in text:  # the simulator repeats what it is told
        raise SmokeFailed(f"a request is answered with {text!r}")


def check_window(start: Sequence[str], command: Sequence[str], environment: Mapping[str, str], home: Path) -> None:
    """See the window that `start` opens, use its server, start the program a second time, and quit it."""
    title, end = read_project().title, partial(run, command, environment, "quit")
    with started([*start, "--port", "0"], environment, LISTENING, home / "window.log", end=end) as address:
        search = ["xdotool", "search", "--onlyvisible", "--name", title]
        found = wait_for(lambda: output_of(search, environment).split(), f"a window called {title}")
        picture = home / "window.png"

        def is_drawn() -> bool:
            output_of(["import", "-window", found[-1], str(picture)], environment)
            colours = output_of(["convert", str(picture), "-format", "%k", "info:"], environment)
            return colours.isdigit() and int(colours) >= MIN_COLOURS

        wait_for(is_drawn, "anything to be seen in the window")
        check_server(command, environment, address)
        run(start, environment)  # ends, because the first start shows its window
        if not output_of(search, environment).split():
            raise SmokeFailed("after a second start the window is gone")


@contextmanager
def started(
    command: Sequence[str],
    environment: Mapping[str, str],
    line: re.Pattern[str],
    log: Path,
    *,
    cwd: Path | None = None,
    end: Callable[[], object] | None = None,
) -> Iterator[str]:
    """Run a program for the `with` block, which gets the group of `line` in its output.

    It must end when `end` or, by default, the system asks it to.
    """
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file, cwd=cwd or log.parent)
    try:

        def find_line() -> str | None:
            if process.poll() is not None:
                raise SmokeFailed(f"{' '.join(command)} has ended with {process.returncode}")
            found = line.search(log.read_text("utf-8", "replace"))
            return found[1] if found else None

        yield wait_for(find_line, f"`{line.pattern}` from {' '.join(command)}")
        (end or process.terminate)()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise SmokeFailed(f"{' '.join(command)} does not end") from None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@contextmanager
def screen(log: Path) -> Iterator[str]:
    """Run an X server for the `with` block, which gets its display."""
    reading, writing = os.pipe()
    with log.open("wb") as file, open(reading, encoding="ascii") as numbers:
        server = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
        process = subprocess.Popen(server, pass_fds=[writing], stdout=file, stderr=file)
        os.close(writing)
        try:
            if not (number := numbers.readline().strip()):
                raise SmokeFailed("Xvfb does not start")
            yield f":{number}"
        finally:
            process.terminate()
            process.wait()


def wait_for_end(home: Path, environment: Mapping[str, str]) -> None:
    """Wait until nothing is left of a program that has ended: the CLI's processes, and wine's own."""
    url = environment["ANTHROPIC_BASE_URL"]
    wait_for(lambda: not processes_of(home, url), "the end of all processes")


def processes_of(home: Path, url: str) -> list[str]:
    """Processes in the made home, but for the simulator."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            own = process.environ()
            if own.get("HOME") == str(home) and own.get("ANTHROPIC_BASE_URL") == url:
                found.append(f"{process.pid} {' '.join(process.cmdline())}")
    return found


def run(command: Sequence[str], environment: Mapping[str, str], *arguments: str) -> str:
    """Run the program to its end. Returns its output; raises SmokeFailed if it fails."""
    words = [*command, *arguments]
    try:
        ran = _capture_output(words, environment)
    except subprocess.TimeoutExpired:
        raise SmokeFailed(f"{' '.join(words)} does not end") from None
    if ran.returncode:
        raise SmokeFailed(f"{' '.join(words)} fails ({ran.returncode}):\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def output_of(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Output of a tool, whether or not it succeeds."""
    return _capture_output(command, environment).stdout.strip()


def _capture_output(command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=PATIENCE_SECONDS,
    )


def wait_for(ask: Callable[[], T | None], awaited: str) -> T:
    """Ask until the answer is true, and return it. Raises SmokeFailed after the patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise SmokeFailed(f"waited for {awaited} in vain")
        time.sleep(0.2)
    return answer


def find_cli() -> Path:
    """The real `claude`: the one in the environment's packages, else the one on PATH. Raises SmokeFailed."""
    name = "claude.exe" if sys.platform == "win32" else "claude"
    spec = find_spec("claude_agent_sdk")
    bundled = Path(spec.origin).parent / "_bundled" / name if spec and spec.origin else None
    if bundled and bundled.is_file():
        return bundled
    if found := shutil.which(name):
        return Path(found)
    raise SmokeFailed("there is no Claude Code to test with: install the extra `bundled-cli`")


def main() -> int:
    """Test the program that the command line names. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-window", action="store_true", help="the program is installed without a window")
    parser.add_argument("command", nargs="+", help="the words that start the program")
    arguments = parser.parse_args()
    try:
        run_smoke_test(arguments.command, window=not arguments.no_window)
    except SmokeFailed as error:
        print(f"smoke test: {error}", file=sys.stderr)
        return 1
    print("smoke test: passed", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
