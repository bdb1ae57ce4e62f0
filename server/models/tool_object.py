"""Flatten a tool's input schema to a plain object, as the API requires.

The API's error: "input_schema does not support oneOf, allOf, or anyOf at the top level". A union becomes one object
with the properties of all its branches; its description keeps the constraints that this loses.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.core import exact_json
from server.core.errors import InvalidRequest
from server.models.schema_references import resolve_reference
from server.models.tool_schema import Schema

_UNIONS = ("allOf", "anyOf", "oneOf")
_MAX_FOLLOWED = 1000
"""Limit on the references and unions followed in one schema: a kilobyte can expand to a billion branches."""
_MAX_DEPTH = 40
"""Limit on their nesting, below Python's recursion limit."""
_LONGEST_NOTE = 2000
"""Limit in characters on a union in the description; a longer one is reduced to its required names."""


def to_plain_object(schema: Schema, path: str) -> tuple[Schema, list[str]]:
    """Return `schema` as a plain object, and the rewritten keywords. Raises InvalidRequest if it is not an object.

    `schema` must be JSON Schema 2020-12. A plain object is returned unchanged. `path` names the schema in errors.
    """
    merged = [key for key in ("$ref", *_UNIONS) if key in schema]
    if not merged and schema.get("type") == "object":
        return schema, []
    plain = _Flattening(schema).flatten_schema(schema)
    if _is_no_object(plain.get("type")):
        raise InvalidRequest(
            f"{path}.type must be 'object'.", param=f"{path}.type", hint="A tool takes named arguments."
        )
    if "$ref" in plain and "type" not in plain:
        raise _unresolved_reference(path, plain["$ref"])
    plain["type"] = "object"
    return (schema, []) if plain == schema else (plain, [key for key in merged if key not in plain])


def _is_no_object(kind: Any) -> bool:
    return kind is not None and "object" not in ([kind] if isinstance(kind, str) else kind)


@dataclass(slots=True)
class _Flattening:
    """The flattening of one schema; `open` references are being followed."""

    root: Schema
    open: list[str] = field(default_factory=lambda: ["#"])
    followed: int = 0
    depth: int = 0

    def flatten_schema(self, schema: Schema) -> Schema:
        """Return the schema without top-level unions and resolved references."""
        if self.followed >= _MAX_FOLLOWED or self.depth >= _MAX_DEPTH:
            return {}
        self.followed, self.depth = self.followed + 1, self.depth + 1
        plain = self._merge_top(schema)
        self.depth -= 1
        return plain

    def _merge_top(self, schema: Schema) -> Schema:
        plain = {key: value for key, value in schema.items() if key not in _UNIONS}
        if (target := self._flatten_target(plain.get("$ref"))) is not None:
            del plain["$ref"]
            plain = _merge_all_of(plain, target)
        branches = {key: [self._flatten_branch(branch) for branch in schema.get(key, [])] for key in _UNIONS}
        for part in branches["allOf"]:
            plain = _merge_all_of(plain, part)
        for key in ("anyOf", "oneOf"):
            if branches[key]:
                plain = _add_union_note(_merge_any_of(plain, branches[key]), key, schema[key], branches[key])
        return plain

    def _flatten_branch(self, branch: Any) -> Schema:
        if not isinstance(branch, dict):
            return {}
        if not any(key in branch for key in ("$ref", *_UNIONS)):
            return branch
        return {key: value for key, value in self.flatten_schema(branch).items() if key != "$ref"}

    def _flatten_target(self, reference: str | None) -> Schema | None:
        """Return the flattened target of a reference; None if unresolved or circular."""
        if reference is None or reference in self.open:
            return None
        target = resolve_reference(self.root, reference)
        if not isinstance(target, dict):
            return {} if isinstance(target, bool) else None
        self.open.append(reference)
        flattened = self.flatten_schema(target)
        self.open.pop()
        return {key: value for key, value in flattened.items() if key not in ("$id", "$anchor")}


def _unresolved_reference(path: str, reference: str) -> InvalidRequest:
    return InvalidRequest(
        f"{path}: the reference {reference[:100]!r} at its top cannot be resolved.",
        param=path,
        hint="Give the tool an object with properties.",
    )


def _merge_all_of(one: Schema, other: Schema) -> Schema:
    """Return the schema that requires both."""
    merged = {**other, **one}
    properties = _merge_properties([one, other], "allOf")
    if properties or "properties" in merged:
        merged["properties"] = properties
    if required := list(dict.fromkeys([*one.get("required", []), *other.get("required", [])])):
        merged["required"] = required
    if definitions := {**other.get("$defs", {}), **one.get("$defs", {})}:
        merged["$defs"] = definitions
    return merged


def _merge_any_of(base: Schema, branches: Sequence[Schema]) -> Schema:
    """Return a schema that takes what any branch takes."""
    merged = dict(base)
    variants = _merge_properties(branches, "anyOf")
    merged["properties"] = {**variants, **base.get("properties", {})}
    common = [
        name for name in branches[0].get("required", []) if all(name in one.get("required", []) for one in branches)
    ]
    if required := list(dict.fromkeys([*base.get("required", []), *common])):
        merged["required"] = required
    if "additionalProperties" not in base and all(one.get("additionalProperties") is False for one in branches):
        merged["additionalProperties"] = False
    return merged


def _merge_properties(parts: Iterable[Schema], union: str) -> Schema:
    """Merge all properties; different definitions of one become a union."""
    by_name: dict[str, list[Any]] = {}
    for part in parts:
        for name, schema in part.get("properties", {}).items():
            variants = by_name.setdefault(name, [])
            if schema not in variants:
                variants.append(schema)
    return {name: schemas[0] if len(schemas) == 1 else {union: schemas} for name, schemas in by_name.items()}


def _add_union_note(plain: Schema, key: str, union: Any, branches: Sequence[Schema]) -> Schema:
    """Add the union to the description, where the model reads it."""
    note = exact_json.dumps({key: union}).decode()
    if len(note) > _LONGEST_NOTE:
        note = exact_json.dumps({key: [{"required": branch.get("required", [])} for branch in branches]}).decode()
    text = f"The arguments must satisfy {note[:_LONGEST_NOTE]}"
    given = plain.get("description")
    return {**plain, "description": f"{given}\n\n{text}" if given else text}
