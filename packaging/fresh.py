"""Tries dev.py in minimal Debian systems: `dev.py fresh [--as USER] [suite...]`.

Each system has apt and Python alone. The commands run as root, who gets what is missing installed, and as a user
without sudo, who is told the line that installs it. Prints a table of what each took.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from linux.clean_system import provide_archive
from minimal_system import USER, MinimalSystem, SystemFailed, find_missing_rights
from project import ROOT
from recipe import BuildFailed

SUITES = ("bookworm", "trixie")
TEST = "tests/core/test_transcript.py"
TIMEOUT_S = 1800
ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)")


class StepFailed(Exception):
    """A command did not do what it should. The text has its output."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command of dev.py: its exit code, and the patterns that its output must have.

    `serves` asks the server that it starts for an answer, then ends it.
    """

    arguments: str
    patterns: tuple[str, ...] = ()
    code: int = 0
    serves: Callable[[str], None] | None = None
    before: str = ""
    """A line of the shell that root runs before."""
    variables: str = ""


def ask_demo(url: str) -> None:
    """Send a request to the demo, which needs no key."""
    body = {"model": "sonnet", "messages": [{"role": "user", "content": "Hello"}]}
    request = urllib.request.Request(  # noqa: S310 - an address of this machine
        f"{url}/v1/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
        said = json.load(answer)["choices"][0]["message"]["content"]
    if "Hello" not in said:
        raise StepFailed(f"the demo answered {said!r}")


def ask_health(url: str) -> None:
    """Ask a server for its state."""
    with urllib.request.urlopen(f"{url}/health", timeout=120) as answer:  # noqa: S310
        json.load(answer)


WITH_SERVER = (
    Step("demo", ("Try it in another terminal",), serves=ask_demo),
    Step("run serve --port 0", serves=ask_health),
    Step("run --version", (r"dragoman \d",)),
)
AFTER_SETUP = (Step(f"test {TEST}", (r"\d+ passed",)), Step("package wheel", (r"wheel: .*\.whl",)))
STEPS = {
    "root": (*WITH_SERVER, Step("setup", ("installing the system packages", "ready: ")), *AFTER_SETUP),
    USER: (
        Step("demo", ("lacks the modules venv", r"sudo apt-get install python3\.\d+-venv"), code=1),
        Step(
            WITH_SERVER[0].arguments,
            WITH_SERVER[0].patterns,
            serves=ask_demo,
            before="apt-get -qq install -y --no-install-recommends python3-venv",
        ),
        *WITH_SERVER[1:],
        Step(
            "run",
            ("sudo apt-get install .*libegl1.*libxcb-cursor0", "the window cannot be shown"),
            code=1,
            variables="DISPLAY=:99",
        ),
        Step("setup", ("sudo apt-get install .*xvfb", "ready: ")),
        *AFTER_SETUP,
    ),
}


def run_step(system: MinimalSystem, checkout: str, user: str, step: Step) -> None:
    """Run one command. Raises StepFailed."""
    if step.before:
        system.run_checked(step.before)
    line = f"cd {checkout} && {step.variables} exec python3 dev.py {step.arguments}"
    command = system.command(line, user)
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with child:
        output = _follow(child, step)
    if step.serves is None and child.returncode != step.code:
        raise StepFailed(f"exit code {child.returncode} instead of {step.code}:\n{output}")
    if step.serves is not None and child.returncode not in (0, 130):
        raise StepFailed(f"exit code {child.returncode} at its end:\n{output}")
    for pattern in step.patterns:
        if re.search(pattern, output) is None:
            raise StepFailed(f"the output lacks {pattern!r}:\n{output}")


def _follow(child: "subprocess.Popen[str]", step: Step) -> str:
    """Read the output to its end; once a server listens, ask and end it."""
    assert child.stdout is not None  # noqa: S101 - a pipe
    output, asked = "", False
    deadline = time.monotonic() + TIMEOUT_S
    for line in child.stdout:
        output += line
        if time.monotonic() > deadline:
            child.kill()
        if step.serves is not None and not asked and "listening on" in line and (url := ADDRESS.search(line)):
            asked = True
            try:
                step.serves(url[1])
            finally:
                child.terminate()
    if step.serves is not None and not asked:
        raise StepFailed(f"it did not listen:\n{output}")
    return output


def try_user(system: MinimalSystem, suite: str, user: str) -> list[tuple[str, float, str]]:
    """Run all steps as one user; return what each took in seconds, and its failure."""
    checkout = system.copy_checkout(ROOT, user)
    results = []
    for step in STEPS[user]:
        started, failure = time.monotonic(), ""
        try:
            run_step(system, checkout, user, step)
        except (StepFailed, OSError, ValueError, KeyError) as error:
            failure = str(error)
        name = f"{suite}, {user}: {step.variables} {step.arguments}".replace("  ", " ")
        results.append((name, time.monotonic() - started, failure))
        print(f"fresh: {results[-1][1]:6.1f} s  {'FAILED' if failure else 'ok':6}  {name}", flush=True)
        if failure:
            print(failure, flush=True)
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Try dev.py in the systems that the command line names. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="dev.py fresh", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="suite", default=SUITES, help=f"Debian's ({' '.join(SUITES)})")
    parser.add_argument("--as", dest="users", choices=STEPS, action="append", help="root or somebody; otherwise both")
    chosen = parser.parse_args(arguments)
    if (reason := find_missing_rights()) is not None:
        print(f"fresh: {reason}", file=sys.stderr)
        return 1
    failed = 0
    with tempfile.TemporaryDirectory(prefix="dragoman-fresh-") as name:
        Path(name).chmod(0o755)  # the user's home is in it
        for suite in chosen.suites:
            for user in chosen.users or STEPS:
                system = MinimalSystem(Path(name) / "root", Path(name) / "pip")
                try:
                    system.create(provide_archive(suite))
                    failed += sum(1 for _, _, failure in try_user(system, suite, user) if failure)
                except (SystemFailed, BuildFailed) as error:
                    print(f"fresh: {error}", file=sys.stderr)
                    return 1
                finally:
                    shutil.rmtree(system.root, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
