"""Places in a configuration, and changes at them."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tray_app.clients.errors import Damaged, Uneditable


@dataclass(frozen=True, slots=True)
class Entry:
    """The entry of a list whose `key` is `value`; where there is none, a new one at the end."""

    key: str
    value: str


Path = tuple[str | Entry, ...]
"""Ends with a key."""
Changes = Sequence[tuple[Path, Any]]
"""Places, and what is to stand there; what is missing on the way is made."""


def edit_with(text: str, changes: Changes, *, load: Callable[[str], Any], put: Callable[[str, Path, Any], str]) -> str:
    """`text` with the changes, by `put` one after the other, and read again to be sure.

    Raises Damaged if `text` is none of its format, Uneditable if it would say anything else than is wanted.
    """
    data = load(text)
    wanted = changed(data, changes)
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
    """What stands at `path` in `data`; None if nothing does."""
    for step in path:
        if isinstance(step, Entry):
            data = find_entry(data, step) if isinstance(data, list) else None
        else:
            data = data.get(step) if isinstance(data, dict) else None
    return data


def find_entry(items: list[Any], entry: Entry) -> dict[str, Any] | None:
    """That entry of a list; None if there is none."""
    return next((item for item in items if isinstance(item, dict) and item.get(entry.key) == entry.value), None)


def nested(path: Path, value: Any) -> Any:
    """`value` under `path`, as it is written where nothing of it is there yet."""
    for step in reversed(path):
        value = [{step.key: step.value, **value}] if isinstance(step, Entry) else {step: value}
    return value


def changed(data: Any, changes: Changes) -> Any:
    """A copy of `data` with the changes. Raises Uneditable where something else stands on the way."""
    result = {} if data is None else copy.deepcopy(data)
    for path, value in changes:
        place = result
        for step, following in pairwise(path):
            place = _into(place, step, list if isinstance(following, Entry) else dict)
        _expect(place, path[-1], dict)[path[-1]] = value
    return result


def _into(place: Any, step: str | Entry, kind: type) -> Any:
    if isinstance(step, Entry):
        items = _expect(place, step, list)
        found = find_entry(items, step)
        if found is None:
            found = {step.key: step.value}
            items.append(found)
        return found
    mapping = _expect(place, step, dict)
    if mapping.get(step) is None:
        mapping[step] = kind()
    return mapping[step]


def _expect(place: Any, step: str | Entry, kind: type) -> Any:
    if not isinstance(place, kind):
        name = step.value if isinstance(step, Entry) else step
        raise Uneditable(f"{name!r} holds another kind of value")
    return place
