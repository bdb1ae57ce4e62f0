"""Node.js: the two programs of the Clients page, with the packages that they import."""

import json
from collections.abc import Sequence

from tests.tools.programs import versions
from tests.tools.programs.program import Package, Program
from tests.tools.programs.stage import Stage, client_of


def _program(name: str, package: Package, snippet: int) -> Program:
    def link_packages(stage: Stage) -> None:
        """Directory in which the user ran `npm install`."""
        assert stage.programs is not None
        (stage.work / "node_modules").symlink_to(stage.programs.parent, target_is_directory=True)

    def ask(stage: Stage, words: str) -> Sequence[str]:
        text = client_of("node").snippets[snippet].text(stage.connection)
        (stage.work / "hello.mjs").write_text(text.replace('"Hello"', json.dumps(words)), encoding="utf-8")
        return ["node", "hello.mjs"]

    return Program(name=name, client="node", package=package, set_up=link_packages, ask=ask, streams=False)


NODE = (
    _program("node-openai", versions.NODE_OPENAI, 0),
    _program("node-anthropic", versions.NODE_ANTHROPIC, 1),
)
