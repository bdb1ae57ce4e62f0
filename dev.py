"""Commands for developers: `python3 dev.py run`, `test`, `check`, `soak`, `demo`, `bench`, and so on.

Each command first provides what it needs: a virtual environment in `.venv` with the pinned packages, and system
packages on Debian and Ubuntu. Standard library only, because it runs before anything is installed. The lines up to
the version check use no syntax newer than Python 3.6, so that an older Python can report that it is too old.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - dev.py is started by whatever `python3` is
    sys.exit(
        f"Dragoman needs Python 3.11 or newer; this is {sys.version_info[0]}.{sys.version_info[1]}. "
        "Install a newer one and start dev.py with it, for example: python3.11 dev.py"
    )

import argparse
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import time
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, NoReturn

# Modules that need the standard library alone.
import system_packages
from server.backends.claude_cli.transport import install_hint, locate

ROOT = Path(__file__).resolve().parent
WINDOWS = sys.platform == "win32"
STAMP = "dragoman.json"
BUILD_BACKEND = ("hatchling", "editables")

# Debian's names. Releases that renamed a package list the old name in its Provides field.
QT_PACKAGES = (
    "libgl1", "libegl1", "libxkbcommon0", "libglib2.0-0", "libfontconfig1", "libdbus-1-3", "libgssapi-krb5-2",
)  # fmt: skip
SCREEN_PACKAGES = (
    "libxcb-cursor0", "libxkbcommon-x11-0", "libxcb-icccm4", "libxcb-keysyms1", "libxcb-shape0",
)  # fmt: skip
DESKTOP_TEST_PACKAGES = (
    "xvfb", "xauth", "xdotool", "openbox", "trayer", "imagemagick", "gnome-keyring", "dbus", "dunst",
)  # fmt: skip
# For the libraries of a bundle, the image in an AppImage, and the installer of Windows.
PACKAGING_PACKAGES = ("binutils", "chrpath", "squashfs-tools", "squashfuse", "fuse3", "nsis")
TEST_PACKAGES = QT_PACKAGES + SCREEN_PACKAGES + DESKTOP_TEST_PACKAGES + PACKAGING_PACKAGES
# Validators of what packages install, and clean systems to install them in.
PACKAGE_CHECK_PACKAGES = (
    "appstream", "desktop-file-utils", "flatpak", "flatpak-builder", "flatpak-xdg-utils", "lintian", "mandoc",
    "mmdebstrap", "systemd",
)  # fmt: skip
FRESH_PACKAGES = ("mmdebstrap", "git")

# Each test process may run half a dozen CLI processes of some 200 MB.
MAX_TEST_PROCESSES = 8
# The check runs the store's tests once more with these arguments.
NEWER_SQLITE = ("-p", "tests.newer_sqlite", "tests/store")
# Kinds of packages that the check builds and tries: those that take a few minutes.
CHECKED_PACKAGES = ("wheel", "bundle")

TEST_EXTRAS = frozenset({"bundled-cli", "dev", "packaging", "tray"})


class Needs(NamedTuple):
    """Requirements of a command: extras and dependency groups of pyproject.toml, and Debian packages."""

    extras: Collection[str] = ()
    packages: Sequence[str] = ()


class Stamp(NamedTuple):
    """Record of a finished setup, stored in its environment: fingerprint of the inputs, and extras."""

    key: str
    extras: frozenset[str]


class SetupFailed(Exception):
    """Setup failed. The text gives the reason and the remedy."""


def say(text: str) -> None:
    """Print a message to standard error; standard output belongs to the started program."""
    print(f"dev.py: {text}", file=sys.stderr, flush=True)


# The system's packages


def installed_packages(listing: str) -> frozenset[str]:
    """Parse the installed package names, including the names that they provide.

    `listing` has lines of status, name and Provides field, separated by tabs.
    """
    names: set[str] = set()
    for line in listing.splitlines():
        status, name, provides = line.split("\t")
        if status == "installed":
            names.add(name)
            names.update(entry.split()[0] for entry in provides.split(",") if entry.strip())
    return frozenset(names)


def dpkg_listing() -> str | None:
    """Query dpkg for `installed_packages`; None on systems without dpkg."""
    if shutil.which("dpkg-query") is None or shutil.which("apt-get") is None:
        return None
    query = ["dpkg-query", "-W", "-f", r"${db:Status-Status}\t${Package}\t${Provides}\n"]
    return subprocess.run(query, capture_output=True, text=True, check=True).stdout


def missing_packages(wanted: Sequence[str], listing: str | None) -> list[str]:
    """List the packages of `wanted` that are not installed; empty on systems without dpkg."""
    if listing is None:
        return []
    installed = installed_packages(listing)
    return [name for name in wanted if name not in installed]


def root_prefix() -> list[str] | None:
    """Prefix that runs a command as root without a password; None if that is impossible."""
    if sys.platform != "win32" and os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True).returncode == 0:
        return [sudo, "-n"]
    return None


def apt_command(prefix: Sequence[str], *arguments: str) -> list[str]:
    """Build a non-interactive apt-get call that waits for a running apt."""
    # Through env, because sudo does not pass variables on.
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    return [*prefix, *apt, *arguments]


def install_packages(prefix: Sequence[str], names: Sequence[str]) -> None:
    """Install as many of `names` as possible; the caller checks the result."""
    say(f"installing the system packages {' '.join(names)}")
    install = apt_command(prefix, "install", "-y", "--no-install-recommends")
    subprocess.run(apt_command(prefix, "update"), stdout=sys.stderr)
    if subprocess.run([*install, *names], stdout=sys.stderr).returncode:
        # One name unknown to this release fails the whole call.
        for name in names:
            subprocess.run([*install, name], stdout=sys.stderr)


def find_missing_packages(wanted: Sequence[str]) -> list[str]:
    """List the packages of `wanted` that this system lacks, by Debian's names."""
    listing = dpkg_listing()
    if listing is None and sys.platform == "linux":
        return system_packages.find_missing(wanted)
    return missing_packages(wanted, listing)


