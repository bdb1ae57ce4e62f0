"""TOML, edited by tomlkit, which preserves comments and layout."""

import re
import tomllib
from typing import Any

from tray_app.clients.editing.paths import Changes, Entry, Path, edit_with
from tray_app.clients.errors import Damaged

_LOCATION = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)")


def load(text: str) -> Any:
    """Parse `text`. Raises Damaged."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        location = _LOCATION.search(str(error))
        lines = text.splitlines() or [""]
        line, column = location.groups() if location else (None, None)
        reason = _LOCATION.sub("", str(error))
        raise Damaged(reason, int(line or len(lines)), int(column or len(lines[-1]) + 1)) from None


def edit(text: str, changes: Changes) -> str:
    """Return `text` with the changes. Raises Damaged and Uneditable."""
    return edit_with(text, changes, load=load, put=_set_value)


def _set_value(text: str, path: Path, value: Any) -> str:
    import tomlkit  # imported only when a file is changed, to save memory

    document = tomlkit.parse(text)
    table: Any = document
    for index, step in enumerate(path[:-1]):
        if isinstance(step, Entry):
            raise TypeError("no client needs lists of tables")
        if step not in table:
            # A table without values of its own needs no header.
            table[step] = tomlkit.table(is_super_table=index < len(path) - 2)
        table = table[step]
    table[path[-1]] = value
    return document.as_string()
