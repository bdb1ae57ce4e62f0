"""Every field of an SDK's request types, with bodies that have and lack it."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

from typing_extensions import TypeAliasType, get_type_hints, is_typeddict

Embed = Callable[[Any], dict[str, Any]]
"""Puts a value into a body."""

_MAX_SAMPLES = 12


@dataclass(frozen=True)
class FieldCase:
    """A field by its path: a body `without` it, and `bodies` with several values."""

    path: str
    without: dict[str, Any]
    bodies: tuple[dict[str, Any], ...]


class Fields:
    """Walks an SDK's types.

    `samples` are values of fields (by `TypeName.field`, otherwise by the field's name) whose type does not suggest
    sensible ones; `instances` are minimal values of types. `containers` put the types of these names into a body.
    """

    def __init__(
        self,
        samples: Mapping[str, Sequence[Any]],
        containers: Mapping[str, Embed],
        instances: Mapping[str, dict[str, Any]],
    ) -> None:
        self._samples = samples
        self._containers = containers
        self._instances = instances
        self._seen: set[tuple[str, str]] = set()

    def cases(self, root: Any, embed: Embed) -> list[FieldCase]:
        """The cases of a type and of all that it holds, each type once at a path."""
        self._seen.clear()
        return list(self._cases(root, embed, ""))

    def _cases(self, root: Any, embed: Embed, path: str) -> Iterator[FieldCase]:
        if (root.__name__, path) in self._seen:
            return
        self._seen.add((root.__name__, path))
        minimal = self.instance(root)
        for name, hint in hints(root).items():
            here = f"{path}.{name}" if path else name
            without = {key: value for key, value in minimal.items() if key != name}
            values = self._values(root, name, hint)
            base = embed(minimal if is_required(root, name) else without)
            if not is_wrapping(root, name, hint):
                yield FieldCase(here, base, tuple(embed({**without, name: value}) for value in values))
            yield from self._inner(hint, minimal, name, embed, here)

    def _inner(self, hint: Any, minimal: dict[str, Any], name: str, embed: Embed, path: str) -> Iterator[FieldCase]:
        for inner, is_item in typed_dicts(hint):
            own = self._containers.get(inner.__name__)
            if own is not None:
                yield from self._cases(inner, own, path)
            else:
                yield from self._cases(inner, _within(embed, minimal, name, is_item), path)

    def instance(self, typed_dict: Any) -> dict[str, Any]:
        """The minimal value of the type."""
        if typed_dict.__name__ in self._instances:
            return self._instances[typed_dict.__name__]
        fields = hints(typed_dict)
        # A type without required fields gets its first, so that it is not empty.
        needed = [name for name in fields if is_required(typed_dict, name)] or list(fields)[:1]
        return {name: self._values(typed_dict, name, fields[name])[0] for name in needed}

    def _values(self, owner: Any, name: str, hint: Any) -> list[Any]:
        for key in (f"{owner.__name__}.{name}", name):
            if key in self._samples:
                return list(self._samples[key])
        return list(itertools.islice(self._of(hint), _MAX_SAMPLES))

    def _of(self, hint: Any) -> Iterator[Any]:
        hint = bare(hint)
        origin = get_origin(hint)
        if is_typeddict(hint):
            yield self.instance(hint)
        elif origin is Literal:
            yield from get_args(hint)
        elif is_union(hint):
            for part in get_args(hint):
                yield from itertools.islice(self._of(part), 8)
        elif hint in _PLAIN:
            yield from _PLAIN[hint]
        elif origin is dict or hint is dict:
            yield {"a": "b"}
        elif origin is not None and get_args(hint):
            yield from ([value] for value in self._of(get_args(hint)[0]))
        elif hint is not type(None):
            yield "x"


_PLAIN: dict[Any, list[Any]] = {
    str: ["x", "y"],
    int: [5, 6],
    float: [0.5],
    bool: [True, False],
    object: ["x"],
    Any: ["x"],
}


def _within(embed: Embed, minimal: dict[str, Any], name: str, is_item: bool) -> Embed:
    return lambda value: embed({**minimal, name: [value] if is_item else value})


def hints(typed_dict: Any) -> dict[str, Any]:
    """The fields of a type and their types."""
    return {name: bare(hint) for name, hint in get_type_hints(typed_dict, include_extras=True).items()}


def is_required(typed_dict: Any, name: str) -> bool:
    return (
        name in typed_dict.__required_keys__
        or get_origin(get_type_hints(typed_dict, include_extras=True)[name]) is Required
    )


def is_wrapping(typed_dict: Any, name: str, hint: Any) -> bool:
    """Whether a required field only selects the type or holds other types."""
    one_word = get_origin(hint) is Literal and len(get_args(hint)) == 1
    return is_required(typed_dict, name) and (one_word or any(True for _ in typed_dicts(hint)))


def bare(hint: Any) -> Any:
    """A hint without Annotated, Required, NotRequired and aliases."""
    while True:
        if get_origin(hint) in (Annotated, Required, NotRequired):
            hint = get_args(hint)[0]
        elif isinstance(hint, TypeAliasType):
            hint = hint.__value__
        else:
            return hint


def is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, type(int | str))


def typed_dicts(hint: Any, *, is_item: bool = False) -> Iterable[tuple[Any, bool]]:
    """The TypedDicts in a hint, and whether they are list items."""
    hint = bare(hint)
    if is_typeddict(hint):
        yield hint, is_item
    elif is_union(hint):
        for part in get_args(hint):
            yield from typed_dicts(part, is_item=is_item)
    elif get_origin(hint) is not None and get_origin(hint) not in (dict, Literal):
        for part in get_args(hint):
            yield from typed_dicts(part, is_item=True)
