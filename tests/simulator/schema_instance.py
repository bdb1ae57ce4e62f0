"""A small instance of a JSON Schema, for answers that have to satisfy one."""

import math
from typing import Any

_BY_TYPE: dict[str, Any] = {"number": 0.5, "boolean": True, "null": None}
_BY_FORMAT = {
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "date-time": "2026-01-02T03:04:05Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "example.com",
    "duration": "P1D",
}


def instance(schema: Any, root: Any = None) -> Any:
    """The smallest easy value that the schema takes. `root` holds the `$defs`; by default the schema itself.

    Covers what structured outputs allow: types, enum, const, anyOf, oneOf, allOf, $ref, required, formats.
    """
    root = schema if root is None else root
    if not isinstance(schema, dict):
        return {}
    if "$ref" in schema:
        return instance(_resolve(schema["$ref"], root), root)
    for exact in ("const", "default"):
        if exact in schema:
            return schema[exact]
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return instance(_simplest(schema[choice]), root)
    if "allOf" in schema:
        return instance(_merged(schema, root), root)
    return _of_type(schema, root)


def _resolve(reference: str, root: Any) -> Any:
    found = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")] if step else found
    return found


def _simplest(choices: list[Any]) -> Any:
    """A choice that is no reference, so that a schema which refers to itself comes to an end."""
    return next((choice for choice in choices if "$ref" not in choice), choices[0])


def _merged(schema: dict[str, Any], root: Any) -> dict[str, Any]:
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        part = _resolve(part["$ref"], root) if "$ref" in part else part
        properties = {**merged.get("properties", {}), **part.get("properties", {})}
        required = [*merged.get("required", []), *part.get("required", [])]
        merged = {**merged, **part, "properties": properties, "required": required}
    return merged


def _of_type(schema: dict[str, Any], root: Any) -> Any:
    type_ = schema.get("type", "object" if "properties" in schema else "string")
    match type_[0] if isinstance(type_, list) else type_:
        case "object":
            properties = schema.get("properties", {})
            return {name: instance(properties.get(name, {}), root) for name in schema.get("required", [])}
        case "array":
            items = schema.get("items", {})
            # Items by reference may be the schema itself: one of each would never end.
            count = schema.get("minItems", 0 if "$ref" in items else 1)
            return [instance(items, root) for _ in range(count)]
        case "string":
            return _string(schema)
        case "integer":
            return int(_bounded(schema, 1))
        case "number":
            return _bounded(schema, 0.5)
        case other:
            return _BY_TYPE.get(other, {})


def _string(schema: dict[str, Any]) -> str:
    text = _BY_FORMAT.get(schema.get("format", ""), "text")
    return text[: schema.get("maxLength", len(text))].ljust(schema.get("minLength", 0), "x")


def _bounded(schema: dict[str, Any], wanted: float) -> Any:
    """The wanted number, moved within the bounds; whole steps stay whole steps."""
    step = schema.get("multipleOf", 1)
    low = schema.get("minimum", -math.inf)
    high = schema.get("maximum", math.inf)
    low = max(low, schema.get("exclusiveMinimum", -math.inf) + step)
    high = min(high, schema.get("exclusiveMaximum", math.inf) - step)
    value = max(min(wanted, high), low)
    return -(-value // step) * step if "multipleOf" in schema else value
