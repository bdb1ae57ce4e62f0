"""Paths to values in a configuration, and changes of them."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tray_app.clients.errors import Damaged, Uneditable


@dataclass(frozen=True, slots=True)
class Entry:
    """The entry of a list whose `key` is `value`, or a new one at its end."""

    key: str
    value: str


Path = tuple[str | Entry, ...]
"""Ends with a key."""
Changes = Sequence[tuple[Path, Any]]
"""Paths and their new values; missing parents are created."""


def edit_with(text: str, changes: Changes, *, load: Callable[[str], Any], put: Callable[[str, Path, Any], str]) -> str:
    """Apply the changes to `text` by `put`, and parse the result to verify it.

    Raises Damaged if `text` is invalid in its format, Uneditable if the result would differ from the changes.
    """
    data = load(text)
    wanted = apply_changes(data, changes)
    risk = "its layout cannot be changed safely"
    for path, value in changes:
        if value_at(data, path) != value:
            text = put(text, path, value)
            try:
                data = load(text)
            except Damaged:
                raise Uneditable(risk) from None
    if data != wanted:
        raise Uneditable(risk)
    return text


def value_at(data: Any, path: Path) -> Any:
    """The value at `path` in `data`; None if there is none."""
    for step in path:
        if isinstance(step, Entry):
            data = find_entry(data, step) if isinstance(data, list) else None
        else:
            data = data.get(step) if isinstance(data, dict) else None
    return data


def find_entry(items: list[Any], entry: Entry) -> dict[str, Any] | None:
    """Find an entry of a list; None if there is none."""
    return next((item for item in items if isinstance(item, dict) and item.get(entry.key) == entry.value), None)


def nest_value(path: Path, value: Any) -> Any:
    """Wrap `value` in new containers for each step of `path`."""
    for step in reversed(path):
        value = [{step.key: step.value, **value}] if isinstance(step, Entry) else {step: value}
    return value


def apply_changes(data: Any, changes: Changes) -> Any:
    """Copy `data` with the changes. Raises Uneditable if a parent has another type."""
    result = {} if data is None else copy.deepcopy(data)
    for path, value in changes:
        container = result
        for step, following in pairwise(path):
            container = _step_into(container, step, list if isinstance(following, Entry) else dict)
        _require_type(container, path[-1], dict)[path[-1]] = value
    return result


def append_lines(text: str, new: str) -> str:
    """Append lines to a text of comments, or to an empty one."""
    start = text if not text or text.endswith("\n") else text + "\n"
    return start + match_line_ends(text, new)


def match_line_ends(text: str, new: str) -> str:
    """Give `new` the line ends of `text`."""
    return new.replace("\n", "\r\n") if "\r\n" in text else new


def _step_into(container: Any, step: str | Entry, kind: type) -> Any:
    if isinstance(step, Entry):
        items = _require_type(container, step, list)
        found = find_entry(items, step)
        if found is None:
            found = {step.key: step.value}
            items.append(found)
        return found
    mapping = _require_type(container, step, dict)
    if mapping.get(step) is None:
        mapping[step] = kind()
    return mapping[step]


def _require_type(value: Any, step: str | Entry, kind: type) -> Any:
    if not isinstance(value, kind):
        name = step.value if isinstance(step, Entry) else step
        raise Uneditable(f"{name!r} holds another kind of value")
    return value