def provide_packages(wanted: Sequence[str], install: bool) -> list[str]:
    """Install the missing packages of `wanted` if `install` is set; return those still missing.

    Packages are installed on Debian and Ubuntu only.
    """
    missing = find_missing_packages(wanted)
    has_apt = shutil.which("apt-get") is not None
    prefix = root_prefix() if missing and install and has_apt else None
    if prefix is not None:
        install_packages(prefix, missing)
        missing = find_missing_packages(missing)
    if missing:
        line = f"sudo apt-get install --no-install-recommends {' '.join(missing)}"
        if not has_apt:
            line = system_packages.describe_missing(missing, system_packages.find_manager())
        say(
            f"system packages are missing, and some things will not work without them. To install them:\n        {line}"
        )
    return missing


# The virtual environment


def environment_python(environment: Path, windows: bool = WINDOWS) -> Path:
    """Path of a virtual environment's interpreter."""
    return environment / "Scripts" / "python.exe" if windows else environment / "bin" / "python"


def runs_this_checkout() -> bool:
    """Whether the running interpreter has this checkout installed as the project."""
    try:
        origin = importlib.metadata.distribution("dragoman").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        return False
    return origin is not None and json.loads(origin).get("url") == ROOT.as_uri()


def environment_root() -> Path:
    """Path of the virtual environment to use: `.venv`, or the active one if this checkout is installed in it.

    Any other active environment belongs to other work and is not touched.
    """
    active = sys.prefix != sys.base_prefix
    return Path(sys.prefix) if active and runs_this_checkout() else ROOT / ".venv"


def interpreter_version(environment: Path) -> str | None:
    """Python version of an environment, such as `3.11`; None if its interpreter is missing or broken."""
    probe = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [environment_python(environment), "-I", "-S", "-c", probe], capture_output=True, text=True
        )
    except OSError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def stamp_key(root: Path, version: str) -> str:
    """Fingerprint of everything that determines an environment's contents.

    It includes the checkout's path, because an editable install refers to it.
    """
    inputs = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        inputs.update((root / name).read_bytes())
    inputs.update("\0".join((version, str(root), *TEST_PACKAGES)).encode())
    return inputs.hexdigest()


