"""curl, as it is on this machine: the commands of the Clients page."""

import shlex
from collections.abc import Sequence

from tests.tools.programs.program import Program
from tests.tools.programs.stage import Stage, client_of


def _program(name: str, snippet: int) -> Program:
    def ask(stage: Stage, words: str) -> Sequence[str]:
        command = client_of("curl").snippets[snippet].text(stage.connection).replace('"Hello"', f'"{words}"')
        return shlex.split(command.replace("\\\n", " "))

    return Program(name=name, client="curl", set_up=lambda _: None, ask=ask, streams=False)


CURL = (_program("curl-openai", 0), _program("curl-anthropic", 1), _program("curl-responses", 2))
