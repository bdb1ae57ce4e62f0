"""Builds packages: `dev.py package [--check] [--output DIR] [kind...]`.

Each kind is a module of `kinds/` with `KIND`. A kind is built after those that it needs; `--check` also runs its
checks. A kind that this system cannot build is an error if it was named, and is left out otherwise.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from project import ROOT, read_project
from recipe import Build, BuildFailed, Kind, format_size, report

MODULES = (
    "wheel", "bundle", "deb", "appimage", "flatpak", "windows_zip", "windows_installer", "macos_app", "macos_dmg",
    "sbom", "checksums",
)  # fmt: skip
"""Modules of `kinds/`, in the order in which packages are built."""


def list_kinds() -> dict[str, Kind]:
    """Import every kind, in building order."""
    kinds: list[Kind] = [import_module(f"kinds.{module}").KIND for module in MODULES]
    return {kind.name: kind for kind in kinds}


def choose_kinds(named: Sequence[str], kinds: Mapping[str, Kind]) -> list[Kind]:
    """Kinds to build, in order: those named with what they need, or all that this system can build by itself.

    Raises BuildFailed if a named kind cannot be built here.
    """
    possible = [name for name, kind in kinds.items() if not kind.named_only and kind.missing() is None]
    wanted = set(_with_needs(named or possible, kinds))
    chosen = [kind for name, kind in kinds.items() if name in wanted]
    for kind in chosen:
        if (missing := kind.missing()) is not None:
            raise BuildFailed(f"{kind.name} cannot be built here: {missing}")
    return chosen


def _with_needs(names: Iterable[str], kinds: Mapping[str, Kind]) -> Iterable[str]:
    for name in names:
        yield from _with_needs(kinds[name].needs, kinds)
        yield name


def build_all(chosen: Iterable[Kind], build: Build, *, check: bool) -> None:
    """Build the kinds, and check each if `check`. Raises BuildFailed at the first that fails."""
    for kind in chosen:
        started = time.monotonic()
        artefact = kind.build(build)
        build.artefacts[kind.name] = artefact
        report(f"{kind.name}: {artefact} ({format_size(artefact)}, {time.monotonic() - started:.0f} s)")
        if check:
            started = time.monotonic()
            kind.check(build, artefact)
            report(f"{kind.name}: checked ({time.monotonic() - started:.0f} s)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what the command line names. Returns the exit code."""
    kinds = list_kinds()
    parser = argparse.ArgumentParser(prog="dev.py package", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="kind", help=", ".join(kinds), default=[])
    parser.add_argument("--check", action="store_true", help="prove what was built: install it, run it, remove it")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="folder for the packages (dist)")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.kinds).difference(kinds):
        parser.error(f"unknown kind {', '.join(sorted(unknown))}; there are: {', '.join(kinds)}")
    output: Path = chosen.output.absolute()
    output.mkdir(parents=True, exist_ok=True)
    try:
        build_all(choose_kinds(chosen.kinds, kinds), Build(read_project(), output), check=chosen.check)
    except BuildFailed as error:
        report(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
