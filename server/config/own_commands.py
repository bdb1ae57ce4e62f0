"""Command lines of this program and of Claude Code, for messages that tell the user what to run.

A bare name works only on PATH, but the program may run from a virtual environment, a checkout, a bundle, an image or a
Flatpak.
"""

import functools
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from server.config.paths import APP_NAME, default_config_dir, default_data_dir

COMMAND = APP_NAME
WINDOW_COMMAND = f"{APP_NAME}-window"
"""The same program without a console, on Windows."""

CHECKOUT = Path(__file__).parents[2]
"""The folder of `dev.py` in a checkout."""

SANDBOX_FOLDERS = frozenset({"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"})
"""Variables that Flatpak sets to folders of the sandbox."""


@dataclass(slots=True)
class HostProgram:
    """Facts about the program that hosts the server; set once at startup by `set_host`."""

    window: bool = False
    """Whether there is a window, whose buttons messages can name."""
    options: tuple[str, ...] = ()
    """The options that a command needs to use the same folders."""


host = HostProgram()


def set_host(data_dir: Path, config_dir: Path, *, window: bool) -> None:
    """Set the folders of this program, and whether it has a window."""
    host.window = window
    options: list[str] = []
    if data_dir != default_data_dir():
        options += ["--data-dir", str(data_dir)]
    if config_dir != default_config_dir():
        options += ["--config-dir", str(config_dir)]
    host.options = tuple(options)


@dataclass(frozen=True, slots=True)
class Installation:
    """The command line that started this process.

    `executable` is the interpreter or the bundle's program, `script` the script that runs, `frozen` whether it is a
    PyInstaller bundle.
    """

    executable: Path
    script: Path
    frozen: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    platform: str = "linux"


def this_installation() -> Installation:
    """Describe the current process."""
    # Links are not followed: the interpreter of a virtual environment is a link to one outside it.
    return Installation(
        executable=Path(sys.executable).absolute(),
        script=Path(sys.argv[0]).absolute(),
        frozen=bool(getattr(sys, "frozen", False)),
        environment=os.environ,
        platform=sys.platform,
    )


def app_image(installation: Installation) -> str | None:
    """Path of the AppImage file, or None. The running copy is mounted at another path at every start.

    Programs that another AppImage starts, such as a terminal, inherit the variables. They count only if this program
    is inside the image.
    """
    image, mount = installation.environment.get("APPIMAGE"), installation.environment.get("APPDIR")
    if not image or not mount:
        return None
    # A bundle's program is a path without links, while the mount is below TMPDIR, which may be one. The program's own
    # link is kept: the interpreter of a virtual environment leads out of the image.
    folder = installation.executable.parent.resolve()
    return image if folder.is_relative_to(Path(mount).resolve()) else None


def flatpak_id(installation: Installation) -> str | None:
    """Id of this program's own Flatpak, or None. Programs in another one's sandbox have the variable as well."""
    return installation.environment.get("FLATPAK_ID") if installation.executable.is_relative_to("/app") else None


def desktop_id() -> str:
    """Name of this program's desktop entry and icon, without extensions. Flatpak exports none but those named by id."""
    return flatpak_id(this_installation()) or APP_NAME


def desktop_environment(installation: Installation) -> Mapping[str, str]:
    """Variables of the user's desktop: in a Flatpak's own ones, XDG_CONFIG_HOME and the like are the sandbox's.

    Flatpak passes on the desktop's as HOST_XDG_CONFIG_HOME and so on, if they are set: flatpak-run(1).
    """
    variables = installation.environment
    if flatpak_id(installation) is None:
        return variables
    outside = {name.removeprefix("HOST_"): value for name, value in variables.items() if name.startswith("HOST_XDG_")}
    return {name: value for name, value in variables.items() if name not in SANDBOX_FOLDERS} | outside


def bundle_program(installation: Installation, name: str) -> str:
    """Path of the program `name` of a bundle. Bundles for Windows have both COMMAND and WINDOW_COMMAND."""
    named = installation.executable.with_name(f"{name}.exe")
    return str(named if installation.platform == "win32" and named.is_file() else installation.executable)


def own_command(*arguments: str) -> str:
    """The command line for this program with `arguments`, as in `own_command("key")`, and the current folders."""
    return quote_command([*_own_program(), *arguments, *host.options])


def cli_command(path: Path | str, *arguments: str) -> str:
    """The command line for the Claude Code at `path`; `claude` if that is the one on PATH."""
    found = shutil.which("claude")
    return quote_command(["claude" if found == str(path) else str(path), *arguments])


def program_command(installation: Installation, checkout: Path) -> list[str]:
    """The command that starts the program of an installation in a terminal; `checkout` may contain `dev.py`."""
    if image := app_image(installation):
        return [image]
    if app_id := flatpak_id(installation):
        return ["flatpak", "run", app_id]
    if installation.frozen:
        return [bundle_program(installation, COMMAND)]
    if shutil.which(APP_NAME, path=installation.environment.get("PATH", "")):
        return [APP_NAME]
    if (checkout / "dev.py").is_file():
        return ["py" if installation.platform == "win32" else "python3", str(checkout / "dev.py"), "run"]
    if beside := shutil.which(APP_NAME, path=str(installation.executable.parent)):
        return [beside]
    return [str(installation.executable), "-m", "dragoman"]


@functools.cache
def _own_program() -> list[str]:
    # Cached because messages about refused requests contain it, and it searches PATH.
    return program_command(this_installation(), CHECKOUT)


def quote_command(words: Sequence[str]) -> str:
    """Quote the words as a line for the system's shell."""
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def key_hint() -> str:
    """Instruction for finding the server's API key."""
    if host.window:
        return "the Overview page of its window shows it"
    return f"`{own_command('key')}` prints it"


def sign_in_hint(cli: Path | str) -> str:
    """Instruction for signing in with the Claude Code at `cli`."""
    terminal = f"run `{cli_command(cli, 'auth', 'login')}` in a terminal"
    if host.window:
        return f"Sign in on the Overview page of the window, or {terminal}; then try again."
    return f"{terminal[0].upper()}{terminal[1:]}, or set ANTHROPIC_API_KEY for the server; then try again."


def anthropic_key_hint() -> str:
    """Instruction for storing an Anthropic API key, as the end of "Store one ..."."""
    return "in Settings, under Claude Code" if host.window else f"with `{own_command('key', '--anthropic')}`"
