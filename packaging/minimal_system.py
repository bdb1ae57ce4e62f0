"""A minimal Debian system in a folder, in which commands run as root or as a user. Needs root's rights."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

USER = "somebody"
USER_ID = 1000
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
CONNECTION_FILES = ("/etc/resolv.conf", "/etc/hosts")
# Variables by which this machine reaches package indexes. No folder of certificates: the system has its own.
CONNECTION = re.compile(r"(PIP_\w+|(https?|no|all)_proxy|SSL_CERT_FILE|REQUESTS_CA_BUNDLE)", re.IGNORECASE)
GIVEN = "/opt/given"
"""Folder in the system for copies of this machine's files that the settings name."""


class SystemFailed(Exception):
    """A minimal system could not be made. The text says why."""


def find_missing_rights() -> str | None:
    """Why no minimal system can be made here, or None."""
    if sys.platform != "linux" or os.geteuid():
        return "minimal systems are made on Linux, with root's rights, for the mounts and chroot"
    missing = [name for name in ("mmdebstrap", "unshare", "chroot") if shutil.which(name, path=SYSTEM_PATH) is None]
    return f"{', '.join(missing)} missing" if missing else None


def pip_settings() -> dict[str, str]:
    """This machine's settings of pip as variables, so that a new system reaches the same package index."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    found = re.findall(r"^(?:global|user|site|install)\.([\w-]+)='(.*)'$", listed.stdout, re.MULTILINE)
    return {f"PIP_{name.upper().replace('-', '_')}": value for name, value in found} | {
        name: value for name, value in os.environ.items() if CONNECTION.fullmatch(name)
    }


def local_indexes(settings: Mapping[str, str]) -> list[Path]:
    """Folders of this machine that the settings name as package indexes."""
    folders = []
    for word in " ".join(settings.values()).split():
        path = Path(word.removeprefix("file://"))
        if path.is_absolute() and path.is_dir():
            # The pages of an index lead to files in a folder beside them.
            folders.append(path.parent if word.startswith("file://") and len(path.parts) > 3 else path)
    return list(dict.fromkeys(folders))


class MinimalSystem:
    """The system in `root`, which has a user without rights. `caches` keeps what pip fetched, for the next system."""

    def __init__(self, root: Path, caches: Path) -> None:
        self.root = root
        self._caches = caches
        self._settings = pip_settings()

    def create(self, archive: Path) -> None:
        """Create it from a tar of a system with apt and Python alone. Raises SystemFailed."""
        self.root.mkdir(parents=True)
        _run(["tar", "--extract", "--file", str(archive), "--directory", str(self.root), "--exclude=./dev/*"])
        for name in CONNECTION_FILES:
            shutil.copyfile(name, self.root / name.lstrip("/"))
        given = self.root / GIVEN.lstrip("/")
        given.mkdir(parents=True)
        for variable, value in self._settings.items():
            if value.startswith("/") and Path(value).is_file():
                shutil.copyfile(value, given / variable)
                self._settings[variable] = f"{GIVEN}/{variable}"
        self.run_checked("apt-get -qq update && apt-get -qq install -y --no-install-recommends python3 ca-certificates")
        self.run_checked(f"useradd --create-home --uid {USER_ID} {USER}")

    def copy_checkout(self, checkout: Path, owner: str) -> str:
        """Copy the files of a checkout that git knows into `owner`'s home. Returns the folder's path in the system."""
        inside = f"{self.home(owner)}/dragoman"
        target = self.root / inside.lstrip("/")
        listed = _run(["git", "-C", str(checkout), "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        for name in filter(None, listed.split("\0")):
            if (source := checkout / name).is_file():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target / name)
        self.run_checked(f"chown -R {owner}:{owner} {inside}")
        return inside

    @staticmethod
    def home(user: str) -> str:
        """A user's home in the system."""
        return "/root" if user == "root" else f"/home/{user}"

    def command(self, line: str, user: str = "root") -> list[str]:
        """The command line that runs a line of the shell in the system; signals reach the program of the line."""
        root = shlex.quote(str(self.root))
        cache = f"/var/cache/pip-{user}"
        (self._caches / user).mkdir(parents=True, exist_ok=True)
        os.chown(self._caches / user, *([0, 0] if user == "root" else [USER_ID, USER_ID]))
        script = ["set -e", f"mount -t proc proc {root}/proc", f"mount -t tmpfs -o mode=755 dev {root}/dev"]
        script += [f"touch {root}/dev/{name} && mount --bind /dev/{name} {root}/dev/{name}" for name in DEVICES]
        script.append(f"mkdir -m 1777 {root}/dev/shm && ln -s /proc/self/fd {root}/dev/fd")  # noqa: S108 - folders of the system's own
        script.append(_mount_line(self._caches / user, root + cache))
        # What is this machine's cannot be changed from inside.
        for folder in local_indexes(self._settings):
            target = root + shlex.quote(str(folder))
            script += [_mount_line(folder, target), f"mount -o remount,bind,ro {target}"]
        variables = {
            **self._settings,
            "HOME": self.home(user),
            "PATH": SYSTEM_PATH,
            "LANG": "C.UTF-8",
            "PIP_CACHE_DIR": cache,
        }
        settings = " ".join(shlex.quote(f"{name}={value}") for name, value in variables.items())
        script.append(f"exec chroot --userspec={user}:{user} {root} env -i {settings} sh -c {shlex.quote(line)}")
        return ["unshare", "--mount", "bash", "-c", "\n".join(script)]

    def run_checked(self, line: str) -> None:
        """Run a line of the shell as root. Raises SystemFailed."""
        _run(self.command(line))


def _mount_line(source: Path, target: str) -> str:
    return f"mkdir -p {target} && mount --bind {shlex.quote(str(source))} {target}"


def _run(command: Sequence[str]) -> str:
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        raise SystemFailed(f"`{' '.join(command)[:300]}` failed:\n{ran.stdout}{ran.stderr}")
    return ran.stdout
