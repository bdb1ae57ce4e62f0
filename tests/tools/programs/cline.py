"""Cline: its command, set up by the line of the Clients page."""

import shlex
from pathlib import Path

from tests.simulator import ToolUse
from tests.tools.programs import versions
from tests.tools.programs.program import Program
from tests.tools.programs.stage import Stage, client_of
from tests.tools.programs.trying import run


def _set_up(stage: Stage) -> None:
    [snippet] = client_of("cline").snippets
    run(stage, shlex.split(snippet.text(stage.connection).replace("\\\n", " ")))


def _reading(file: Path) -> ToolUse:
    return ToolUse("read_files", {"files": [{"path": str(file)}]})


CLINE = Program(
    name="cline",
    client="cline",
    package=versions.CLINE,
    set_up=_set_up,
    ask=lambda _, words: ["cline", words],
    reading=_reading,
)
