"""Continue: configured by its file, asked with its command `cn`."""

from pathlib import Path

from tests.simulator import ToolUse
from tests.tools.programs import versions
from tests.tools.programs.program import Program
from tests.tools.programs.stage import Stage, client_of


def _set_up(stage: Stage) -> None:
    stage.configure(client_of("continue"))


def _reading(file: Path) -> ToolUse:
    return ToolUse("Read", {"filepath": str(file)})


CONTINUE = Program(
    name="continue",
    client="continue",
    package=versions.CONTINUE,
    set_up=_set_up,
    ask=lambda _, words: ["cn", "--auto", "-p", words],
    reading=_reading,
)
