"""aider: configured by its file. It has no tools: it asks for changes in the text."""

from collections.abc import Sequence

from tests.tools.programs import versions
from tests.tools.programs.program import Program
from tests.tools.programs.stage import Stage, client_of


def _set_up(stage: Stage) -> None:
    stage.configure(client_of("aider"))


def _ask(_: Stage, words: str) -> Sequence[str]:
    return ["aider", "--message", words, "--yes-always", "--no-git", "--no-check-update", "--no-show-release-notes"]


AIDER = Program(name="aider", client="aider", package=versions.AIDER, set_up=_set_up, ask=_ask)
