"""A client program: its package, configuration and command line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.simulator import ToolUse
from tests.tools.programs.stage import Stage


@dataclass(frozen=True, slots=True)
class Package:
    """A package: `requirements` in npm's or pip's form, the program itself first, all pinned."""

    installer: Literal["npm", "pip"]
    requirements: tuple[str, ...]

    @property
    def version(self) -> str:
        """The version of the program itself."""
        return self.requirements[0].replace("==", "@").rpartition("@")[2]

    @property
    def directory(self) -> str:
        """The name of its directory in the cache: another pin is another directory."""
        return "+".join(self.requirements).replace("==", "@").replace("/", "-").lstrip("@")


@dataclass(frozen=True, slots=True)
class Program:
    """A program that stands for `client`, the id of one on the Clients page.

    `set_up` does what that page says, `ask` gives the command that puts words to the model, and `reading` the call of
    the program's own tool that reads a file (None: it has none). `jobs` are further ones, which raise `Failed`.
    """

    name: str
    client: str
    set_up: Callable[[Stage], None]
    ask: Callable[[Stage, str], Sequence[str]]
    package: Package | None = None
    reading: Callable[[Path], ToolUse] | None = None
    streams: bool = True
    large: bool = False
    """Installed only for those who name it."""
    jobs: Mapping[str, Callable[[Stage], None]] = field(default_factory=dict)
