"""Pure: a client's file as it is and as it has to be."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from tray_app.clients.client import Configuration, Format
from tray_app.clients.connection import Connection
from tray_app.clients.editing import Changes, jsonc, toml, value_at, yaml

_EDITORS: dict[Format, ModuleType] = {"jsonc": jsonc, "toml": toml, "yaml": yaml}

Kind = Literal["absent", "configured", "outdated"]


@dataclass(frozen=True, slots=True)
class State:
    """`kind` and the models that the client's file names."""

    kind: Kind
    models: tuple[str, ...] = ()


def plan(text: str, configuration: Configuration, connection: Connection) -> str:
    """`text` of a client's file, changed so that the client uses this server. It stays as it is if it does already.

    Raises Damaged if `text` is not of its format, Uneditable if it cannot be changed without a risk for the rest.
    """
    editor = _EDITORS[configuration.format]
    return str(editor.edit(text, _wanted(editor.load(text), configuration, connection)))


def state_of(text: str, configuration: Configuration, connection: Connection) -> State:
    """What a client's file says of this server: nothing, what is right, or what was right once. Raises Damaged."""
    found = configuration.found(_EDITORS[configuration.format].load(text))
    if found is None:
        return State("absent")
    right = found.url == configuration.url(connection) and found.key in (None, connection.secret)
    return State("configured" if right else "outdated", found.models)


def _wanted(data: Any, configuration: Configuration, connection: Connection) -> Changes:
    changes = configuration.changes(connection)
    return [(change.path, change.value) for change in changes if not change.keep or value_at(data, change.path) is None]
