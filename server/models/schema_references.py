"""Resolve and rewrite references inside a JSON schema."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

SCHEMA_KEYS = frozenset(
    {
        "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else", "items",
        "unevaluatedItems", "unevaluatedProperties", "contentSchema",
    }
)  # fmt: skip
SCHEMA_LIST_KEYS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
SCHEMA_MAP_KEYS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})


def resolve_reference(root: Mapping[str, Any], reference: str) -> Any:
    """Return the schema in `root` that a reference names; None if there is none there.

    A pointer passes only through keywords that hold schemas: other values are data.
    """
    address, _, fragment = reference.partition("#")
    if address and address != str(root.get("$id", "")).rstrip("#"):
        return None
    pointer = unquote(fragment)
    if not pointer:
        return root
    if not pointer.startswith("/"):
        return _find_anchor(root, pointer)
    return _resolve_pointer(root, [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")])


def map_references(schema: Any, change: Callable[[str], str]) -> Any:
    """Apply `change` to every reference, but not to `$ref` in data such as `default`."""
    if not isinstance(schema, dict):
        return schema
    changed = {key: _map_part(key, part, change) for key, part in schema.items()}
    if isinstance(reference := changed.get("$ref"), str):
        changed["$ref"] = change(reference)
    return changed


def _map_part(key: str, part: Any, change: Callable[[str], str]) -> Any:
    if key in SCHEMA_KEYS:
        return map_references(part, change)
    if key in SCHEMA_LIST_KEYS:
        return [map_references(one, change) for one in part]
    if key in SCHEMA_MAP_KEYS:
        return {name: map_references(one, change) for name, one in part.items()}
    return part


def _resolve_pointer(schema: Any, parts: list[str]) -> Any:
    while parts and isinstance(schema, dict):
        key, *parts = parts
        schema = schema.get(key)
        if key in SCHEMA_KEYS:
            continue
        if not parts:
            return None
        part, *parts = parts
        if key in SCHEMA_MAP_KEYS and isinstance(schema, dict):
            schema = schema.get(part)
        elif key in SCHEMA_LIST_KEYS and isinstance(schema, list) and part in map(str, range(len(schema))):
            schema = schema[int(part)]
        else:
            return None
    return None if parts else schema


def _find_anchor(root: Any, anchor: str) -> Any:
    """Return the definition with this `$anchor`; generators set none elsewhere."""
    definitions = [*root.get("$defs", {}).values(), *root.get("definitions", {}).values()]
    return next((one for one in definitions if isinstance(one, dict) and one.get("$anchor") == anchor), None)
