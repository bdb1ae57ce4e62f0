"""Detection of installed clients, by commands and files in their usual places."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tray_app.clients.client import Client, Places

_MORE_COMMANDS = (
    ".local/bin",
    "bin",
    ".opencode/bin",
    ".bun/bin",
    ".npm-global/bin",
    ".cargo/bin",
    "AppData/Roaming/npm",
)
"""Below the home directory. A program started from a desktop often lacks directories that a shell adds to PATH."""
_SHARED = ("/usr/local/bin", "/opt/homebrew/bin", "/snap/bin", "/var/lib/flatpak/exports/bin")


def is_installed(client: Client, places: Places) -> bool | None:
    """Whether a client was found; None if not detectable. Call it in a thread."""
    if client.traces is None:
        return None
    found = any(_has_command(command, places) for command in client.traces.commands)
    return found or any(_has_file(pattern, places) for pattern in client.traces.files)


def _has_command(command: str, places: Places) -> bool:
    directories = [*(str(places.home / one) for one in _MORE_COMMANDS), *_SHARED]
    path = os.pathsep.join([places.environment.get("PATH", ""), *directories])
    return shutil.which(command, path=path) is not None


def _has_file(pattern: str, places: Places) -> bool:
    return any(True for root in _search_roots(pattern, places) for _ in _find_matches(root, pattern))


def _search_roots(pattern: str, places: Places) -> Iterator[Path]:
    yield places.home
    if pattern.startswith("Applications/"):
        yield Path("/")


def _find_matches(root: Path, pattern: str) -> Iterator[Path]:
    try:
        yield from root.glob(pattern)
    except OSError:
        return
