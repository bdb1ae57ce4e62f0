"""Start at login by XDG autostart: a desktop entry in `$XDG_CONFIG_HOME/autostart`.

https://specifications.freedesktop.org/autostart-spec/latest/
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from server.config.own_commands import COMMAND
from server.config.paths import write_private
from tray_app.desktop.autostart.base import autostart_failed
from tray_app.desktop.autostart.desktop_entry import format_entry, format_exec, is_true, parse, parse_exec

ENTRY = f"{COMMAND}.desktop"
MARK = "X-Dragoman"
"""Entries with this key are ours to rewrite."""


class XdgAutostart:
    """The entry of the person, which hides one of the same name that a package brought for everybody."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
        home = Path(environment.get("HOME") or Path.home())
        config = _absolute(environment.get("XDG_CONFIG_HOME")) or home / ".config"
        folders = (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
        self._command = tuple(command)
        self._path = environment.get("PATH")
        self._entry = config / "autostart" / ENTRY
        self._for_all = [folder / "autostart" / ENTRY for name in folders if (folder := _absolute(name))]
        self.description = f"the file {self._entry}"

    def enabled(self) -> bool:
        entry = self._in_force()
        return entry is not None and self._wanted(entry) and self._startable(entry)

    def enable(self) -> None:
        # One that a person made or changed, and that works, stays as it is.
        if not self.enabled():
            self._write(self._our_entry())

    def disable(self) -> None:
        try:
            if any(path.is_file() for path in self._for_all):
                self._write({**self._our_entry(), "Hidden": "true"})
            else:
                self._entry.unlink(missing_ok=True)
        except OSError as error:
            raise autostart_failed(str(self._entry), error) from error

    def repair(self) -> bool:
        entry = self._read(self._entry)
        if entry is None or not is_true(entry.get(MARK)) or not self._wanted(entry) or self._startable(entry):
            return False
        self._write(self._our_entry())
        return True

    def _our_entry(self) -> dict[str, str]:
        return {
            "Type": "Application",
            "Name": "Dragoman",
            "Comment": "Lets any OpenAI or Anthropic client use Claude Code",
            "Exec": format_exec(self._command),
            "TryExec": self._command[0],
            "Icon": COMMAND,
            "Terminal": "false",
            "StartupNotify": "false",
            "X-GNOME-Autostart-enabled": "true",
            MARK: "true",
        }

    def _in_force(self) -> dict[str, str] | None:
        """The first entry of our name, the person's before those for everybody."""
        entries = (self._read(path) for path in (self._entry, *self._for_all))
        return next((entry for entry in entries if entry is not None), None)

    @staticmethod
    def _wanted(entry: Mapping[str, str]) -> bool:
        return not is_true(entry.get("Hidden")) and is_true(entry.get("X-GNOME-Autostart-enabled", "true"))

    def _startable(self, entry: Mapping[str, str]) -> bool:
        command = parse_exec(entry.get("Exec", ""))
        return bool(command) and self._is_there(command[0]) and self._is_there(entry.get("TryExec") or command[0])

    def _is_there(self, program: str) -> bool:
        return shutil.which(program, path=self._path) is not None

    @staticmethod
    def _read(path: Path) -> dict[str, str] | None:
        try:
            return parse(path.read_text(encoding="utf-8", errors="replace"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise autostart_failed(str(path), error) from error

    def _write(self, entry: Mapping[str, str]) -> None:
        try:
            write_private(self._entry, format_entry(entry).encode())
        except OSError as error:
            raise autostart_failed(str(self._entry), error) from error


def _absolute(name: str | None) -> Path | None:
    """The XDG base directory specification has relative paths ignored."""
    return Path(name) if name and os.path.isabs(name) else None
