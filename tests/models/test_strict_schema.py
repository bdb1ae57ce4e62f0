"""Translation of JSON Schema to the subset of structured outputs."""

import contextlib

import anthropic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from server.models.strict_schema import Untranslatable, to_strict_schema


class Place(BaseModel):
    name: str
    kind: str | None = None


class Journey(BaseModel):
    """A journey."""

    stops: list[Place] = Field(min_length=1)
    rating: int = Field(ge=1, le=5, description="Stars.")
    start: Place


def test_a_pydantic_schema_is_what_anthropics_sdk_makes_of_it():
    strict, changed = to_strict_schema(Journey.model_json_schema())
    theirs = anthropic.transform_schema(Journey)
    assert strict["properties"]["rating"].pop("description") == "Stars.\n\n{maximum: 5, minimum: 1}"
    assert theirs["properties"]["rating"].pop("description")
    assert strict["$defs"]["Place"]["properties"]["kind"].pop("description") == "{default: null}"
    assert theirs["$defs"]["Place"]["properties"]["kind"].pop("description")
    assert strict == theirs
    assert changed == {"maximum": "descriptions", "minimum": "descriptions"}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ({"type": "string", "format": "odd"}, {"type": "string", "description": '{format: "odd"}'}),
        ({"items": {"type": "null"}, "minItems": 1}, {"type": "array", "items": {"type": "null"}, "minItems": 1}),
        ({"enum": ["a", None], "type": ["string", "null"]}, {"enum": ["a", None]}),
        ({"const": 3, "type": "integer"}, {"const": 3}),
        (
            {"type": ["string", "null"], "maxLength": 3},
            {"anyOf": [{"type": "string", "description": "{maxLength: 3}"}, {"type": "null"}]},
        ),
        ({"oneOf": [{"type": "null"}, {"type": "boolean"}]}, {"anyOf": [{"type": "null"}, {"type": "boolean"}]}),
        (
            {"$schema": "s", "properties": {}, "additionalProperties": False},
            {"type": "object", "properties": {}, "additionalProperties": False},
        ),
        (
            {"properties": {"$ref": {"type": "string"}}, "additionalProperties": True},
            {"type": "object", "properties": {"$ref": {"type": "string"}}, "additionalProperties": False},
        ),
        (
            {"definitions": {"A": {"type": "null"}}, "allOf": [{"$ref": "#/definitions/A"}], "description": "d"},
            {"definitions": {"A": {"type": "null"}}, "anyOf": [{"$ref": "#/definitions/A"}], "description": "d"},
        ),
    ],
)
def test_translations(schema, strict):
    assert to_strict_schema(schema)[0] == strict


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({}, "no type"),
        ({"type": "object"}, "free form"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "free form"),
        ({"$ref": "https://example.com/s.json"}, "definitions"),
        ({"$ref": "#/$defs/B", "$defs": {"A": {"type": "null"}}}, "definitions"),
        ({"$defs": {"A": {"type": "array", "items": {"$ref": "#/$defs/A"}}}, "$ref": "#/$defs/A"}, "itself"),
        (
            {
                "$defs": {
                    "A": {"type": "array", "items": {"$ref": "#/$defs/B"}},
                    "B": {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]},
                },
                "$ref": "#/$defs/A",
            },
            "itself",
        ),
        ({"anyOf": [{"required": ["a"]}], "properties": {"a": {"type": "null"}}}, "mixes"),
        ({"anyOf": []}, "empty"),
        ({"allOf": [{"$ref": "#/$defs/A"}, {"type": "null"}], "$defs": {"A": {"type": "null"}}}, "allOf"),
        ({"type": "array", "items": True}, "not an object"),
        ({"enum": [{}]}, "no type"),
        ({"type": {}}, "no type"),
    ],
)
def test_what_cannot_be_said(schema, why):
    with pytest.raises(Untranslatable, match=why):
        to_strict_schema(schema)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
WORDS = "type properties items enum const anyOf oneOf allOf $ref $defs required title description"
KEYWORDS = st.sampled_from(
    [*WORDS.split(), "additionalProperties", "patternProperties", "minItems", "minimum", "format"]
)
TYPES = st.sampled_from(["object", "array", "string", "integer", "null", ["string", "null"], ["object", 3]])
SCHEMAS = st.recursive(
    st.builds(lambda kind: {"type": kind}, TYPES),
    lambda inner: st.dictionaries(
        KEYWORDS,
        inner | TYPES | JSON | st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
        max_size=4,
    ),
    max_leaves=8,
)


@given(SCHEMAS)
def test_any_schema_is_translated_once_and_for_all_or_cannot_be(schema):
    with contextlib.suppress(Untranslatable):
        strict, _ = to_strict_schema(schema)
        assert to_strict_schema(strict) == (strict, {})
