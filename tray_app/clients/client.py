"""What is known of a client: what it speaks, what it has to be told, and where it keeps that.

The words are English, and translated where they are shown.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from server.dialects.registry import find_dialect
from tray_app.clients.connection import Connection
from tray_app.clients.editing import Path as ValuePath

Language = Literal["yaml", "toml", "json", "bash", "python", "javascript"]
Format = Literal["yaml", "toml", "jsonc"]


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are on a computer."""

    home: Path = field(default_factory=Path.home)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    system: str = sys.platform

    def config(self, *parts: str) -> Path:
        """Below `~/.config`, or what stands for it."""
        base = self.environment.get("XDG_CONFIG_HOME", "")
        return Path(base if os.path.isabs(base) else self.home / ".config", *parts)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A text to paste; `title` says where."""

    title: str
    language: Language
    text: Callable[[Connection], str]
    host: str = ""
    """A name under which the client reaches this computer, if the server has to be told to take it."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the client's own settings, and what goes into it."""

    label: str
    value: Callable[[Connection], str]


@dataclass(frozen=True, slots=True)
class Change:
    """A value in a file. `keep`: what stands there already stays."""

    path: ValuePath
    value: Any
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a client's file says of this server. `key` None: the client keeps it elsewhere."""

    url: str
    key: str | None
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Configuration:
    """A client's file, and what has to stand in it."""

    format: Format
    file: Callable[[Places], Path]
    url: Callable[[Connection], str]
    changes: Callable[[Connection], Sequence[Change]]
    found: Callable[[Any], Found | None]
    """What the file says of this server, given what it says."""
    holds_key: bool = True
    caution: Callable[[Places], str] = lambda _: ""
    """What the person should know before, on this computer."""


@dataclass(frozen=True, slots=True)
class Traces:
    """What shows that a client is on a computer: commands, or files below the home directory (with wildcards)."""

    commands: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Client:
    """One client. `icon` is a name of qtawesome's; `traces` None: nothing cheap would show whether it is there.

    `dialect` is a name in the registry of dialects, or the name of an API that this version of the server lacks.
    """

    id: str
    name: str
    icon: str
    summary: str
    dialect: str
    documentation: str
    steps: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    snippets: tuple[Snippet, ...] = ()
    note: str = ""
    configuration: Configuration | None = None
    traces: Traces | None = None
    unserved: str = ""
    """Why it cannot be used, if this version of the server does not speak its dialect."""

    @property
    def served(self) -> bool:
        """Whether this version of the server speaks what the client does."""
        return find_dialect(self.dialect) is not None

    @property
    def api(self) -> str:
        """The name of the API that the client uses, for people."""
        dialect = find_dialect(self.dialect)
        return self.dialect if dialect is None else dialect.title
