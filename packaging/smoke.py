"""One smoke test for every package: `python packaging/smoke.py COMMAND...`, where COMMAND starts the installed program.

It runs in a made environment: a temporary home, a key that is none, and the simulated Messages API, used by the real
Claude Code CLI. On Linux the window is looked for on a desktop of its own, with a tray and a keyring, because
`--version`, `key` and `doctor` work in packages whose window and server do not.
"""

import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil
from project import ROOT, read_project

sys.path.insert(0, str(ROOT))

from server.backends.claude_cli.transport.locate import find_bundled, locate_cli
from server.core.errors import CliNotFound
from tests.environment import made_environment, simulated_account
from tests.tray_app.screen.desktop import Desktop

T = TypeVar("T")

PATIENCE_SECONDS = 180.0
"""Wine takes a minute for a start on a busy machine."""
LISTENING = re.compile(r"^listening on (http://\S+)", re.MULTILINE)
SIMULATING = re.compile(r"^simulator listening on (\S+)", re.MULTILINE)
MIN_COLOURS = 50
"""A window with texts and icons has more; one that was not drawn has one or two."""
PROMPT = "smoke test"
STARTS = 3
"""How often the start is measured, for its median."""


class SmokeFailed(Exception):
    """The package does not work. The text says what failed, with the program's output."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What `serve` takes: seconds until it listens, and MB of memory then, None where the system does not tell."""

    seconds: float
    megabytes: float | None

    def __str__(self) -> str:
        memory = "" if self.megabytes is None else f", {self.megabytes:.0f} MB of memory"
        return f"listens after {self.seconds:.2f} s{memory}"


def run_smoke_test(
    command: Sequence[str],
    *,
    window: bool | Sequence[str] = True,
    variables: Mapping[str, str] | None = None,
    own_command: str | None = None,
) -> Figures:
    """Use the program that `command` starts, and quit it. Returns figures; raises SmokeFailed.

    `window` is whether it has one, or another command that opens it; that is looked at on Linux, where a desktop can be
    made. `variables` are added to its environment. `own_command` is what its messages must tell the user to run.
    """
    with made_account(window=bool(window), variables=variables) as (home, environment, desktop):
        try:
            check_commands(command, environment, keyring=desktop is not None)
            figures = check_serve(command, environment, home / "serve.log")
            if own_command and f"'{own_command} key'" not in (home / "serve.log").read_text("utf-8"):
                raise SmokeFailed(f"`serve` does not name {own_command}")
            if desktop is not None:
                check_window(command if window is True else window or (), command, environment, desktop)
            url = environment["ANTHROPIC_BASE_URL"]
            wait_for(lambda: not processes_of(home, url), "the end of all processes")
            check_leftovers(home)
        except (SmokeFailed, TimeoutError) as error:
            logs = "\n".join(f"--- {log.name}\n{log.read_text('utf-8', 'replace')}" for log in home.glob("*.log"))
            raise SmokeFailed(f"{error}\n{logs}") from None
    return figures


@contextmanager
def made_account(
    *, window: bool = False, variables: Mapping[str, str] | None = None
) -> Iterator[tuple[Path, dict[str, str], Desktop | None]]:
    """Make a home, the environment of programs there with a simulated account, and a desktop for a `window`."""
    with ExitStack() as stack:
        desktop = stack.enter_context(Desktop()) if window and sys.platform == "linux" else None
        if desktop is not None:
            home, environment = desktop.home, dict(desktop.environment)
        else:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dragoman-smoke-")))
            environment = made_environment(home, os.environ) | {"DRAGOMAN_KEY_STORAGE": "file"}
            for name in ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"):
                environment.pop(name, None)
        for name in ("VIRTUAL_ENV", "PYTHONPATH"):
            environment.pop(name, None)
        simulator = [sys.executable, "-m", "tests.simulator"]
        url = stack.enter_context(started(simulator, environment, SIMULATING, home / "simulator.log", cwd=ROOT)).found
        # Only the system's programs: no Python of a virtual environment, and no other `claude`.
        environment |= simulated_account(url) | {"DRAGOMAN_CLAUDE_PATH": str(find_cli()), "PATH": os.defpath}
        environment |= {"LC_ALL": "C.UTF-8"} | dict(variables or {})
        yield home, environment, desktop


def check_commands(command: Sequence[str], environment: Mapping[str, str], *, keyring: bool) -> None:
    """Run the commands that end by themselves. `keyring` is whether there is one, which must keep the key."""
    version = read_project().version
    if version not in (printed := run(command, environment, "--version")):
        raise SmokeFailed(f"--version prints {printed!r}, not {version}")
    if len(run(command, environment, "key").strip()) < 20:
        raise SmokeFailed("`key` does not print the API key")
    if "database" not in (printed := run(command, environment, "doctor")):
        raise SmokeFailed(f"`doctor` does not report the database:\n{printed}")
    if keyring and "in the system keyring" not in printed:
        raise SmokeFailed(f"`doctor` does not find the API key in the keyring:\n{printed}")


