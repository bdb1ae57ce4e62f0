"""Migration from the program's former name, "Claude Code Tray": its folders and keyring entries.

Runs at every start; it leaves alone what was migrated before. No other module uses the former name.
"""

import logging
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from server.config.paths import default_config_dir, default_data_dir
from server.core.errors import SetupError

if TYPE_CHECKING:
    from server.secrets.storage import SecretStorage

FORMER_APP_NAME = "claude-code-tray"
"""Name of the folders, and of the service in the system keyring."""
FORMER_VARIABLES = "CLAUDE_CODE_TRAY_"

log = logging.getLogger(__name__)

_moved: list[tuple[Path, Path]] = []


def move_folders() -> None:
    """Rename the former data and configuration folders. Raises SetupError if one of them cannot be renamed.

    Each is a single rename, so that a program killed here leaves all files in one folder. The log is not configured
    yet; `log_changes` reports the moves later.
    """
    for former, folder in _folder_pairs():
        if former.is_dir() and not folder.exists():
            _rename_folder(former, folder)


def log_changes(environment: Mapping[str, str] = os.environ) -> None:
    """Log the folders that were moved, and environment variables with the former prefix, which are ignored."""
    while _moved:
        log.info("moved the folder %s of this program's former name to %s", *_moved.pop(0))
    ignored = sorted(name for name in environment if name.startswith(FORMER_VARIABLES))
    if ignored:
        log.warning("%s: these variables have the program's former name and are ignored", ", ".join(ignored))


async def copy_secrets(storage: "SecretStorage", former: "SecretStorage", names: Iterable[str]) -> None:
    """Copy secrets that only the `former` keyring service has, and leave them there. Raises KeyringUnavailable."""
    for name in names:
        if await storage.get(name) is None and (secret := await former.get(name)) is not None:
            await storage.set(name, secret)
            log.info("copied the keyring entry %r of this program's former name", name)


def _folder_pairs() -> Iterable[tuple[Path, Path]]:
    """Pairs of former and current folder. On macOS and Windows data and configuration share one."""
    yield platformdirs.user_data_path(FORMER_APP_NAME, appauthor=False), default_data_dir()
    yield platformdirs.user_config_path(FORMER_APP_NAME, appauthor=False), default_config_dir()


def _rename_folder(former: Path, folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        former.rename(folder)
    except OSError as error:
        quit_hint = "Quit the program if it is still running under its former name. " if sys.platform == "win32" else ""
        raise SetupError(
            f"The folder {former} of this program's former name cannot be moved to {folder}: "
            f"{error.strerror or error}.",
            hint=f"{quit_hint}Move it yourself, or rename it to start without it.",
        ) from error
    _moved.append((former, folder))
