"""Translate JSON Schema to the subset for structured outputs.

https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations: objects list their
properties and allow no others, numbers and strings have no bounds, references are local and not recursive. Bounds move
into descriptions, where the model may still follow them, as in Anthropic's SDKs.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from server.core import exact_json

_MAX_DEPTH = 60
_STRING_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_UNIONS = ("anyOf", "oneOf", "allOf")
_DROPPED_KEYWORDS = ("$schema", "$id", "$comment")
_ANNOTATIONS = frozenset({"default", "example", "examples", "deprecated", "readOnly", "writeOnly"})
_NUMBER = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_KEYWORDS_OF_TYPE: dict[str, frozenset[str]] = {
    "object": frozenset(
        {"properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties"}
    ),
    "array": frozenset({"items", "minItems", "maxItems", "uniqueItems", "prefixItems", "contains"}),
    "string": frozenset({"format", "pattern", "minLength", "maxLength"}),
    "integer": _NUMBER,
    "number": _NUMBER,
    "boolean": frozenset(),
    "null": frozenset(),
}


class Untranslatable(ValueError):
    """The subset cannot express the schema, with a reason: `it refers to itself`."""


def to_strict_schema(schema: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the schema, and keywords' replacements. Raises `Untranslatable`."""
    changed: dict[str, str] = {}
    strict = _translate_schema(schema, 0, changed)
    _check_references(strict)
    return strict, dict(sorted(changed.items()))


def _translate_schema(schema: Any, depth: int, changed: dict[str, str]) -> dict[str, Any]:
    if not isinstance(schema, Mapping):
        raise Untranslatable("a part of it is not an object")
    if depth > _MAX_DEPTH:
        raise Untranslatable("it is nested too deeply")
    rest = {key: value for key, value in schema.items() if key not in _DROPPED_KEYWORDS}
    strict: dict[str, Any] = {}
    for key in ("$defs", "definitions"):
        if isinstance(definitions := rest.pop(key, None), Mapping):
            strict[key] = {name: _translate_schema(part, depth + 1, changed) for name, part in definitions.items()}
    if isinstance(rest.get("$ref"), str):
        return {**strict, "$ref": rest["$ref"]}
    if isinstance(rest.get("type"), list) and "enum" not in rest:
        rest = _split_types(rest)
    strict |= _translate_type(rest, depth, changed)
    return _add_description(strict, rest, changed)


def _split_types(schema: dict[str, Any]) -> dict[str, Any]:
    """Turn `type: [string, null]` into `anyOf`, with the keywords of each type."""
    types = [kind for kind in schema.pop("type") if isinstance(kind, str)]
    own = {
        kind: {key: schema[key] for key in sorted(_KEYWORDS_OF_TYPE.get(kind, ())) if key in schema} for kind in types
    }
    known = {key for keys in own.values() for key in keys}
    variants = [{"type": kind, **keywords} for kind, keywords in own.items()]
    return {**{key: value for key, value in schema.items() if key not in known}, "anyOf": variants}


def _translate_type(rest: dict[str, Any], depth: int, changed: dict[str, str]) -> dict[str, Any]:
    """Translate the type and its keywords, which are removed from `rest`."""
    kind = rest.pop("type", None)
    literals = _take_literals(rest)
    unions = [key for key in _UNIONS if key in rest]
    if literals and not unions:
        return literals
    if unions:
        if len(unions) > 1 or literals or "properties" in rest or "items" in rest:
            raise Untranslatable(f"it mixes {unions[0]} with other demands")
        return _translate_union(unions[0], rest.pop(unions[0]), depth, changed)
    if kind is None:
        kind = "object" if "properties" in rest else "array" if "items" in rest else None
    match kind:
        case "object":
            return {"type": kind, **_translate_object(rest, depth, changed)}
        case "array":
            return {"type": kind, **_translate_array(rest, depth, changed)}
        case "string":
            known = rest.get("format") in _STRING_FORMATS if isinstance(rest.get("format"), str) else False
            return {"type": kind, "format": rest.pop("format")} if known else {"type": kind}
        case "integer" | "number" | "boolean" | "null":
            return {"type": kind}
    raise Untranslatable("a part of it has no type")


