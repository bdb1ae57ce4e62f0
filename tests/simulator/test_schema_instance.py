"""The instances that stand in for structured outputs satisfy their schemas."""

from typing import Any

import jsonschema
import pytest

from tests.simulator.schema_instance import instance

TREE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "parent": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        "children": {"type": "array", "items": {"$ref": "#"}},
    },
    "required": ["name", "parent", "children"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "string", "format": "date-time"},
        {"type": "string", "minLength": 9},
        {"type": "string", "maxLength": 2},
        {"type": "integer", "minimum": 5},
        {"type": "integer", "exclusiveMinimum": 5, "multipleOf": 4},
        {"type": "number", "maximum": -3},
        {"type": ["null", "string"]},
        {"type": "boolean"},
        {"enum": ["b", "a"]},
        {"const": 7},
        {"type": "array", "items": {"type": "integer"}, "minItems": 3},
        {"oneOf": [{"type": "integer"}, {"type": "string"}]},
        {"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "integer"}}},
        {
            "allOf": [
                {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
                {"$ref": "#/$defs/b"},
            ],
            "$defs": {"b": {"type": "object", "properties": {"b": {"type": "null"}}, "required": ["b"]}},
        },
        TREE,
    ],
)
def test_instance_satisfies_its_schema(schema: dict[str, Any]) -> None:
    jsonschema.validate(instance(schema), schema)


def test_only_what_is_required_is_there() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"const": 1}}, "required": ["b"]}
    assert instance(schema) == {"b": 1}
