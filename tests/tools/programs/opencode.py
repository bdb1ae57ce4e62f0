"""opencode: configured by its file, asked with `opencode run`."""

from pathlib import Path

from tests.simulator import ToolUse
from tests.tools.programs import versions
from tests.tools.programs.program import Program
from tests.tools.programs.stage import Stage, client_of


def _set_up(stage: Stage) -> None:
    stage.configure(client_of("opencode"))


def _reading(file: Path) -> ToolUse:
    return ToolUse("read", {"filePath": str(file)})


OPENCODE = Program(
    name="opencode",
    client="opencode",
    package=versions.OPENCODE,
    set_up=_set_up,
    ask=lambda _, words: ["opencode", "run", words],
    reading=_reading,
)