def _take_literals(rest: dict[str, Any]) -> dict[str, Any]:
    literals: dict[str, Any] = {}
    enum = rest.get("enum")
    if isinstance(enum, list) and enum and all(_is_primitive(value) for value in enum):
        literals["enum"] = rest.pop("enum")
    if "const" in rest and _is_primitive(rest["const"]):
        literals["const"] = rest.pop("const")
    return literals


def _translate_union(key: str, variants: Any, depth: int, changed: dict[str, str]) -> dict[str, Any]:
    if not isinstance(variants, list) or not variants:
        raise Untranslatable(f"its {key} is empty")
    strict = [_translate_schema(variant, depth + 1, changed) for variant in variants]
    if key == "allOf" and len(strict) > 1:
        if any("$ref" in variant for variant in strict):
            raise Untranslatable("it has references in allOf")
        return {"allOf": strict}
    if key == "oneOf" and len(strict) > 1:
        changed["oneOf"] = "anyOf"
    return {"anyOf": strict}


def _translate_object(rest: dict[str, Any], depth: int, changed: dict[str, str]) -> dict[str, Any]:
    properties = rest.pop("properties", {})
    others = rest.pop("additionalProperties", None)
    if others is True:
        changed["additionalProperties"] = "false"
    if not isinstance(properties, Mapping):
        raise Untranslatable("its properties are not an object")
    if (not properties and others is not False) or isinstance(others, Mapping) or "patternProperties" in rest:
        raise Untranslatable("it has objects of free form")
    strict: dict[str, Any] = {
        "properties": {name: _translate_schema(part, depth + 1, changed) for name, part in properties.items()},
        "additionalProperties": False,
    }
    if isinstance(required := rest.pop("required", None), list):
        strict["required"] = required
    return strict


def _translate_array(rest: dict[str, Any], depth: int, changed: dict[str, str]) -> dict[str, Any]:
    strict: dict[str, Any] = {}
    if "items" in rest:
        strict["items"] = _translate_schema(rest.pop("items"), depth + 1, changed)
    if rest.get("minItems") in (0, 1):
        strict["minItems"] = rest.pop("minItems")
    return strict


def _add_description(strict: dict[str, Any], rest: dict[str, Any], changed: dict[str, str]) -> dict[str, Any]:
    """Add title and description to `strict`, with what is left in `rest`."""
    description, title = rest.pop("description", None), rest.pop("title", None)
    changed.update(dict.fromkeys((key for key in rest if key not in _ANNOTATIONS), "descriptions"))
    texts = [description] if isinstance(description, str) else []
    if rest:
        texts.append("{" + ", ".join(f"{key}: {_as_json(value)}" for key, value in rest.items()) + "}")
    if texts:
        strict["description"] = "\n\n".join(texts)
    if isinstance(title, str):
        strict["title"] = title
    return strict


def _check_references(schema: dict[str, Any]) -> None:
    """Raise Untranslatable for a dangling or circular reference."""
    definitions = {
        f"#/{key}/{name}": _collect_references(part)
        for key in ("$defs", "definitions")
        for name, part in schema.get(key, {}).items()
    }
    if not (_collect_references(schema) | set().union(*definitions.values())) <= set(definitions):
        raise Untranslatable("it refers to something outside its definitions")
    while ends := {name for name, references in definitions.items() if not references & set(definitions)}:
        definitions = {name: references for name, references in definitions.items() if name not in ends}
    if definitions:
        raise Untranslatable("it refers to itself")


def _collect_references(part: Any) -> set[str]:
    if isinstance(part, list):
        return set().union(*(_collect_references(item) for item in part))
    if not isinstance(part, dict):
        return set()
    own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
    return own.union(*(_collect_references(value) for value in part.values()))


def _as_json(value: Any) -> str:
    try:
        return exact_json.dumps(value).decode()
    except orjson.JSONEncodeError:
        return str(value)


def _is_primitive(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)