def read_stamp(path: Path) -> Stamp | None:
    """Read the stamp of a finished setup; None if it is missing or unreadable."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        return Stamp(written["key"], frozenset(written["extras"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_stamp(path: Path, stamp: Stamp) -> None:
    """Mark a setup as finished."""
    text = json.dumps({"key": stamp.key, "extras": sorted(stamp.extras)})
    path.write_text(text + "\n", encoding="utf-8")


def is_complete(stamp: Stamp | None, key: str, extras: Collection[str]) -> bool:
    """Whether an environment with this stamp has everything for `extras`."""
    return stamp is not None and stamp.key == key and stamp.extras.issuperset(extras)


def dependency_groups() -> dict[str, list[str]]:
    """Read the dependency groups of pyproject.toml: requirements that are not published with the project.

    A group that another one includes must stand before it.
    """
    read = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    groups: dict[str, list[str]] = {}
    for name, entries in read.items():
        groups[name] = []
        for entry in entries:
            groups[name] += [entry] if isinstance(entry, str) else groups[entry["include-group"]]
    return groups


def pip_commands(python: Path, extras: Collection[str]) -> list[list[str]]:
    """Build the pip calls that install the checkout with `extras` and groups, pinned. They run in the checkout."""
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    install = [str(python), "-m", "pip", "install", "--disable-pip-version-check", *quiet]
    install += ["-c", "constraints.txt"]
    groups = dependency_groups()
    own = sorted(set(extras).difference(groups))
    project = f".[{','.join(own)}]" if own else "."
    # By their contents, because the pip of Debian 12 does not know groups.
    grouped = [requirement for name in sorted(set(extras).intersection(groups)) for requirement in groups[name]]
    # pip ignores constraints in its isolated build environment, so build isolation is off.
    return [[*install, *BUILD_BACKEND], [*install, "--no-build-isolation", "-e", project, *grouped]]


def make_environment(environment: Path) -> None:
    """Create an empty virtual environment, replacing an incomplete one."""
    if importlib.util.find_spec("ensurepip") is None:
        name = "python{}.{}-venv".format(*sys.version_info[:2])
        provide_packages([name], install=True)
        importlib.invalidate_caches()
        if importlib.util.find_spec("ensurepip") is None:
            raise SetupFailed(
                "this Python lacks the modules venv and ensurepip. On Debian and Ubuntu they are in a package: "
                f"sudo apt-get install {name}"
            )
    say(f"creating the virtual environment {environment}")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], stdout=sys.stderr)
    if made.returncode:
        raise SetupFailed(f"the virtual environment could not be created. Remove {environment} and try again")


def fill_environment(environment: Path, extras: Collection[str]) -> None:
    """Install the project and `extras`. Raises SetupFailed if pip fails."""
    say("installing packages: this takes a few minutes the first time")
    for command in pip_commands(environment_python(environment), extras):
        if subprocess.run(command, cwd=ROOT, stdout=sys.stderr).returncode:
            raise SetupFailed("packages could not be installed; pip's output above has the reason")


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, so that a second dev.py cannot clear an environment that the first is filling."""
    with path.open("w") as file:
        if sys.platform == "win32":
            import msvcrt

            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # gives up after ten seconds
                    break
                except OSError:
                    continue
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def provide_environment(environment: Path, extras: Collection[str]) -> Path:
    """Bring `environment` up to date with `extras` and those that it has; return its interpreter."""
    stamp_file = environment / STAMP
    stamp = read_stamp(stamp_file)
    version = interpreter_version(environment)
    # No stamp: an earlier setup was interrupted. The running interpreter's own environment cannot be cleared.
    if version is None or (stamp is None and Path(sys.prefix) != environment):
        make_environment(environment)
        version = interpreter_version(environment)
    if version is None:
        raise SetupFailed(f"the Python in {environment} does not start. Remove it and try again")
    wanted = frozenset(extras).union(stamp.extras if stamp else ())
    stamp_file.unlink(missing_ok=True)
    fill_environment(environment, wanted)
    write_stamp(stamp_file, Stamp(stamp_key(ROOT, version), wanted))
    return environment_python(environment)


def is_ready(environment: Path, extras: Collection[str]) -> bool:
    """Whether the environment already has everything for `extras`."""
    stamp = read_stamp(environment / STAMP)
    version = interpreter_version(environment) if stamp else None
    return version is not None and is_complete(stamp, stamp_key(ROOT, version), extras)


def prepare(needs: Needs) -> tuple[Path, list[str]]:
    """Provide a command's needs; return the interpreter and the system packages still missing."""
    environment = environment_root()
    if is_ready(environment, needs.extras):
        return environment_python(environment), provide_packages(needs.packages, install=False)
    with exclusively(ROOT / ".venv.lock"):
        missing = provide_packages(needs.packages, install=True)
        if not is_ready(environment, needs.extras):
            provide_environment(environment, needs.extras)
    return environment_python(environment), missing


# Processes


def exit_code(returncode: int) -> int:
    """Convert a child's return code to a shell's exit code: 128 + N if signal N ended it."""
    return 128 - returncode if returncode < 0 else returncode


