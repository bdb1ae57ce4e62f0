"""Translation of tool schemas to JSON Schema 2020-12 with a plain object at the top."""

import copy

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import InvalidRequest
from server.models.tool_object import to_plain_object
from server.models.tool_schema import modernise_schema
from tests.schemas import schemas

AT = "input_schema"


def modern(schema):
    return modernise_schema(schema, AT)


def of_property(part):
    """Return a schema translated as a property, and the rewritten keywords."""
    schema, changed = modern({"type": "object", "properties": {"p": part}})
    return schema["properties"]["p"], changed


VALID = [
    {"type": "object"},
    {"type": "object", "properties": {"a": True, "b": False, "c": {}}},
    {"type": "object", "properties": {"type": {"type": "string"}, "required": {"const": None}}, "required": ["type"]},
    {"type": "object", "properties": {"n": {"exclusiveMinimum": 0, "default": None, "enum": [None, 1, "m²"]}}},
    {"type": "object", "properties": {"t": {"prefixItems": [{"type": "string"}], "items": False}}},
    {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {"a": {"format": "uri"}}},
    {"type": "object", "$defs": {"x": {"type": ["string", "null"]}}, "properties": {"a": {"$ref": "#/$defs/x"}}},
    {"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"nullable": True}]}}, "x-mine": None},
    {"type": "object", "properties": {"a": {"dependentRequired": {"b": ["c"]}, "if": {}, "then": False}}},
]


@pytest.mark.parametrize("schema", VALID, ids=str)
def test_a_valid_schema_is_left_as_it_is_key_for_key(schema):
    result, changed = modern(copy.deepcopy(schema))
    assert (result, changed) == (schema, [])
    assert list(result) == list(schema)


@pytest.mark.parametrize(
    "keyword", ["description", "enum", "items", "type", "required", "properties", "minimum", "anyOf", "$ref", "format"]
)
def test_null_means_not_given(keyword):
    assert of_property({"title": "T", keyword: None}) == ({"title": "T"}, [])
    assert modern({"title": "T", keyword: None}) == ({"title": "T"}, [])


def test_a_property_without_a_schema_takes_everything():
    assert modern({"type": "object", "properties": {"a": None}}) == ({"type": "object", "properties": {"a": {}}}, [])


@pytest.mark.parametrize(
    ("part", "expected", "changed"),
    [
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}, ["exclusiveMinimum"]),
        ({"maximum": 1, "exclusiveMaximum": False}, {"maximum": 1}, ["exclusiveMaximum"]),
        ({"exclusiveMaximum": True}, {}, ["exclusiveMaximum"]),
        (
            {"type": "array", "items": [{"type": "string"}, {"type": "int"}], "additionalItems": False},
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
            ["additionalItems", "items", "type"],
        ),
        ({"items": {}, "additionalItems": True}, {"items": {}}, ["additionalItems"]),
        (
            {"dependencies": {"a": ["b"], "c": {"required": ["d"]}}},
            {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"required": ["d"]}}},
            ["dependencies"],
        ),
        ({"type": "any"}, {}, ["type"]),
        ({"type": "STRING"}, {"type": "string"}, ["type"]),
        ({"type": ["String", "string", "null"]}, {"type": ["string", "null"]}, ["type"]),
        ({"type": []}, {}, ["type"]),
        ({"type": "dict", "properties": {}}, {"type": "object", "properties": {}}, ["type"]),
        ({"anyOf": [], "type": "string"}, {"type": "string"}, ["anyOf"]),
        ({"required": ["a", "a", "b"]}, {"required": ["a", "b"]}, ["required"]),
    ],
    ids=str,
)  # fmt: skip
def test_older_forms_are_translated(part, expected, changed):
    result, found = of_property(part)
    assert result == expected
    assert sorted(found) == changed


def test_required_inside_of_a_property_is_brought_to_its_object():
    schema = {"type": "object", "properties": {"a": {"required": True}, "b": {"required": False}}, "required": ["c"]}
    result, changed = modern(schema)
    assert result == {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["c", "a"]}
    assert changed == ["required"]


def test_definitions_move_and_references_with_them():
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"a": {"$ref": "#/definitions/x"}, "definitions": {"type": "string"}},
        "definitions": {"x": {"items": {"$ref": "#/definitions/x"}}},
    }
    assert modern(schema) == (
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/x"}, "definitions": {"type": "string"}},
            "$defs": {"x": {"items": {"$ref": "#/$defs/x"}}},
        },
        ["definitions"],
    )


