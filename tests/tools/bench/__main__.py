"""`python -m tests.tools.bench`: the server beside the CLI itself and beside the simulator direct, in one run.

A machine is never quite idle: look at the ratios first, which compare what ran within the same moments.
"""

import argparse
import asyncio
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.tools.bench.measurements import FAILED, MEASUREMENTS, measure
from tests.tools.bench.report import table
from tests.tools.bench.scene import Scene, find_claude, set_up


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of every measurement (each has its own number)")
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value into a file as well")
    parser.add_argument("--claude-path", type=Path, metavar="FILE", help="the CLI; without it the bundled one")
    return parser.parse_args(arguments)


def machine(scene: Scene) -> str:
    """Describe the machine and versions in one line."""
    version = subprocess.run(
        [scene.claude, "--version"], env=scene.cli_environment, capture_output=True, text=True, check=True
    ).stdout.strip()
    # Others' work makes every figure worse, and the more so the more processes an answer goes through.
    load = psutil.getloadavg()[0]
    system = f"{platform.system()}, {os.cpu_count()} cores, load {load:.1f} before"
    return f"{system}; Python {platform.python_version()}, CLI {version}"


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for, and print the table; 1 if something of it could not be measured."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        tempfile.TemporaryDirectory(prefix="dragoman-bench-", ignore_cleanup_errors=True) as home,
        set_up(find_claude(options.claude_path), Path(home)) as scene,
    ):
        measured_on = machine(scene)
        rows = asyncio.run(measure(scene, options.only or list(MEASUREMENTS), options.rounds))
    print(f"{measured_on}\n\n{table(rows)}")
    if options.json:
        report = {"machine": measured_on, "rows": [row.as_json() for row in rows]}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return int(any(row.note == FAILED for row in rows))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