def wait_for(child: "subprocess.Popen[bytes]") -> int:
    """Wait for a child that shares the terminal; return its exit code. Ctrl-C reaches the child, which handles it."""
    while True:
        try:
            return exit_code(child.wait())
        except KeyboardInterrupt:
            continue


def become(command: list[str], directory: Path | None = None) -> NoReturn:
    """Replace this process by `command`, so that signals and exit code are the command's own."""
    if directory:
        os.chdir(directory)
    if WINDOWS:  # exec on Windows starts a second process and returns to the shell immediately
        sys.exit(wait_for(subprocess.Popen(command)))
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - no shell is meant


def has_display() -> bool:
    """Whether a window can be shown."""
    if WINDOWS or sys.platform == "darwin":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def wants_window(arguments: Sequence[str]) -> bool:
    """Whether `run` with these arguments starts the desktop application, rather than a subcommand."""
    return not arguments or (arguments[0].startswith("-") and arguments[0] not in {"-h", "--help", "--version"})


# The commands


def choose_cli_extras() -> set[str]:
    """Choose the extra with Claude Code if this computer has none; report how to install it where no package has it."""
    if locate.has_own_cli():
        return set()
    if install_hint.has_bundled_cli():
        return {"bundled-cli"}
    say(f"{locate.NOT_FOUND} No Python package has it for this system. {install_hint.install_hint()}")
    return set()


def run(arguments: list[str]) -> int:
    """Start the program with the given arguments: `run --hidden`, `run serve --port 0`, `run doctor`."""
    extras = choose_cli_extras()
    window = wants_window(arguments) and has_display()
    needs = Needs(extras | {"tray"}, QT_PACKAGES + SCREEN_PACKAGES) if window else Needs(extras)
    python, _ = prepare(needs)
    become([str(python), "-m", "tray_app", *arguments])


def pytest_command(python: Path, missing: Collection[str], arguments: Sequence[str]) -> list[str]:
    """Build the pytest call; without its Qt plugin if Qt's libraries are missing, as that would fail every test."""
    without_qt = ["-p", "no:pytest-qt"] if set(missing).intersection(QT_PACKAGES) else []
    return [str(python), "-m", "pytest", *without_qt, *arguments]


def count_cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def parallel_options(arguments: Sequence[str]) -> list[str]:
    """Options that distribute the tests over one process for each core, followed by `arguments`, which override them.

    Each process gets a contiguous part of the suite, so most files stay in one process, which creates their shared
    fixtures once. A process that has finished takes tests from the others.
    """
    return ["-n", str(min(count_cores(), MAX_TEST_PROCESSES)), "--dist", "worksteal", *arguments]


def test(arguments: list[str]) -> int:
    """Run the tests on all cores; with arguments for pytest, in one process: `test tests/store -k expiry`."""
    python, missing = prepare(Needs(TEST_EXTRAS, TEST_PACKAGES))
    # A few tests finish sooner than the processes for parallel tests start.
    become(pytest_command(python, missing, arguments or parallel_options([])), ROOT)


