"""Packages without a command, each driven by a script of ours that does what their documentation shows."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.simulator import Recorded, Text, ToolUse, client_tools
from tests.simulator.replies import Part
from tests.tools.programs import versions
from tests.tools.programs.program import Package, Program
from tests.tools.programs.stage import Stage
from tests.tools.programs.trying import Failed, run

SCRIPTS = Path(__file__).parent / "scripts"


def _program(
    name: str,
    package: Package,
    script: str,
    mode: str = "-",
    *,
    client: str,
    streams: bool = True,
    jobs: Mapping[str, Callable[[Stage], None]] | None = None,
) -> Program:
    """A program that runs `script` with the server's URL, the key, a model, `mode` and the words."""

    def set_up(stage: Stage) -> None:
        assert stage.programs is not None
        shutil.copy(SCRIPTS / script, stage.work)
        # Node looks for packages beside the script.
        if package.installer == "npm":
            (stage.work / "node_modules").symlink_to(stage.programs.parent, target_is_directory=True)

    interpreter = "node" if package.installer == "npm" else "python"
    return Program(
        name=name,
        client=client,
        package=package,
        set_up=set_up,
        ask=lambda stage, words: _command(stage, interpreter, script, mode, words),
        reading=lambda file: ToolUse("read_file", {"path": file.name}),
        streams=streams,
        jobs=jobs or {},
    )


def _command(stage: Stage, interpreter: str, script: str, mode: str, words: str) -> Sequence[str]:
    to = stage.connection
    return [interpreter, script, to.url, to.secret or "", to.model, mode, words]


def _handoff(stage: Stage) -> None:
    """The first agent hands over by a function, and the second answers."""
    words = "Who reads this?"

    def reply(recorded: Recorded) -> Part:
        names = [tool["name"] for tool in client_tools(recorded)]
        return ToolUse(names[0], {}) if names == ["transfer_to_reader"] else Text("The reader does.")

    stage.simulator.script(reply, when=lambda recorded: words in str(recorded.body))
    printed = run(stage, _command(stage, "python", "openai_agents.py", "handoff", words))
    if "The reader does." not in printed:
        raise Failed(printed[-1500:])


SCRIPTED = (
    _program(
        "openai-agents",
        versions.OPENAI_AGENTS,
        "openai_agents.py",
        client="python",
        streams=False,
        jobs={"handoff": _handoff},
    ),
    _program("langchain-chat", versions.LANGCHAIN, "langchain_tools.py", "chat", client="python"),
    _program("langchain-responses", versions.LANGCHAIN, "langchain_tools.py", "responses", client="python"),
    _program("langchain-state", versions.LANGCHAIN, "langchain_tools.py", "state", client="python"),
    _program("langchain-ollama", versions.LANGCHAIN, "langchain_tools.py", "ollama", client="python"),
    _program("ai-sdk-stored", versions.AI_SDK, "ai_sdk.mjs", "stored", client="node"),
    _program("ai-sdk", versions.AI_SDK, "ai_sdk.mjs", "not stored", client="node"),
    _program("node-openai-responses", versions.NODE_OPENAI, "openai_responses.mjs", client="node"),
    _program("ollama-python", versions.OLLAMA_PYTHON, "ollama_tools.py", client="python"),
    _program("ollama-node", versions.OLLAMA_NODE, "ollama_tools.mjs", client="node"),
)
