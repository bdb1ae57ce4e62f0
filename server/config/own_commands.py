"""How this program and Claude Code are called in a terminal of this computer, for messages that tell what to run.

A name that is not on PATH helps nobody: programs lie in virtual environments, checkouts, bundles and images.
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

CHECKOUT = Path(__file__).parents[1]
"""Where `dev.py` is, if this is a checkout."""


@dataclass(slots=True)
class HostProgram:
    """What runs the server in this process; set once, at its start, by `announce`."""

    window: bool = False
    """Whether there is a window, whose buttons can be named."""
    options: tuple[str, ...] = ()
    """The options without which a command would look at other folders."""


host = HostProgram()


def set_host(data_dir: Path, config_dir: Path, *, window: bool) -> None:
    """Say where this program keeps its things, and whether it has a window."""
    host.window = window
    options: list[str] = []
    if data_dir != default_data_dir():
        options += ["--data-dir", str(data_dir)]
    if config_dir != default_config_dir():
        options += ["--config-dir", str(config_dir)]
    host.options = tuple(options)


@dataclass(frozen=True, slots=True)
class Installation:
    """How this very process was started.

    `executable` is the interpreter or the bundle's program, `script` what was run, `frozen` whether PyInstaller
    made it.
    """

    executable: Path
    script: Path
    frozen: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    platform: str = "linux"


def this_installation() -> Installation:
    """The one that runs now."""
    # Links are not followed: in a virtual environment the interpreter is one, and leads out of it.
    return Installation(
        executable=Path(sys.executable).absolute(),
        script=Path(sys.argv[0]).absolute(),
        frozen=bool(getattr(sys, "frozen", False)),
        environment=os.environ,
        platform=sys.platform,
    )


def app_image(installation: Installation) -> str | None:
    """The AppImage's own file: what runs is a copy that is mounted anew, elsewhere, at every start.

    The variables are inherited by everything that another AppImage starts, a terminal for example: they count only
    if this program lies in the image.
    """
    image, mount = installation.environment.get("APPIMAGE"), installation.environment.get("APPDIR")
    return image if image and mount and installation.executable.is_relative_to(mount) else None


def own_command(*arguments: str) -> str:
    """The line that runs this program with `arguments`, as `own_command("key")`, on its present folders."""
    return quote_command([*_own_program(), *arguments, *host.options])


def cli_command(path: Path | str, *arguments: str) -> str:
    """The line that runs the Claude Code at `path`; `claude` where that is what a terminal finds."""
    found = shutil.which("claude")
    return quote_command(["claude" if found == str(path) else str(path), *arguments])


def program_command(installation: Installation, checkout: Path) -> list[str]:
    """The words that start the program of an installation in a terminal; `checkout` may hold `dev.py`."""
    if image := app_image(installation):
        return [image]
    if installation.frozen:
        return [str(installation.executable)]
    if shutil.which(APP_NAME, path=installation.environment.get("PATH", "")):
        return [APP_NAME]
    if (checkout / "dev.py").is_file():
        return ["py" if installation.platform == "win32" else "python3", str(checkout / "dev.py"), "run"]
    if beside := shutil.which(APP_NAME, path=str(installation.executable.parent)):
        return [beside]
    return [str(installation.executable), "-m", "server"]


@functools.cache
def _own_program() -> list[str]:
    """Looked for once: a refused request must not cost a search of the disk."""
    return program_command(this_installation(), CHECKOUT)


def quote_command(words: Sequence[str]) -> str:
    """The words as a line for the system's own shell."""
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def key_hint() -> str:
    """Where the server's API key can be seen."""
    if host.window:
        return "the Overview page of its window shows it"
    return f"`{own_command('key')}` prints it"


def sign_in_hint(cli: Path | str) -> str:
    """How to sign in with the Claude Code at `cli`."""
    terminal = f"run `{cli_command(cli, 'auth', 'login')}` in a terminal"
    if host.window:
        return f"Sign in on the Overview page of the window, or {terminal}; then try again."
    return f"{terminal[0].upper()}{terminal[1:]}, or set ANTHROPIC_API_KEY for the server; then try again."


def anthropic_key_hint() -> str:
    """How to store a key for the Anthropic API, as the end of "Store one ..."."""
    return "in Settings, under Claude Code" if host.window else f"with `{own_command('key', '--anthropic')}`"