def test_integers_that_lose_digits_are_named():
    assert of_property({"maximum": 2**53})[1] == []
    assert of_property({"maximum": 2**64 - 1}) == ({"maximum": 2**64 - 1}, ["maximum"])


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"minimum": "1"}, ".minimum"),
        ({"minLength": -1}, ".minLength"),
        ({"minLength": 1.5}, ".minLength"),
        ({"enum": {}}, ".enum"),
        ({"required": "a"}, ".required"),
        ({"type": "file"}, ".type"),
        ({"type": 5}, ".type"),
        ({"type": [5]}, ".type"),
        ({"description": 5}, ".description"),
        ({"properties": []}, ".properties"),
        ({"properties": {"q": 5}}, ".properties.q"),
        ({"items": "string"}, ".items"),
        ({"anyOf": {}}, ".anyOf"),
        ({"anyOf": [{}, {"items": 5}]}, ".anyOf.1.items"),
        ({"multipleOf": 0}, ".multipleOf"),
        ({"pattern": 1}, ".pattern"),
        ({"dependentRequired": {"a": "b"}}, ".dependentRequired"),
    ],
    ids=str,
)
def test_what_no_draft_allows_is_refused_with_its_place(part, place):
    with pytest.raises(InvalidRequest) as raised:
        of_property(part)
    assert raised.value.param == f"{AT}.properties.p{place}"
    assert raised.value.hint


def test_a_deep_schema_is_no_trouble():
    schema = {"type": "string"}
    for _ in range(190):
        schema = {"items": schema}
    assert modern({"type": "object", "properties": {"a": schema}})[1] == []


@given(schemas())
def test_every_schema_becomes_valid_or_is_refused(schema):
    try:
        result, _ = to_plain_object(modern(schema)[0], AT)
    except InvalidRequest:
        return
    jsonschema.Draft202012Validator.check_schema(result)
    assert result["type"] == "object"
    assert not {"anyOf", "oneOf", "allOf", "$ref"} & result.keys()
    assert modern(result) == (result, []) or "maximum" in str(result) or "minimum" in str(result)


def plain(schema):
    return to_plain_object(schema, AT)


def test_a_union_at_the_top_becomes_one_object():
    one = {"type": "object", "properties": {"a": {"type": "string"}, "k": {"const": 1}}, "required": ["a", "k"]}
    other = {"type": "object", "properties": {"b": {"type": "string"}, "k": {"const": 2}}, "required": ["b", "k"]}
    result, changed = plain({"type": "object", "description": "D", "oneOf": [one, other]})
    assert changed == ["oneOf"]
    assert result["properties"] == {
        "a": {"type": "string"},
        "k": {"anyOf": [{"const": 1}, {"const": 2}]},
        "b": {"type": "string"},
    }
    assert result["required"] == ["k"]
    assert result["description"].startswith("D\n\n")
    assert '"const":2' in result["description"]


def test_all_of_at_the_top_is_merged():
    schema = {
        "properties": {"a": {}},
        "required": ["a"],
        "allOf": [{"$ref": "#/$defs/x"}, {"required": ["c"]}],
        "$defs": {"x": {"properties": {"b": {}}, "required": ["b"]}},
    }
    assert plain(schema)[0] == {
        "properties": {"a": {}, "b": {}},
        "required": ["a", "b", "c"],
        "$defs": {"x": {"properties": {"b": {}}, "required": ["b"]}},
        "type": "object",
    }


def test_a_reference_at_the_top_is_followed():
    schema = {"$ref": "#/$defs/x", "$defs": {"x": {"type": "object", "properties": {"b": {}}}}}
    assert plain(schema)[0]["properties"] == {"b": {}}


@pytest.mark.parametrize("union", ["anyOf", "oneOf"])
def test_a_long_union_keeps_what_is_required(union):
    branches = [{"properties": {f"p{n}": {"description": "x" * 900}}, "required": [f"p{n}"]} for n in range(4)]
    result, _ = plain({"type": "object", union: branches})
    assert '{"required":["p3"]}' in result["description"]
    assert len(result["properties"]) == 4


@pytest.mark.parametrize(
    "schema",
    [{"type": "string"}, {"$ref": "#/$defs/gone"}, {"$ref": "#/$defs/x", "$defs": {"x": {"$ref": "#/$defs/x"}}}],
)
def test_what_is_no_object_is_refused(schema):
    with pytest.raises(InvalidRequest) as raised:
        plain(schema)
    assert raised.value.param.startswith(AT)
    assert raised.value.hint


