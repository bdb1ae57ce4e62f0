"""Warnings of fields that a client sends and the server does not pass on."""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

_MAX_NAMES = 20
_MAX_LENGTH = 64


def dropped_fields(
    sent: Any, checked: Any, ignored: Container[str], defaults: Mapping[str, Any], path: str = ""
) -> Iterator[str]:
    """The paths, without list indices, of sent fields that `checked` lacks.

    Skips empty values, `defaults`, and paths or names in `ignored`.
    """
    if sent is checked:
        return
    if isinstance(sent, dict) and isinstance(checked, dict):
        for name, value in sent.items():
            here = f"{path}.{name}" if path else name
            if name in checked:
                yield from dropped_fields(value, checked[name], ignored, defaults, here)
            elif value and name not in ignored and here not in ignored and defaults.get(here) != value:
                yield here
    elif isinstance(sent, list) and isinstance(checked, list):
        for one, kept in zip(sent, checked, strict=False):
            yield from dropped_fields(one, kept, ignored, defaults, path)


def left_out_warnings(paths: Iterable[str]) -> list[str]:
    """A warning for each of the first 20 paths, then one with a count."""
    names = list(dict.fromkeys(_in_one_line(path[:_MAX_LENGTH]) for path in paths))
    warnings = [f"{name} is not passed on and was left out" for name in names[:_MAX_NAMES]]
    if len(names) > _MAX_NAMES:
        warnings.append(f"{len(names) - _MAX_NAMES} further fields are not passed on and were left out")
    return warnings


def _in_one_line(path: str) -> str:
    """A path, whose names a client chose, for a header and a log."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in path)
