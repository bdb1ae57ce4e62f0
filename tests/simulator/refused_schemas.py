"""What the API refuses of a structured output's JSON Schema.

https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs, "JSON Schema limitations".
"""

from collections.abc import Iterator, Mapping
from typing import Any

UNSUPPORTED = {
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength"),
    "array": ("maxItems", "uniqueItems"),
    "object": ("minProperties", "maxProperties", "patternProperties"),
}


def schema_faults(schema: Any) -> Iterator[str]:
    """Each reason for which the API would refuse this schema, the first reason first."""
    if not isinstance(schema, dict):
        return
    types = schema.get("type")
    for type_ in types if isinstance(types, list) else [types]:
        yield from _type_faults(type_, schema)
    for part in _parts(schema):
        yield from schema_faults(part)


def _type_faults(type_: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    for name in UNSUPPORTED.get(type_, ()):
        if name in schema:
            yield f"For '{type_}' type, property '{name}' is not supported"
    if type_ == "array" and schema.get("minItems", 0) not in (0, 1):
        yield "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
    if type_ == "object" and "additionalProperties" not in schema:
        yield "For 'object' type, 'additionalProperties' must be explicitly set to false"
    elif type_ == "object" and schema["additionalProperties"] is not False:
        yield (
            "For 'object' type, 'additionalProperties: true' is not supported. "
            "Please set 'additionalProperties' to false"
        )


def _parts(schema: Mapping[str, Any]) -> Iterator[Any]:
    for name in ("properties", "$defs", "definitions"):
        yield from (schema.get(name) or {}).values()
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        yield from schema.get(name) or []
    yield schema.get("items")
