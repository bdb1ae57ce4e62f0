"""Start at login by a LaunchAgent: `man launchd.plist`, `man launchctl`."""

import os
import plistlib
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from server.config.paths import write_private
from server.core.errors import SetupError
from tray_app.desktop.autostart.base import autostart_failed

LABEL = "local.dragoman"
LAUNCHCTL = "/bin/launchctl"
TIMEOUT_SECONDS = 10.0

Runner = Callable[[Sequence[str]], str]
"""Runs a command and returns its standard output. Raises OSError or subprocess.SubprocessError."""


def run_command(command: Sequence[str]) -> str:
    """Run a command and return its standard output; it may take 10 s."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=True)
    return done.stdout


class LaunchAgent:
    """The agent's file, and launchd's record of System Settings.

    The job is never loaded or unloaded here: loading would start the application a second time, and unloading would
    end the running one.
    """

    def __init__(
        self, command: Sequence[str], *, home: Path | None = None, user: int | None = None, runner: Runner = run_command
    ) -> None:
        self._command = tuple(command)
        self._file = (home or Path.home()) / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        self._domain = f"gui/{_user_id() if user is None else user}"
        self._run = runner
        self.description = f"the file {self._file}"

    def is_enabled(self) -> bool:
        agent = self._read_agent()
        return agent is not None and self._is_turned_on(agent) and _can_start(agent)

    def enable(self) -> None:
        agent = self._read_agent()
        if agent is None or not agent.get("RunAtLoad") or agent.get("Disabled") or not _can_start(agent):
            self._write_agent()
        if self._switched_off():
            self._switch_on()

    def disable(self) -> None:
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise autostart_failed(str(self._file), error) from error

    def repair_entry(self) -> bool:
        agent = self._read_agent()
        if agent is None or agent.get("Label") != LABEL or not self._is_turned_on(agent) or _can_start(agent):
            return False
        self._write_agent()
        return True

    def _is_turned_on(self, agent: dict[str, Any]) -> bool:
        switched_off = self._switched_off()
        return bool(agent.get("RunAtLoad")) and not (agent.get("Disabled") if switched_off is None else switched_off)

    def _switched_off(self) -> bool | None:
        """Whether the user turned it off in the system; None without a record."""
        try:
            answer = self._run([LAUNCHCTL, "print-disabled", self._domain])
        except (OSError, subprocess.SubprocessError):
            return None
        # `"label" => disabled`; macOS 12 and older print true and false.
        found = re.search(rf'"{re.escape(LABEL)}"\s*=>\s*(\w+)', answer)
        return found[1] in ("disabled", "true") if found else None

    def _switch_on(self) -> None:
        try:
            self._run([LAUNCHCTL, "enable", f"{self._domain}/{LABEL}"])
        except (OSError, subprocess.SubprocessError) as error:
            raise SetupError(
                f"macOS keeps start at login turned off: {error}.",
                hint="Allow Dragoman in System Settings > General > Login Items.",
            ) from error

    def _read_agent(self) -> dict[str, Any] | None:
        try:
            agent = plistlib.loads(self._file.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise autostart_failed(str(self._file), error) from error
        except (plistlib.InvalidFileException, ExpatError, ValueError):
            return {}  # launchd ignores a file that it cannot parse
        return agent if isinstance(agent, dict) else {}

    def _write_agent(self) -> None:
        agent = {
            "Label": LABEL,
            "ProgramArguments": list(self._command),
            "RunAtLoad": True,
            "ProcessType": "Interactive",
            "LimitLoadToSessionType": "Aqua",
        }
        try:
            write_private(self._file, plistlib.dumps(agent, sort_keys=False))
        except OSError as error:
            raise autostart_failed(str(self._file), error) from error


def _can_start(agent: dict[str, Any]) -> bool:
    arguments = agent.get("ProgramArguments") or []
    program = agent.get("Program") or (arguments[0] if isinstance(arguments, list) and arguments else None)
    return isinstance(program, str) and shutil.which(program) is not None


def _user_id() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0
