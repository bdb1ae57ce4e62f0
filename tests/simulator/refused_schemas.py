"""Refusals of JSON Schemas: a tool's input, and a structured output.

https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs, "JSON Schema limitations". The limits of a
tool's schema are documented in part only; their errors are those that the API is seen to give.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator, SchemaError

PROPERTY_PATTERN = "^[a-zA-Z0-9_.-]{1,64}$"
INVALID_SCHEMA = (
    "JSON schema is invalid. It must match JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12). "
    "Learn more about tool use at https://docs.claude.com/en/docs/tool-use."
)

UNSUPPORTED = {
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength"),
    "array": ("maxItems", "uniqueItems"),
    "object": ("minProperties", "maxProperties", "patternProperties"),
}


def input_schema_faults(at: str, schema: Any) -> Iterator[str]:
    """Each reason for which the API would refuse a tool's `input_schema`, found at `at`, the first reason first."""
    if not isinstance(schema, dict):
        yield f"{at}: Input should be an object"
    elif "type" not in schema:
        yield f"{at}.type: Field required"
    elif schema["type"] != "object":
        yield f"{at}.type: Input should be 'object'"
    elif not schema.keys().isdisjoint(("oneOf", "allOf", "anyOf")):
        yield f"{at}: input_schema does not support oneOf, allOf, or anyOf at the top level"
    elif not _is_draft_2020_12(orjson.dumps(schema)):
        yield f"{at}: {INVALID_SCHEMA}"
    elif not all(re.fullmatch(PROPERTY_PATTERN, name) for name in schema.get("properties", {})):
        yield f"{at}.properties: Property keys should match pattern '{PROPERTY_PATTERN}'"


# A client sends the same tools with each request, and a check takes some milliseconds a tool.
@lru_cache(maxsize=4096)
def _is_draft_2020_12(schema: bytes) -> bool:
    try:
        # Formats are not judged: whether a `pattern` is a regular expression depends on the language.
        Draft202012Validator.check_schema(orjson.loads(schema), format_checker=None)
    except (SchemaError, RecursionError):
        return False
    return True


def schema_faults(schema: Any) -> Iterator[str]:
    """Each reason for which the API would refuse this schema of a structured output, the first reason first."""
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
