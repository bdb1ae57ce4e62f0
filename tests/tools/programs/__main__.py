"""`python -m tests.tools.programs [NAME...]`: run real client programs without an account or network.

First what they need is installed, then all of them are run where there is no network.
"""

import argparse
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.tools.bench.scene import find_claude
from tests.tools.programs.alone import alone, raise_loopback
from tests.tools.programs.every import PROGRAMS
from tests.tools.programs.installing import NotInstalled, commands_of, install
from tests.tools.programs.program import Program
from tests.tools.programs.stage import staged
from tests.tools.programs.table import table
from tests.tools.programs.trying import Failed, Result, attempt

ROOT = Path(__file__).parents[3]
CACHE = ROOT / ".cache" / "clients"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options."""
    large = ", ".join(program.name for program in PROGRAMS.values() if program.large)
    parser = argparse.ArgumentParser(prog="dev.py clients", description="The real client programs against the product.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(PROGRAMS)}; without any all but the large ({large})"
    )
    parser.add_argument("--here", choices=["alone", "exposed"], help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - PROGRAMS.keys():
        parser.error(f"no such program: {', '.join(sorted(unknown))}; there are {', '.join(PROGRAMS)}")
    return options


def chosen(names: Sequence[str]) -> list[Program]:
    """The programs that are named, else all but the large ones."""
    return [one for one in PROGRAMS.values() if one.name in names or not (names or one.large)]


def install_all(programs: Sequence[Program]) -> Iterator[str]:
    """Install the programs' packages; the names of those that are there."""
    for program in programs:
        try:
            if program.package is not None:
                print(f"installing {', '.join(program.package.requirements)}", file=sys.stderr, flush=True)
                install(program.package, CACHE)
        except NotInstalled as error:
            print(f"{program.name} is not tried: {error}", file=sys.stderr)
        else:
            yield program.name


def version_of(program: Program) -> str:
    """The pin, or what a program of this machine says of itself."""
    if program.package is not None:
        return program.package.version
    said = subprocess.run([program.client, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d[\w.]*", said)
    return found[0] if found else "?"


def tried(program: Program, *, exposed: bool) -> Result:
    """Try one program with its own home and server; return the result."""
    result = Result(program.name, version_of(program))
    commands = commands_of(program.package, CACHE / program.package.directory) if program.package else None
    with (
        tempfile.TemporaryDirectory(prefix="dragoman-clients-", ignore_cleanup_errors=True) as home,
        staged(Path(home), commands, find_claude(None), alone=not exposed) as stage,
    ):
        print(f"running {program.name} {result.version}", file=sys.stderr, flush=True)
        try:
            program.set_up(stage)
        except Failed as failure:
            result.problems.append(f"it cannot be set up: {failure}")
        else:
            attempt(program, stage, result)
    return result


def main(arguments: Sequence[str]) -> int:
    """Run the programs and print the table; return 1 if one failed."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    programs = chosen(options.names)
    if options.here is None:
        names = list(install_all(programs))
        if not names:
            return 1
        again = [sys.executable, "-m", "tests.tools.programs", *names, "--here"]
        apart = alone([*again, "alone"])
        return max(subprocess.run(apart or [*again, "exposed"], cwd=ROOT).returncode, len(names) < len(programs))
    if options.here == "alone":
        raise_loopback()
    results = [tried(program, exposed=options.here == "exposed") for program in programs]
    print(table(results))
    return int(not all(result.well for result in results))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
