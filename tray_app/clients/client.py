"""The description of a client: dialect, settings, and where it keeps them.

Texts are English, and translated where they are shown.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from server.config.own_commands import desktop_environment, this_installation
from server.dialects.registry import find_dialect
from tray_app.clients.connection import Connection
from tray_app.clients.editing import Path as ValuePath
from tray_app.translation import NO_TEXT, Later

Language = Literal["yaml", "toml", "json", "bash", "python", "javascript"]
Format = Literal["yaml", "toml", "jsonc"]


@dataclass(frozen=True, slots=True)
class Places:
    """The directories and environment of a computer."""

    home: Path = field(default_factory=Path.home)
    environment: Mapping[str, str] = field(default_factory=lambda: desktop_environment(this_installation()))
    system: str = sys.platform

    def config_path(self, *parts: str) -> Path:
        """A path below `$XDG_CONFIG_HOME`, by default `~/.config`."""
        base = self.environment.get("XDG_CONFIG_HOME", "")
        return Path(base if os.path.isabs(base) else self.home / ".config", *parts)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A text to paste. `title` says where, or is the name of an API."""

    title: Later | str
    language: Language
    text: Callable[[Connection], str]
    host: str = ""
    """The host name by which the client reaches this computer, if the server must be configured to allow it."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the client's own settings, and its value."""

    label: Later
    value: Callable[[Connection], str]


@dataclass(frozen=True, slots=True)
class Change:
    """A value to set in a file. With `keep`, an existing value is preserved."""

    path: ValuePath
    value: Any
    keep: bool = False


@dataclass(frozen=True, slots=True)
class ServerEntry:
    """Settings for this server in a client's file. `key` None: kept elsewhere."""

    url: str
    key: str | None
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Companion:
    """A file that belongs to this program, and that the client's file names."""

    file: Callable[[Places], Path]
    text: Callable[[Connection], str]


@dataclass(frozen=True, slots=True)
class Configuration:
    """A client's file, and the settings that it needs."""

    format: Format
    file: Callable[[Places], Path]
    url: Callable[[Connection], str]
    changes: Callable[[Connection], Sequence[Change]]
    read_entry: Callable[[Any], ServerEntry | None]
    """Reads the settings for this server from the parsed file; None if there are none."""
    holds_key: bool = True
    caution: Callable[[Places], Later] = lambda _: NO_TEXT
    """A warning to show before the change, for this computer."""
    companion: Companion | None = None
    """Written before the client's file and removed after it, so that the file never names a missing one."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Evidence of a client: commands, or patterns of files in the home directory."""

    commands: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Client:
    """One client. `icon` is a name in qtawesome; `traces` None: not detectable.

    `dialect` is a name in the registry of dialects, or the name of an API that this version of the server lacks.
    """

    id: str
    name: str
    icon: str
    summary: Later
    dialect: str
    documentation: str
    steps: tuple[Later, ...] = ()
    fields: tuple[Field, ...] = ()
    snippets: tuple[Snippet, ...] = ()
    note: Later = NO_TEXT
    configuration: Configuration | None = None
    traces: Traces | None = None
    unserved_reason: Later = NO_TEXT
    """The reason why it cannot be used, if the server lacks its dialect."""

    @property
    def is_served(self) -> bool:
        """Whether this version of the server supports the client's dialect."""
        return find_dialect(self.dialect) is not None

    @property
    def api_name(self) -> str:
        """The display name of the API that the client uses."""
        dialect = find_dialect(self.dialect)
        return self.dialect if dialect is None else dialect.title
