"""Debian systems with nothing but their essential packages, to install packages in."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from project import ROOT
from recipe import BuildFailed, report

CACHE = ROOT / ".cache" / "systems"
CHROOT = "/usr/sbin/chroot"  # not on the path of the program's own environment
USER_ID = 1000


@dataclass(frozen=True, slots=True)
class CleanSystem:
    """A system in the folder `root`. Paths below it name the same files inside and outside."""

    root: Path

    def run(self, *command: str) -> str:
        """Run a command as root, and return its output. Raises BuildFailed."""
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_ALL": "C.UTF-8",
        }
        inside = ["chroot", str(self.root), *command]
        ran = subprocess.run(inside, capture_output=True, text=True, env=environment)
        if ran.returncode:
            raise BuildFailed(f"{' '.join(command)} fails in a clean system:\n{ran.stdout}{ran.stderr}")
        return ran.stdout

    def install(self, package: Path) -> None:
        """Install a package with what it depends on. Raises BuildFailed."""
        copy = Path(shutil.copy(package, self.root / "opt"))
        self.run("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", str(copy))
        copy.unlink()

    def make_starter(self, path: Path, *command: str, user: bool) -> Path:
        """Write a program that runs `command` inside, as `user` with the folder HOME or as root. Returns its path."""
        ids = f"{USER_ID}:{USER_ID}"
        own, change = (f'chown -R {ids} "$HOME" && ', f"--userspec={ids} ") if user else ("", "")
        path.write_text(f'#!/bin/sh\n{own}exec {CHROOT} {change}{self.root} {" ".join(command)} "$@"\n')
        path.chmod(0o755)
        return path


@contextmanager
def clean_system(release: str) -> Iterator[CleanSystem]:
    """Unpack a Debian system for the `with` block, with a user and apt's lists. Needs root. Raises BuildFailed."""
    archive = provide_archive(release)
    # Short, because sockets are in there, whose paths may have 107 bytes.
    root = Path(tempfile.mkdtemp(prefix="deb-"))
    try:
        root.chmod(0o755)
        subprocess.run(["tar", "-xf", str(archive), "-C", str(root)], check=True)
        # Paths below the root are to be valid inside as well: there, its own path leads back to the top.
        inside = root / root.relative_to("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.symlink_to(os.path.relpath(root, inside.parent))
        shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
        subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")], check=True)
        system = CleanSystem(root)
        system.run("useradd", "--create-home", "--uid", str(USER_ID), "user")
        system.run("apt-get", "update", "--quiet")
        yield system
    finally:
        # Nothing of the machine is mounted there that could be removed with the folder.
        subprocess.run(["umount", "--lazy", str(root / "proc")], capture_output=True)
        shutil.rmtree(root)


def provide_archive(release: str) -> Path:
    """The archive of a release's essential packages, made by mmdebstrap at the first use. Raises BuildFailed."""
    archive = CACHE / f"{release}.tar"
    if archive.exists():
        return archive
    report(f"making a clean system of {release}")
    CACHE.mkdir(parents=True, exist_ok=True)
    part = archive.with_suffix(".part.tar")
    try:
        made = subprocess.run(["mmdebstrap", "--variant=minbase", release, str(part)], capture_output=True, text=True)
    except FileNotFoundError:
        raise BuildFailed("mmdebstrap is missing; Debian and Ubuntu have it in the package of that name") from None
    if made.returncode:
        part.unlink(missing_ok=True)
        raise BuildFailed(f"mmdebstrap cannot make a system of {release}:\n{made.stderr}")
    part.replace(archive)
    return archive
