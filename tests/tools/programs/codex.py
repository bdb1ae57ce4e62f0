"""Codex CLI: configured by its file, asked with `codex exec`."""

from pathlib import Path

from tests.simulator import ToolUse
from tests.tools.programs import versions
from tests.tools.programs.program import Program
from tests.tools.programs.stage import Stage, client_of


def _set_up(stage: Stage) -> None:
    stage.configure(client_of("codex"))


def _reading(file: Path) -> ToolUse:
    return ToolUse("exec_command", {"cmd": f"cat {file.name}"})


CODEX = Program(
    name="codex",
    client="codex",
    package=versions.CODEX,
    set_up=_set_up,
    ask=lambda _, words: ["codex", "exec", "--skip-git-repo-check", words],
    reading=_reading,
)
