"""Start at login by a desktop entry in `$XDG_CONFIG_HOME/autostart`.

https://specifications.freedesktop.org/autostart-spec/latest/
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from server.config.own_commands import COMMAND, desktop_id
from server.config.paths import write_private
from tray_app.desktop.autostart.base import autostart_failed
from tray_app.desktop.autostart.desktop_entry import format_entry, format_exec, is_true, parse_entry, parse_exec

ENTRY = f"{COMMAND}.desktop"
MARK = "X-Dragoman"
"""Only entries with this key are rewritten by `repair_entry`."""


class XdgAutostart:
    """The user's entry, which hides a package's entry of the same name."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
        home = Path(environment.get("HOME") or Path.home())
        config = _absolute_path(environment.get("XDG_CONFIG_HOME")) or home / ".config"
        folders = (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
        self._command = tuple(command)
        self._home = home
        self._in_flatpak = self._command[0] == "flatpak"
        self._path = environment.get("PATH")
        self._entry = config / "autostart" / ENTRY
        self._system_entries = [folder / "autostart" / ENTRY for name in folders if (folder := _absolute_path(name))]
        self.description = f"the file {self._entry}"

    def is_enabled(self) -> bool:
        entry = self._effective_entry()
        return entry is not None and self._is_turned_on(entry) and self._can_start(entry)

    def enable(self) -> None:
        # A working entry is kept, because the user may have changed it.
        if not self.is_enabled():
            self._write_entry(self._our_entry())

    def disable(self) -> None:
        try:
            if any(path.is_file() for path in self._system_entries):
                self._write_entry({**self._our_entry(), "Hidden": "true"})
            else:
                self._entry.unlink(missing_ok=True)
        except OSError as error:
            raise autostart_failed(str(self._entry), error) from error

    def repair_entry(self) -> bool:
        entry = self._read_entry(self._entry)
        if entry is None or not is_true(entry.get(MARK)) or not self._is_turned_on(entry) or self._can_start(entry):
            return False
        self._write_entry(self._our_entry())
        return True

    def _our_entry(self) -> dict[str, str]:
        return {
            "Type": "Application",
            "Name": "Dragoman",
            "Comment": "Lets any OpenAI or Anthropic client use Claude Code",
            "Exec": format_exec(self._command),
            "TryExec": self._command[0],
            "Icon": desktop_id(),
            "Terminal": "false",
            "StartupNotify": "false",
            "X-GNOME-Autostart-enabled": "true",
            MARK: "true",
        }

    def _effective_entry(self) -> dict[str, str] | None:
        """The entry in force: the user's, otherwise one for all users."""
        entries = (self._read_entry(path) for path in (self._entry, *self._system_entries))
        return next((entry for entry in entries if entry is not None), None)

    @staticmethod
    def _is_turned_on(entry: Mapping[str, str]) -> bool:
        return not is_true(entry.get("Hidden")) and is_true(entry.get("X-GNOME-Autostart-enabled", "true"))

    def _can_start(self, entry: Mapping[str, str]) -> bool:
        command = parse_exec(entry.get("Exec", ""))
        return (
            bool(command) and self._is_installed(command[0]) and self._is_installed(entry.get("TryExec") or command[0])
        )

    def _is_installed(self, program: str) -> bool:
        # The sandbox shows the home and no other programs: those outside are taken to be there.
        if self._in_flatpak and not Path(program).is_relative_to(self._home):
            return True
        return shutil.which(program, path=self._path) is not None

    @staticmethod
    def _read_entry(path: Path) -> dict[str, str] | None:
        try:
            return parse_entry(path.read_text(encoding="utf-8", errors="replace"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise autostart_failed(str(path), error) from error

    def _write_entry(self, entry: Mapping[str, str]) -> None:
        try:
            write_private(self._entry, format_entry(entry).encode())
        except OSError as error:
            raise autostart_failed(str(self._entry), error) from error


def _absolute_path(name: str | None) -> Path | None:
    """`name` as a path; None if it is relative: XDG ignores relative paths."""
    return Path(name) if name and os.path.isabs(name) else None