@given(st.integers())
def test_a_type_is_given_where_there_is_none(n):
    assert plain({"properties": {"n": {"const": n}}})[0] == {"properties": {"n": {"const": n}}, "type": "object"}


CIRCLE = {"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}, {"properties": {"p": {}}}]}}}


def test_a_union_that_contains_itself_has_the_arguments_of_its_other_branches():
    plain, changed = to_plain_object(CIRCLE, AT)
    assert (plain["type"], plain["properties"], changed) == ("object", {"p": {}}, ["$ref"])


@pytest.mark.parametrize("nothing", [True, False])
def test_a_reference_to_true_or_false_names_no_arguments(nothing):
    schema = {"$ref": "#/$defs/A", "$defs": {"A": nothing}}
    assert to_plain_object(schema, AT)[0] == {"$defs": {"A": nothing}, "type": "object"}


def test_references_that_double_at_every_step_are_not_followed_to_their_end():
    """Forty definitions expand to 10**12 branches."""
    doubled = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    plain, _ = to_plain_object({"$ref": "#/$defs/d0", "$defs": {**doubled, "d40": {"type": "object"}}}, AT)
    assert plain["type"] == "object"


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"properties": {"p": {}}}}},
        {"$ref": "#here", "$defs": {"x": {"$anchor": "here", "properties": {"p": {}}}}},
        {"$id": "https://x.test/y", "$ref": "https://x.test/y#/$defs/x", "$defs": {"x": {"properties": {"p": {}}}}},
        {"$ref": "#/$defs/x/items", "$defs": {"x": {"items": {"properties": {"p": {}}}}}},
        {"$ref": "#/$defs/x/anyOf/1", "$defs": {"x": {"anyOf": [{}, {"properties": {"p": {}}}]}}},
        {"anyOf": [{"$ref": "#"}, {"$ref": "https://elsewhere.test"}, {"properties": {"p": {}}}]},
    ],
    ids=str,
)
def test_references_are_followed_wherever_they_lead_in_the_schema(schema):
    plain, _ = to_plain_object(schema, AT)
    assert (plain["type"], plain["properties"]) == ("object", {"p": {}})


@pytest.mark.parametrize("reference", ["https://elsewhere.test/x", "#/properties", "#/default", "#/$defs/x/type"])
def test_an_object_with_a_reference_that_leads_to_no_schema_stays_as_it_is(reference):
    schema = {"type": "object", "$ref": reference, "properties": {"properties": {}}, "default": {"required": 1}}
    assert to_plain_object(schema, AT) == (schema, [])


def test_moved_references_leave_the_values_alone():
    data = {"$ref": "#/definitions/x"}
    part = {"default": data, "const": data, "enum": [data], "examples": [data]}
    schema, _ = modern({"type": "object", "definitions": {"x": {}}, "properties": {"default": data, "p": part}})
    assert schema["properties"] == {"default": {"$ref": "#/$defs/x"}, "p": part}


@pytest.mark.parametrize(("key", "needs"), [("dependentSchemas", {}), ("dependentRequired", ["b"])])
def test_old_dependencies_beside_broken_new_ones_are_refused_by_name(key, needs):
    with pytest.raises(InvalidRequest) as raised:
        modern({"type": "object", "dependencies": {"a": needs}, key: [1]})
    assert raised.value.param == f"input_schema.{key}"


def test_an_id_that_is_an_anchor_becomes_one():
    assert of_property({"$id": "#here"}) == ({"$anchor": "here"}, ["$id"])
    assert of_property({"$id": "https://x.test/y"}) == ({"$id": "https://x.test/y"}, [])


def test_integers_that_lose_digits_are_named_in_lists_too():
    assert of_property({"enum": [1, 2**60]}) == ({"enum": [1, 2**60]}, ["enum"])


def test_all_variants_of_a_wide_union_are_there():
    variants = {f"d{n}": {"properties": {f"p{n}": {}}} for n in range(300)}
    union = {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in variants], "$defs": variants}
    assert list(to_plain_object(union, AT)[0]["properties"]) == [f"p{n}" for n in range(300)]


def test_a_long_chain_of_references_is_no_recursion_without_end():
    chain = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}]} for n in range(900)}
    plain, _ = to_plain_object({"$ref": "#/$defs/d0", "$defs": {**chain, "d900": {"type": "object"}}}, AT)
    assert plain["type"] == "object"
