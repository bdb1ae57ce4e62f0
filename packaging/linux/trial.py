"""The trial of a Debian package in a clean system: install, use, upgrade while it runs, remove, purge."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from linux.clean_system import CleanSystem, clean_system
from project import ROOT, Project
from recipe import BuildFailed, report
from smoke import LISTENING, SIMULATING, SmokeFailed, check_server, find_cli, quit_program, run, started, wait_for

from tests.environment import made_environment, simulated_account
from tests.tray_app.screen.desktop import Desktop
from tray_app.arguments import PAGES

SHIFT = 4096
"""Bytes by which the modules of the newer program lie elsewhere."""


def make_newer(project: Project, package: Path, work: Path) -> Path:
    """Make a package of a higher version from `package`, whose program has another layout. Returns the file."""
    from PyInstaller.archive.readers import CArchiveReader  # type: ignore[import-untyped]

    root = work / "root"
    work.mkdir(parents=True)
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(root)], check=True)
    control = root / "DEBIAN" / "control"
    control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1+newer", control.read_text(encoding="utf-8")), "utf-8")
    program = root / "usr" / "lib" / project.name / project.name
    start = CArchiveReader(str(program))._start_offset
    content = program.read_bytes()
    program.write_bytes(content[:start] + bytes(SHIFT) + content[start:])
    newer = work / f"newer_{package.name}"
    command = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(root), str(newer)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(root)
    return newer


def try_package(project: Project, release: str, package: Path, newer: Path) -> None:
    """Try the package in a clean system of `release`, and its upgrade to `newer`. Raises BuildFailed, SmokeFailed."""
    with clean_system(release) as system:
        cli = system.root / "opt" / "claude"
        shutil.copy(find_cli(), cli)
        command = ("/usr/bin/env", f"DRAGOMAN_CLAUDE_PATH={cli}", project.name)
        system.install(package)
        # As root, since the bus of the smoke test's desktop lets nobody else in; the upgrade is tried as a user.
        smoke_test(system, system.make_starter(system.root / "opt" / "as-root", *command, user=False))
        home = system.root / "home" / "user"
        starter = system.make_starter(system.root / "opt" / "as-user", *command, user=True)
        try_upgrade(project, system, [str(starter)], newer, home)
        try_removal(project, system, newer, home)
    report(f"deb: installed, used, upgraded while running, removed and purged in {release}")


def smoke_test(system: CleanSystem, starter: Path) -> None:
    """Run the smoke test, with its home inside the system. Raises BuildFailed."""
    environment = os.environ | {"TMPDIR": str(system.root / "tmp")}
    command = [sys.executable, str(ROOT / "packaging" / "smoke.py"), str(starter)]
    tested = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
    if tested.returncode:
        raise BuildFailed(f"the installed package does not work: {tested.stderr}")
    report(f"deb: {tested.stderr.strip()}")


def try_upgrade(project: Project, system: CleanSystem, command: list[str], newer: Path, home: Path) -> None:
    """Upgrade while the window runs: it goes on, and the new program finds the user's data. Raises SmokeFailed."""
    logs = system.root / "opt"
    with ExitStack() as stack:
        desktop = stack.enter_context(Desktop(keyring=False))
        environment = made_environment(home, os.environ) | {"DRAGOMAN_KEY_STORAGE": "file", "LC_ALL": "C.UTF-8"}
        simulator = [sys.executable, "-m", "tests.simulator"]
        url = stack.enter_context(started(simulator, environment, SIMULATING, logs / "simulator.log", cwd=ROOT)).found
        environment |= simulated_account(url) | {"PATH": os.defpath, "DISPLAY": desktop.environment["DISPLAY"]}
        key = run(command, environment, "key")
        log = logs / "window.log"
        with started([*command, "--port", "0"], environment, LISTENING, log) as program:
            system.install(newer)
            check_server(command, environment, program.found)
            for page in PAGES:  # most are imported only now
                run(command, environment, "--page", page)
                wait_for(lambda: desktop.windows(f"^{project.title}"), f"the window with the page {page}")
            check_server(command, environment, program.found)
            quit_program(command, environment, program)
        if "Traceback" in (text := log.read_text("utf-8", "replace")):
            raise SmokeFailed(f"after an upgrade the running program fails:\n{text}")
        if run(command, environment, "key") != key:
            raise SmokeFailed("after an upgrade the program has another API key")
        with started([*command, "serve", "--port", "0"], environment, LISTENING, logs / "serve.log") as program:
            check_server(command, environment, program.found)


def try_removal(project: Project, system: CleanSystem, package: Path, home: Path) -> None:
    """Remove and purge the package: nothing of it is left, and the user's data stays. Raises BuildFailed."""
    kept = contents(home)
    for action in ("remove", "purge"):
        system.install(package)  # for the second time, since apt purges only what is installed or left
        files = [Path(line) for line in system.run("dpkg", "--listfiles", project.name).splitlines()]
        system.run("apt-get", action, "--quiet", "--yes", project.name)
        if left := [path for path in files if not is_removed(system.root, path)]:
            raise BuildFailed(f"apt-get {action} leaves {left[0]}")
        if contents(home) != kept:
            raise BuildFailed(f"apt-get {action} touches the user's files")


def contents(folder: Path) -> dict[str, str]:
    """Checksums of all files below a folder, by path."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def is_removed(root: Path, path: Path) -> bool:
    """Whether a package's file is gone. Folders may belong to other packages as well."""
    inside = root / path.relative_to("/")
    return not os.path.lexists(inside) or (inside.is_dir() and not inside.is_symlink())
