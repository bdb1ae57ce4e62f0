"""The state of a client's file, and its text once it is configured. Pure."""

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
    """`kind`, and the models that the client's file names."""

    kind: Kind
    models: tuple[str, ...] = ()


def configure_text(text: str, configuration: Configuration, connection: Connection) -> str:
    """Change a client's file to use this server; a correct text stays the same, and a client key that it has is kept.

    Raises Damaged if `text` is invalid in its format, Uneditable if a change could damage the rest of it.
    """
    editor = _EDITORS[configuration.format]
    data = editor.load(text)
    if (found := configuration.read_entry(data)) is not None:
        connection = connection.with_own_key(found.key)
    return str(editor.edit(text, _list_edits(data, configuration, connection)))


def state_of(text: str, configuration: Configuration, connection: Connection) -> State:
    """Compare a client's file with this server's address and key. Raises Damaged."""
    found = configuration.read_entry(_EDITORS[configuration.format].load(text))
    if found is None:
        return State("absent")
    right = found.url == configuration.url(connection) and connection.accepts_key(found.key)
    return State("configured" if right else "outdated", found.models)


def _list_edits(data: Any, configuration: Configuration, connection: Connection) -> Changes:
    changes = configuration.changes(connection)
    return [(change.path, change.value) for change in changes if not change.keep or value_at(data, change.path) is None]
