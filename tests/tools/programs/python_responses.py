"""Frameworks in Python that use the Responses API, each with a script that does what its documentation shows."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.simulator import Recorded, Text, ToolUse, client_system
from tests.simulator.replies import Part
from tests.tools.programs import versions
from tests.tools.programs.program import Package, Program
from tests.tools.programs.stage import Stage
from tests.tools.programs.trying import Failed, run

SCRIPTS = Path(__file__).parent / "scripts"
Further = Callable[[Program, Stage], None]
HAND_OVER = "Ask the specialist."


def _program(name: str, package: Package, script: str, further: Further | None = None) -> Program:
    def set_up(stage: Stage) -> None:
        shutil.copy(SCRIPTS / script, stage.work)

    def ask(stage: Stage, words: str) -> Sequence[str]:
        to = stage.connection
        return ["python", script, to.openai_url, to.secret, to.model, words]

    def reading(file: Path) -> ToolUse:
        return ToolUse("read_file", {"path": file.name})

    return Program(
        name=name, client="python", package=package, set_up=set_up, ask=ask, reading=reading, further=further
    )


def hand_over(program: Program, stage: Stage) -> None:
    """The first agent hands over, and the second one answers, with its own instructions and no tools."""
    stage.simulator.script(_agents, when=lambda recorded: HAND_OVER in str(recorded.body))
    said = run(stage, program.ask(stage, HAND_OVER))
    if "specialist: I am the specialist." not in said:
        raise Failed(f"the second agent did not answer:\n{said[-1500:]}")


def _agents(recorded: Recorded) -> Part:
    if "You are the specialist." in client_system(recorded):
        return Text("I am the specialist.")
    return ToolUse("transfer_to_specialist", {})


PYTHON_RESPONSES = (
    _program("openai-agents", versions.AGENTS, "agents_sdk.py", hand_over),
    _program("langchain", versions.LANGCHAIN, "langchain_responses.py"),
)