def check_serve(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Figures:
    """Start the server without a window several times, use it, and quit it. Returns its figures."""
    figures = []
    for number in range(STARTS):
        began = time.monotonic()
        with started([*command, "serve", "--port", "0"], environment, LISTENING, log) as server:
            figures.append(Figures(time.monotonic() - began, memory_of(server.process)))
            if number == 0:
                check_server(command, environment, server.found)
            quit_program(command, environment, server)
    memory = [figure.megabytes for figure in figures if figure.megabytes is not None]
    seconds = statistics.median(figure.seconds for figure in figures)
    return Figures(seconds, statistics.median(memory) if memory else None)


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


def check_window(
    start: Sequence[str], command: Sequence[str], environment: Mapping[str, str], desktop: Desktop
) -> None:
    """See the window that `start` opens and the icon in the tray, use the server, and start the program a second time.

    Then the same from a start that shows no window, as at login. Raises SmokeFailed and TimeoutError.
    """
    title = f"^{read_project().title}"

    def is_drawn() -> bool:
        picture = desktop.home / "window.png"
        desktop.run("import", "-window", str(desktop.windows(title)[-1]), str(picture))
        return int(desktop.run("convert", str(picture), "-format", "%k", "info:")) >= MIN_COLOURS

    for options in ([], ["--hidden"]):
        starting = started([*start, "--port", "0", *options], environment, LISTENING, desktop.home / "window.log")
        with starting as program:
            wait_for(desktop.tray_icons, "an icon in the tray")
            if options:
                if desktop.windows(title):
                    raise SmokeFailed("a hidden start shows a window")
                run(start, environment)  # ends, because the first start shows its window
            wait_for(lambda: desktop.windows(title), f"a window called {title}")
            wait_for(is_drawn, "anything to be seen in the window")
            if not options:
                check_server(command, environment, program.found)
            quit_program(command, environment, program)
        wait_for(lambda: not desktop.tray_icons(), "the end of the icon in the tray")


def check_leftovers(home: Path) -> None:
    """See that the program has left no lock and no socket behind."""
    left = [path for folder in home.rglob("running") for path in folder.iterdir()]
    left += [path for path in home.rglob("*") if path.is_socket()]
    if left:
        raise SmokeFailed(f"the program left behind: {', '.join(map(str, left))}")


def quit_program(command: Sequence[str], environment: Mapping[str, str], program: "Started") -> None:
    """Have `quit` end the program, and see that it has ended in order."""
    run(command, environment, "quit", "--timeout", str(PATIENCE_SECONDS))
    if (code := program.process.wait(PATIENCE_SECONDS)) != 0:
        raise SmokeFailed(f"after `quit` the program ends with {code}")


@dataclass(frozen=True, slots=True)
class Started:
    """A running program, and what was looked for in its output."""

    process: "subprocess.Popen[bytes]"
    found: str


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str], line: re.Pattern[str], log: Path, cwd: Path | None = None
) -> Iterator[Started]:
    """Run a program for the `with` block, which gets the group of `line` in its output. It must end when asked to."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file, cwd=cwd or log.parent)
    try:

        def find_line() -> str | None:
            if process.poll() is not None:
                raise SmokeFailed(f"{' '.join(command)} has ended with {process.returncode}")
            found = line.search(log.read_text("utf-8", "replace"))
            return found[1] if found else None

        yield Started(process, wait_for(find_line, f"`{line.pattern}` from {' '.join(command)}"))
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise SmokeFailed(f"{' '.join(command)} does not end") from None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def memory_of(process: "subprocess.Popen[bytes]") -> float | None:
    """Proportional share of memory in MB, where the system tells it."""
    with contextlib.suppress(psutil.Error):
        return getattr(psutil.Process(process.pid).memory_full_info(), "pss", 0) / 1e6 or None
    return None


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
        ran = subprocess.run(
            words,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise SmokeFailed(f"{' '.join(words)} does not end") from None
    if ran.returncode:
        raise SmokeFailed(f"{' '.join(words)} fails ({ran.returncode}):\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def wait_for(ask: Callable[[], T | None], awaited: str) -> T:
    """Ask until the answer is true, and return it. Raises SmokeFailed after the patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise SmokeFailed(f"waited for {awaited} in vain")
        time.sleep(0.02)
    return answer


def find_cli() -> Path:
    """The real `claude`: the one in the environment's packages, else the user's own. Raises SmokeFailed."""
    name = "claude.exe" if sys.platform == "win32" else "claude"
    if bundled := next((path for path in find_bundled(name) if path.is_file()), None):
        return bundled
    try:
        return locate_cli()
    except CliNotFound as error:
        raise SmokeFailed(f"there is no Claude Code to test with. {error.hint}") from error


def main() -> int:
    """Test the program that the command line names. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-window", action="store_true", help="the program is installed without a window")
    parser.add_argument("command", nargs="+", help="the words that start the program")
    arguments = parser.parse_args()
    try:
        figures = run_smoke_test(arguments.command, window=not arguments.no_window)
    except SmokeFailed as error:
        print(f"smoke test: {error}", file=sys.stderr)
        return 1
    print(f"smoke test: passed; {figures}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