def has_newer_sqlite() -> bool:
    """Whether pyproject.toml provides a newer SQLite for this platform."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


def run_timed(command: Sequence[str]) -> tuple[int, float]:
    """Run a step of the check in the checkout; return its exit code and duration in seconds."""
    say(f"$ {' '.join(command[2:])}")
    started = time.monotonic()
    child = subprocess.Popen(command, cwd=ROOT)
    try:
        code = exit_code(child.wait())
    except KeyboardInterrupt:  # the step has received it too: let it finish its output
        child.wait()
        raise
    return code, time.monotonic() - started


def run_steps(steps: Mapping[str, Sequence[str]]) -> int:
    """Run every step, even after a failure, and print a summary; return 0 if all passed."""
    results = {name: run_timed(command) for name, command in steps.items()}
    for name, (code, seconds) in results.items():
        say(f"{name:12} {'ok' if code == 0 else f'FAILED ({code})':12} {seconds:6.1f} s")
    return max(code for code, _ in results.values())


def check(arguments: list[str]) -> int:
    """Run ruff, mypy and the tests, and build and try packages, even if one fails. Arguments go to pytest."""
    python, missing = prepare(Needs(TEST_EXTRAS, TEST_PACKAGES))
    steps = {
        "ruff check": [str(python), "-m", "ruff", "check", "."],
        "ruff format": [str(python), "-m", "ruff", "format", "--check", "."],
        "mypy": [str(python), "-m", "mypy"],
        "tests": pytest_command(python, missing, parallel_options(arguments)),
    }
    if has_newer_sqlite():
        steps["newer SQLite"] = pytest_command(python, missing, parallel_options(NEWER_SQLITE))
    steps["packages"] = [str(python), str(ROOT / "packaging" / "make.py"), "--check", *CHECKED_PACKAGES]
    return run_steps(steps)


def soak(arguments: list[str]) -> int:
    """Run the property tests with 20,000 examples each, or `--examples N`. Other arguments go to pytest."""
    parser = argparse.ArgumentParser(prog="dev.py soak", add_help=False)
    parser.add_argument("--examples", type=int, default=20_000)
    wanted, others = parser.parse_known_args(arguments)
    python, missing = prepare(Needs(TEST_EXTRAS, TEST_PACKAGES))
    os.environ["SOAK_EXAMPLES"] = str(wanted.examples)
    selection = ["-m", "hypothesis or soak", "-o", "timeout=0", "-o", "faulthandler_timeout=0"]
    become(pytest_command(python, missing, parallel_options([*selection, *others])), ROOT)


def start_tool(name: str, needs: Needs, arguments: Sequence[str]) -> NoReturn:
    """Run the package or module `tests.tools.NAME`."""
    python, _ = prepare(needs)
    become([str(python), "-m", f"tests.tools.{name}", *arguments], ROOT)


def demo(arguments: list[str]) -> int:
    """Run the server on a simulated Messages API: no account, no network. `demo --port 8000`."""
    if not install_hint.has_bundled_cli() and shutil.which("claude") is None:
        raise SetupFailed(f"the demo runs Claude Code, and this computer has none. {install_hint.install_hint()}")
    start_tool("demo", Needs({"bundled-cli", "demo"}), arguments)


def bench(arguments: list[str]) -> int:
    """Measure the server, the CLI itself and the simulator. Arguments go to the benchmark."""
    start_tool("bench", Needs(TEST_EXTRAS, QT_PACKAGES), arguments)


def screenshots(arguments: list[str]) -> int:
    """Draw the window's pages, light and dark, into docs/screenshots: all of them, or those named."""
    start_tool("screenshots", Needs(TEST_EXTRAS, QT_PACKAGES), arguments)


def clients(arguments: list[str]) -> int:
    """Run real client programs, configured as the page Clients describes: all of them, or those named."""
    start_tool("programs", Needs(TEST_EXTRAS), arguments)


def package(arguments: list[str]) -> int:
    """Build packages into dist/, all that this system can build or those named; `--check` proves them."""
    python, _ = prepare(Needs(TEST_EXTRAS, TEST_PACKAGES))
    if "--check" in arguments:  # an environment that is ready may lack them
        provide_packages(PACKAGE_CHECK_PACKAGES, install=True)
    become([str(python), str(ROOT / "packaging" / "make.py"), *arguments], ROOT)


def fresh(arguments: list[str]) -> int:
    """Try dev.py itself in minimal Debian systems, as root and as a user. As root only; takes half an hour."""
    provide_packages(FRESH_PACKAGES, install=True)
    become([sys.executable, str(ROOT / "packaging" / "fresh.py"), *arguments])


def release(arguments: list[str]) -> int:
    """Set the version, date the changelog, commit and tag: `release 1.2.0`, `--dry-run` shows it. Pushes nothing."""
    python, _ = prepare(Needs({"dev"}))
    become([str(python), str(ROOT / "packaging" / "release.py"), *arguments], ROOT)


def setup(arguments: list[str]) -> int:
    """Install everything that the other commands need."""
    if arguments:
        raise SetupFailed("setup takes no arguments")
    provide_packages(TEST_PACKAGES, install=True)
    python, _ = prepare(Needs(TEST_EXTRAS))
    say(f"ready: {python}")
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    command.__name__: command
    for command in (run, test, check, soak, demo, bench, screenshots, clients, package, fresh, release, setup)
}


def main(arguments: Sequence[str]) -> int:
    """Run the command given by `arguments`; return the exit code."""
    lines = [f"  {name:12}{command.__doc__}" for name, command in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="dev.py",
        usage="python3 dev.py COMMAND [ARGUMENTS]",
        description="Each command first installs what it needs.\n\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those above")
    if not arguments:
        parser.print_help(sys.stderr)
        return 2
    chosen = parser.parse_args(arguments[:1])
    try:
        return COMMANDS[chosen.command](list(arguments[1:]))
    except SetupFailed as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
