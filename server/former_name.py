"""Carries over what the program kept under its former name, "Claude Code Tray": folders, keyring entries, start at login.

Called at every start, and does something at the first one alone: what has a successor already is left as it is. This
module and the changelog are the only places that know the name; it can go a year after the change.
"""

import logging
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import platformdirs

from server.errors import SetupError
from server.paths import default_config_dir, default_data_dir

FORMER_APP_NAME = "claude-code-tray"
"""Of the folders, and of the service in the system's keyring."""
FORMER_VARIABLES = "CLAUDE_CODE_TRAY_"

log = logging.getLogger(__name__)

_moved: list[tuple[Path, Path]] = []


def move_folders() -> None:
    """Rename the former data and configuration folder. Raises SetupError if one of them cannot be renamed.

    Each is one rename, so that a program that is killed here leaves every file in one of the two places. The logs are
    not set up yet: `log_changes` tells of it.
    """
    for former, folder in _folders():
        if former.is_dir() and not folder.exists():
            _rename(former, folder)


def log_changes(environment: Mapping[str, str] = os.environ) -> None:
    """Log what was moved, and the former variables that are set and not read any more."""
    while _moved:
        log.info("moved the folder %s of this program's former name to %s", *_moved.pop(0))
    ignored = sorted(name for name in environment if name.startswith(FORMER_VARIABLES))
    if ignored:
        log.warning("%s: these variables have the program's former name and are not read", ", ".join(ignored))


def _folders() -> Iterable[tuple[Path, Path]]:
    """Former and present folder; on macOS and Windows data and configuration have the same."""
    yield platformdirs.user_data_path(FORMER_APP_NAME, appauthor=False), default_data_dir()
    yield platformdirs.user_config_path(FORMER_APP_NAME, appauthor=False), default_config_dir()


def _rename(former: Path, folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        former.rename(folder)
    except OSError as error:
        held = "Quit the program if it still runs under its former name. " if sys.platform == "win32" else ""
        raise SetupError(
            f"The folder {former} of this program's former name cannot be moved to {folder}: "
            f"{error.strerror or error}.",
            hint=f"{held}Move it yourself, or give it another name to begin without it.",
        ) from error
    _moved.append((former, folder))
